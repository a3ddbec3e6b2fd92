"""Run a tf.data service server: other machines then decode clips for `stream_clips`."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.data.records.listening import addresses_of

EXAMPLE = "vdroppath dataservice --dispatcher=10.0.0.1:5050 --port=5051 --host=10.0.0.2"
_OPEN = "It has no passwords and no encryption: anyone who can reach the address can use it."


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "host:port of the dispatcher to work for; default: run as the dispatcher"
    define_string(values, "dispatcher", text)
    text = "port to listen on; 0: any free port"
    flags.DEFINE_integer("port", 0, text, lower_bound=0, upper_bound=65535, flag_values=values)
    text = "name or address by which other machines reach this one"
    define_string(values, "host", text, "localhost")
    text = "name or address to listen on; default: --host; 0.0.0.0: every address of the machine"
    define_string(values, "listen", text)
    text = "folder for the dispatcher's journal, from which it continues after a restart"
    define_string(values, "journal", text)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Serves until the process is stopped."""
    where = values.host if values.listen is None else values.listen
    places = ", ".join(map(str, addresses_of(where))) or "every address of this machine"
    name, port, listen = values.host, values.port, values.listen
    if values.dispatcher is None:
        server = data.start_dispatcher(port, host=name, listen=listen, journal=values.journal)
        logging.info("Dispatcher at grpc://%s:%s", name, server.target.rpartition(":")[2])
    elif values.journal is not None:
        raise ValueError("--journal is for the dispatcher, and --dispatcher makes a worker.")
    else:
        logging.info("Waiting for the dispatcher at %s", values.dispatcher)
        server = data.start_worker(values.dispatcher, port, host=name, listen=listen)
        logging.info("Worker for the dispatcher at %s", values.dispatcher)
    logging.info("It listens on %s. %s", places, _OPEN)
    threading.Event().wait()  # the server runs in its own threads while it is referenced
    del server

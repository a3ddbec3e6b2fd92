"""Run a server of tf.data service: other machines then decode clips for `stream_clips`."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.flag_kinds import define_string

EXAMPLE = "vdroppath dataservice --dispatcher=10.0.0.1:5050 --port=5051 --host=10.0.0.2"
_EVERYWHERE = (
    "The server listens on every address of this machine (0.0.0.0), whatever --host is: "
    "TensorFlow's have no other choice, no password and no encryption. Whoever reaches the port "
    "can use it, so close it with a firewall to all but the machines that take part."
)


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    text = "host:port of the dispatcher to work for; default: be the dispatcher"
    define_string(values, "dispatcher", text)
    text = "port to listen on; 0 takes a free one"
    flags.DEFINE_integer("port", 0, text, lower_bound=0, upper_bound=65535, flag_values=values)
    text = (
        "name or address under which the other machines reach this one. It does not say where the "
        "server listens: TensorFlow's listen on every address of the machine"
    )
    define_string(values, "host", text, "localhost")
    text = "folder for the dispatcher's journal, from which it continues after a restart"
    define_string(values, "journal", text)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Serves until it is stopped."""
    logging.warning("%s", _EVERYWHERE)
    if values.dispatcher is None:
        dispatcher = data.start_dispatcher(values.port, journal=values.journal)
        port = dispatcher.target.rpartition(":")[2]
        logging.info("Dispatcher at grpc://%s:%s", values.host, port)
    elif values.journal is not None:
        raise ValueError("--journal is for the dispatcher, and --dispatcher makes a worker.")
    else:
        worker = data.start_worker(values.dispatcher, values.port, host=values.host)  # noqa: F841
        logging.info("Worker for the dispatcher at %s", values.dispatcher)
    threading.Event().wait()  # the server works in its own threads, while something names it

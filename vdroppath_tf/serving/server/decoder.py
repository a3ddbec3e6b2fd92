"""The program of a process that decodes videos for a server; see ``decoders``."""

from __future__ import annotations

import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

from vdroppath_tf.data.sources.deadline import decode_until


def main(descriptor: int) -> None:
    """Calls functions for the server until it closes the connection or ends.

    Args:
        descriptor: The connection to the server, a file descriptor that this process inherited.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which then closes it
    with Connection(descriptor) as server:
        while True:
            try:
                function, arguments, end = server.recv()
            except (EOFError, ConnectionError):
                return
            reply = _reply(function, arguments, end)
            try:
                server.send(reply)
            except ConnectionError:
                return


def _reply(function: Any, arguments: Any, end: float) -> tuple[Any, Exception | None, str]:
    """Returns the result, or the error and its traceback as text."""
    try:
        with decode_until(end):
            return function(*arguments), None, ""
    except Exception as error:  # all of them: the server raises it for the request
        return None, error, traceback.format_exc()

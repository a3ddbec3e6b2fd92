"""Processes in which a server decodes videos, each fed by one thread of the server at a time.

Threads of one process decode hardly faster than one of them, since each needs Python's global lock
some hundred times for a video; and a file that crashes FFmpeg costs its own request only. Functions
and results are pickled between these processes and the server, which have the same rights; nothing
that was sent to the server is unpickled.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from vdroppath_tf.data.sources.container import LateVideoError, VideoError

_Result = TypeVar("_Result")
_PROGRAM = "vdroppath_tf.serving.server.decoder"
_GRACE = 5.0
"""Seconds after a deadline when its process is ended; deadlines are checked between packets."""


class DecoderTracebackError(Exception):
    """The traceback of an error in another process, as text: the cause of that error."""


class Decoders:
    """Several processes; each is started at once, and again if it ends.

    Args:
        count: The number of processes.
    """

    def __init__(self, count: int) -> None:
        self._all = [_Decoder() for _ in range(count)]
        self._free: queue.SimpleQueue[_Decoder] = queue.SimpleQueue()
        for decoder in self._all:
            self._free.put(decoder)

    def call(self, function: Callable[..., _Result], *arguments: Any, end: float) -> _Result:
        """Calls a function of a module in a free process; waits until there is one.

        Args:
            function: The function.
            *arguments: Its arguments.
            end: The deadline of ``decode_until``, which holds in the process.

        Raises:
            VideoError: If the process ended meanwhile.
            LateVideoError: If there is no result in time.
        """
        decoder = self._free.get()
        try:
            return decoder.call(function, arguments, end)
        finally:
            self._free.put(decoder)

    def close(self) -> None:
        """Ends the processes; none may be in use."""
        for decoder in self._all:
            decoder.close()


class _Decoder:
    """One process and the connection to it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            code = f"import sys; sys.path[:] = {sys.path!r}; import {_PROGRAM} as program; "
            command = [sys.executable, "-c", f"{code}program.main({theirs.fileno()})"]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], end: float) -> Any:
        if self._process.poll() is not None:  # it was killed while it had nothing to do
            self._start_again()
        try:
            self._connection.send((function, arguments, end))
            if not self._connection.poll(max(0.0, end - time.monotonic()) + _GRACE):
                self._start_again()
                raise LateVideoError("video: decoding took longer than allowed.")
            value, error, traceback = self._connection.recv()
        except (EOFError, OSError):  # before or in the middle of a message
            self._start_again()
            raise VideoError(
                "video: the process that decoded it was killed: the file is damaged, or decoding "
                "takes too much memory. Copy or convert it again."
            ) from None
        if error is not None:
            raise error from DecoderTracebackError(f"\n{traceback}")
        return value

    def close(self) -> None:
        self._connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._process.kill()
        self._process.wait()

    def _start_again(self) -> None:
        self._process.kill()
        self.close()
        self._start()

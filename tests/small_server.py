"""A real server on loopback with a network of a few lines of numpy: for what is around it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import uvicorn

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.serving.server.app import application
from vdroppath_tf.serving.server.limits import Limits
from vdroppath_tf.serving.server.run import listen, server_config
from vdroppath_tf.serving.server.versions import Models


class BrightNetwork:
    """Its class is how bright a clip is: dark, grey or light."""

    labels = ("dark", "grey", "light")
    sampling = ClipSampling(4, 2, short_edge=16, crop=16, clips_per_video=2)
    channels = 3

    def __init__(self, path: Path) -> None:
        self.text = (path / "model").read_text()
        if self.text == "broken":
            raise ValueError("this version is broken")

    def answer(self, clips: np.ndarray) -> np.ndarray:
        if clips.shape[1:] != (4, 16, 16, 3):
            raise ValueError(f"clips of another shape: {clips.shape}")
        distance = np.abs(clips.mean((1, 2, 3, 4))[:, None] / 255 - [[0, 0.5, 1]])
        weights = np.exp(-20 * distance)
        return weights / weights.sum(1, keepdims=True)


def write_version(folder: Path, number: int, text: str = "") -> None:
    """Puts a version in its place whole, as ``vdroppath export`` does."""
    new = folder / f".{number}"
    new.mkdir(parents=True)
    (new / "model").write_text(text)
    new.rename(folder / str(number))


class Served(NamedTuple):
    port: int
    models: Models
    server: uvicorn.Server

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the answer, JSON where it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
            kind = response.getheader("content-type", "")
            return response.status, json.loads(data) if "json" in kind else data

    def post(self, body: Any, kind: str = "video/mp4", path: str = "/predict") -> tuple[int, Any]:
        """What is answered to a body."""
        return self.request("POST", path, body, {"Content-Type": kind})

    def raw(self, data: bytes) -> bytes:
        """What comes back for bytes that need not be HTTP, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sent:
            found = b""
            with contextlib.suppress(OSError):
                sent.sendall(data)
                sent.shutdown(socket.SHUT_WR)
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while more := sent.recv(65536):
                    found += more
            return found


@contextlib.contextmanager
def serving(folder: Path, limits: Limits, *, load: Any = BrightNetwork) -> Iterator[Served]:
    """A server in a thread, on a free port."""
    models = Models({"bright": folder}, load)
    app = application(models, limits, poll_seconds=0.1)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(server_config(app, limits))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    served = Served(listening.getsockname()[1], models, server)
    try:
        for _ in range(200):
            if server.started:
                break
            time.sleep(0.02)
        yield served
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()

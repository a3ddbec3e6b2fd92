"""A web server on 127.0.0.1 that has ranges, and every fault a test asks for by its path."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATA = bytes(range(256)) * 40  # what every path holds


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        self.server.asked.append((name, dict(self.headers)))
        if name == "busy" and len(self.server.asked) < 3:
            return self._answer(503, b"")
        if name == "always-busy":
            return self._answer(500, b"")
        if name in ("401", "403", "404"):
            return self._answer(int(name), b"")
        if name.startswith("to/"):
            return self._answer(302, b"", {"Location": self.server.targets[name]})
        if name == "drip":
            return self._drip()
        if name == "gzip":
            return self._answer(200, DATA, {"Content-Encoding": "gzip"})
        if name == "breaks" and len(self.server.asked) < 2:
            return self._answer(200, DATA[:10], length=len(DATA))
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None or name == "no-ranges":
            return self._answer(200, DATA)
        first, last = int(asked[1]), min(int(asked[2]), len(DATA) - 1)
        if first >= len(DATA):
            return self._answer(416, b"")
        shift = 1 if name == "wrong-range" else 0
        where = f"bytes {first + shift}-{last + shift}/{len(DATA)}"
        return self._answer(206, DATA[first : last + 1], {"Content-Range": where})

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int = -1
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        self.wfile.write(body)
        if length >= 0:
            self.close_connection = True

    def _drip(self) -> None:
        """A byte every 20 ms, until the reader has enough of it."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for byte in DATA:
                self.wfile.write(bytes([byte]))
                time.sleep(0.02)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Tests say what happened."""


class FolderHandler(BaseHTTPRequestHandler):
    """Files below a folder, whole or in ranges, for those who are let in."""

    server: FolderServer

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.strip("/")
        file = self.server.folder / name
        if not self.lets_in():
            return self.send_error(403)
        if not file.is_file():
            return self.send_error(404)
        data = whole = file.read_bytes()
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(found[1]), min(int(found[2]), len(whole) - 1)
            data = whole[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
        else:
            self.send_response(200)
        self.server.asked.append((name, len(data)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None

    def lets_in(self) -> bool:
        """Whether whoever asks may read."""
        return True

    def log_message(self, *_: Any) -> None:
        """Tests say what happened."""


class FolderServer(ThreadingHTTPServer):
    """Serves the files below a folder. `asked`: each file sent, and how many bytes of it."""

    daemon_threads = True

    def __init__(self, folder: Path, handler: type[FolderHandler] = FolderHandler) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.folder = folder
        self.asked: list[tuple[str, int]] = []


class Web(ThreadingHTTPServer):
    """`asked`: what came, in order; `targets`: where each `to/...` path redirects."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.targets: dict[str, str] = {}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


@contextmanager
def web_server() -> Iterator[Web]:
    server = Web()
    with running(server):
        yield server


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """A server at work in a thread."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()

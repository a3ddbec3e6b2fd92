"""Runs a server in this process, with uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from vdroppath_tf.names import named
from vdroppath_tf.serving.server.limits import Limits

HEAD_SECONDS = 10.0
"""The time in seconds in which the head of a request must arrive."""
_IDLE_SECONDS = 15
_MORE_CONNECTIONS = 256  # beyond the waiting requests: for health checks, metrics and refusals


class HeadTimeProtocol(H11Protocol):
    """Closes connections on which the head of a request takes too long; uvicorn has no limit."""

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._forget_head()
        elif self._head is None and (before is None or before.response_complete):
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def listen(host: str, port: int) -> socket.socket:
    """Returns a listening socket.

    An answer is written in two pieces, and the second would wait 40 ms for the client's
    acknowledgement of the first. asyncio disables that only for sockets that declare TCP.

    Raises:
        OSError: If the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise OSError(
            f"cannot listen at host={host}, port={port} ({error.strerror or error}). Pass another "
            "port, or 0 for a free one."
        ) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    return listening


def server_config(app: Any, limits: Limits) -> uvicorn.Config:
    """Returns the configuration of uvicorn for an application."""
    return uvicorn.Config(
        app,
        http=HeadTimeProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=int(limits.max_seconds) + 1,
        limit_concurrency=limits.max_waiting + _MORE_CONNECTIONS,
    )


class Server(uvicorn.Server):
    """A server that tells when it begins to stop, which can take as long as a request.

    Args:
        config: The configuration.
        on_stop: A function that is called then.
    """

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


@named
def run_server(
    app: Any,
    limits: Limits,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    on_start: Callable[[str], object] = lambda address: None,
    on_stop: Callable[[], object] = lambda: None,
) -> None:
    """Serves until SIGINT or SIGTERM, and then answers the requests in progress.

    Args:
        app: The result of ``application``.
        limits: Limits, those of the application.
        host: str, the address to listen on. Defaults to ``"127.0.0.1"``: this machine only.
        port: int, the port; 0 takes a free one. Defaults to 8000.
        on_start: Callable that receives the address as soon as connections are accepted.
        on_stop: Callable that is called as soon as the server stops accepting connections.

    Raises:
        OSError: If the address cannot be listened on.

    Example:
        ```python
        models = Models({"video": Path("served")}, vdroppath_tf.serving.load_artefact)
        run_server(application(models, limits), limits, port=8080, on_start=print)
        ```
    """
    listening = listen(host, port)
    shown = host if ":" not in host else f"[{host}]"
    on_start(f"http://{shown}:{listening.getsockname()[1]}")
    Server(server_config(app, limits), on_stop).run(sockets=[listening])

"""A server in this process, on uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from vdroppath_tf.names import named
from vdroppath_tf.serving.server.limits import Limits

_HEADER_SECONDS = 10.0
_IDLE_SECONDS = 15
_MORE_CONNECTIONS = 256  # than requests that may wait: for health, metrics and refusals


class PatientProtocol(H11Protocol):
    """Closes connections on which no whole head of a request comes; uvicorn waits for ever."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head = asyncio.get_running_loop().call_later(_HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.cancel()
        super().connection_lost(exc)


def server_config(app: Any, limits: Limits) -> uvicorn.Config:
    """How uvicorn serves an application."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
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


@named
def run_server(
    app: Any,
    limits: Limits,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    on_start: Callable[[str], object] = lambda address: None,
) -> None:
    """Serves until SIGINT or SIGTERM; what was taken by then is answered.

    Args:
        app: What ``application`` gave.
        limits: Limits, those of the application.
        host: str, the address to listen at. Defaults to ``"127.0.0.1"``: this machine only.
        port: int, the port; 0 takes a free one. Defaults to 8000.
        on_start: A callable that is given the address, once connections are taken.

    Raises:
        OSError: If the address cannot be listened at.
    """
    listening = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
    )
    shown = host if ":" not in host else f"[{host}]"
    on_start(f"http://{shown}:{listening.getsockname()[1]}")
    uvicorn.Server(server_config(app, limits)).run(sockets=[listening])

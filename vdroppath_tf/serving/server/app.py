"""The routes of a server: a thin layer of Starlette over ``Pipeline`` and ``Models``."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from absl import logging
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vdroppath_tf.names import named
from vdroppath_tf.serving.server.asked import asked_of
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.metrics import CONTENT_TYPE, Metrics
from vdroppath_tf.serving.server.page import page
from vdroppath_tf.serving.server.pipeline import Pipeline
from vdroppath_tf.serving.server.receiving import RefusalResponse, received
from vdroppath_tf.serving.server.versions import Models, watch

_LOOPBACK = ("localhost", "127.0.0.1")


@named
def application(
    models: Models,
    limits: Limits | None = None,
    *,
    poll_seconds: float = 5.0,
    any_host: bool = False,
) -> Starlette:
    """Makes an ASGI application that answers for videos; any ASGI server can run it.

    Args:
        models: Models, the networks.
        limits: Limits of requests. Defaults to ``Limits()``.
        poll_seconds: float, the interval of looking for new versions. Defaults to 5.
        any_host: bool, whether requests may address this server by any host name. If not, a foreign
            web page in a local browser cannot send requests under a name of its choice. Defaults to
            False.

    Returns:
        A ``Starlette`` application. See docs/serve.md for its routes.

    Example:
        ```python
        import uvicorn

        models = Models({"video": Path("served")}, vdroppath_tf.serving.load_artefact)
        uvicorn.run(application(models))
        ```
    """
    server = _Server(models, Limits() if limits is None else limits, poll_seconds)
    predict = server.predict
    routes = [
        Route("/", server.page),
        Route("/healthz", server.alive),
        Route("/readyz", server.ready),
        Route("/metrics", server.metrics_text),
        Route("/predict", predict, methods=["POST"]),
        Route("/v1/models", server.all_models),
        Route("/v1/models/{name}/versions/{number:int}:predict", predict, methods=["POST"]),
        Route("/v1/models/{name}:predict", predict, methods=["POST"]),
        Route("/v1/models/{name}", server.one_model),
    ]
    hosts = [] if any_host else [Middleware(TrustedHostMiddleware, list(_LOOPBACK))]
    handlers: Any = {RefusedError: _refused, HTTPException: _not_there, Exception: _broken}
    return Starlette(
        routes=routes, middleware=hosts, exception_handlers=handlers, lifespan=server.lifespan
    )


class _Server:
    """The state that the routes share."""

    def __init__(self, models: Models, limits: Limits, poll_seconds: float) -> None:
        self.models, self.limits, self._poll = models, limits, poll_seconds
        self.metrics = Metrics()
        self._pipeline: Pipeline | None = None
        self._folder = Path()

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Starts and stops the threads and the folder of uploads with the server."""
        stop = threading.Event()
        watcher = threading.Thread(target=watch, args=(self.models, self._poll, stop), daemon=True)
        with tempfile.TemporaryDirectory(prefix="vdroppath-") as folder:
            self._folder = Path(folder)
            self._pipeline = Pipeline(self.limits, self.metrics)
            watcher.start()
            try:
                yield
            finally:
                stop.set()
                pipeline, self._pipeline = self._pipeline, None
                pipeline.close()

    async def predict(self, request: Request) -> Response:
        """Answers an upload."""
        pipeline = self._pipeline
        params = request.path_params
        version = self.models.get(params.get("name"), params.get("number"))
        try:
            if pipeline is None:
                raise RefusedError(503, "closing", "The server is shutting down.")
            with pipeline.admitted() as end:
                async with received(request, self._folder, self.limits, end) as (body, fields):
                    self.metrics.received.inc(body.file.stat().st_size if not body.pictures else 0)
                    asked = asked_of({**dict(request.query_params), **fields})
                    found = await pipeline.answer(version, body, asked, end)
        except RefusedError as refusal:
            self.metrics.requests.labels(version.model, str(refusal.status)).inc()
            raise
        self.metrics.requests.labels(version.model, "200").inc()
        return JSONResponse(found)

    async def page(self, request: Request) -> Response:
        """Returns the page for people."""
        return HTMLResponse(page(), headers=PAGE_HEADERS)

    async def alive(self, request: Request) -> Response:
        """Returns that the process is alive."""
        return PlainTextResponse("alive\n")

    async def ready(self, request: Request) -> Response:
        """Returns whether the server takes requests."""
        closing = self._pipeline is None
        return PlainTextResponse("closing\n" if closing else "ready\n", 503 if closing else 200)

    async def metrics_text(self, request: Request) -> Response:
        """Returns the metrics for Prometheus."""
        for name in self.models.names:
            self.metrics.version.labels(name).set(self.models.versions(name)[0].number)
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)

    async def all_models(self, request: Request) -> Response:
        """Lists the models."""
        return JSONResponse({"models": [self._model(name) for name in self.models.names]})

    async def one_model(self, request: Request) -> Response:
        """Describes one model: its versions, its classes, and its clips."""
        return JSONResponse(self._model(request.path_params["name"]))

    def _model(self, name: str) -> dict[str, Any]:
        versions = self.models.versions(name)
        network = versions[0].network
        sampling = network.sampling
        return {
            "name": name,
            "versions": [version.number for version in versions],
            "format": getattr(network, "format", "saved_model"),
            "labels": list(network.labels),
            "clip": {"frames": sampling.frames, "stride": sampling.stride, "fps": sampling.fps},
            "views": sampling.views("test"),
        }


PAGE_HEADERS = {
    # The page loads nothing from elsewhere, and sends nothing elsewhere.
    "content-security-policy": (
        "default-src 'none'; connect-src 'self'; img-src data:; media-src blob:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


async def _refused(request: Request, refusal: RefusedError) -> Response:
    return RefusalResponse(refusal)


async def _not_there(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    said = f"{request.method} {request.url.path[:200]}: {getattr(error, 'detail', 'not found')}."
    return RefusalResponse(RefusedError(status, "address", said))


async def _broken(request: Request, error: Exception) -> Response:
    """Reports an internal error without details, which only the log has."""
    logging.exception("%s %s failed", request.method, request.url.path)
    refusal = RefusedError(500, "broken", "Internal error; see the log of the server.")
    return RefusalResponse(refusal)

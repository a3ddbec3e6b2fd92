"""Reads the body of a request, limited in bytes and time, into a temporary file."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from vdroppath_tf.serving.server.bodies import FORM, VIDEO, Body, kind_of
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.within import within

_MAX_FIELDS = 16
_LINGER = 2.0
"""Seconds for which a refused body is still read, or the client may never receive the reason."""
_numbers = itertools.count()


@contextlib.asynccontextmanager
async def received(
    request: Request, folder: Path, limits: Limits, end: float
) -> AsyncIterator[tuple[Body, dict[str, str]]]:
    """Yields the body of a request, in a file that is deleted afterwards, and the form's fields.

    Raises:
        RefusedError: If it is too large, too slow, of an unsupported type, or invalid.
    """
    kind = kind_of(request.headers.get("content-type", ""))
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.max_bytes:
        raise _too_large(limits)
    file = folder / f"{next(_numbers)}.sent"
    chunks = _chunks(request, limits)
    try:
        try:
            async with within(end):
                if kind == FORM:
                    sent = await _form(request.headers, chunks, file, limits)
                else:
                    sent = await _plain(kind, chunks, file), {}
        except TimeoutError:
            raise RefusedError(
                408, "too_slow", f"The body did not arrive within {limits.max_seconds:g} s."
            ) from None
        yield sent
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file)


async def _chunks(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    total = 0
    try:
        async for chunk in request.stream():
            total += len(chunk)
            if total > limits.max_bytes:
                raise _too_large(limits)
            yield chunk
    except ClientDisconnect:
        raise RefusedError(400, "gone", "The client closed the connection.") from None


async def _plain(kind: str, chunks: AsyncGenerator[bytes, None], file: Path) -> Body:
    with open(file, "xb") as held:
        async for chunk in chunks:
            held.write(chunk)
    return Body(kind, file)


async def _form(
    headers: Headers, chunks: AsyncGenerator[bytes, None], file: Path, limits: Limits
) -> tuple[Body, dict[str, str]]:
    parser = MultiPartParser(
        headers, chunks, max_files=limits.max_frames, max_fields=_MAX_FIELDS, max_part_size=1 << 16
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        said = getattr(error, "message", None) or str(error)
        raise RefusedError(400, "bad_form", f"The form cannot be read ({said}).") from None
    try:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [(name, value) for name, value in form.multi_items() if name not in fields]
        names = {name for name, _ in files}
        if names == {"video"} and len(files) == 1:
            await asyncio.to_thread(_keep, files[0][1], file)
            return Body(VIDEO, file), fields
        if names == {"frames"}:
            pictures = [await value.read() for _, value in files if isinstance(value, UploadFile)]
            return Body(VIDEO, file, tuple(pictures)), fields
    finally:
        await form.close()
    raise RefusedError(
        400,
        "bad_form",
        "Expected one file named video, or the pictures of a video as files named frames. "
        f"Received: {', '.join(sorted(names)) or 'no file'}.",
    )


def _keep(sent: Any, file: Path) -> None:
    with open(file, "xb") as held:
        shutil.copyfileobj(sent.file, held)


def _too_large(limits: Limits) -> RefusedError:
    return RefusedError(
        413, "too_large", f"The body has more than {limits.max_bytes:,} bytes. Send a shorter one."
    )


class RefusalResponse(JSONResponse):
    """A refusal that reads the body for a while, so that a client that is sending receives it."""

    def __init__(self, refusal: RefusedError) -> None:
        headers = {"connection": "close"}
        if refusal.status == 429:
            headers["retry-after"] = "1"
        content = {"error": {"code": refusal.code, "message": refusal.message}}
        super().__init__(content, refusal.status, headers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(_rest(receive), _LINGER)
        await send({"type": "http.response.body", "body": b""})


async def _rest(receive: Any) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return

"""The body of a request: bytes of a video, pictures or arrays. It cannot name a file."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.sent import Bounds, SentArray, SentPictures, SentVideo
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.files import open_regular, parse_json
from vdroppath_tf.serving.server.limits import Limits, RefusedError

VIDEO, NUMPY, JSON, FORM = "video", "npy", "json", "form"
_KINDS = {
    "application/octet-stream": VIDEO,
    "application/mp4": VIDEO,
    "application/x-matroska": VIDEO,
    "image/apng": VIDEO,
    "image/gif": VIDEO,
    "image/webp": VIDEO,
    "application/x-npy": NUMPY,
    "application/json": JSON,
    "multipart/form-data": FORM,
}
_JSON_FIELDS = ("video", "frames", "clips")
_MAX_VIEWS = 256


@dataclasses.dataclass(frozen=True)
class Body:
    """The body of a request.

    Attributes:
        kind: ``VIDEO``, ``NUMPY`` or ``JSON``, also for the contents of a form.
        file: The temporary file with the bytes.
        pictures: For a form with ``frames``, the encoded pictures. Defaults to ().
    """

    kind: str
    file: Path
    pictures: tuple[bytes, ...] = ()


def kind_of(content_type: str) -> str:
    """Returns the kind of a body by its media type; without one, it is taken for a video.

    Raises:
        RefusedError: If the type is not supported.
    """
    plain = content_type.partition(";")[0].strip().lower()
    if not plain or plain.startswith("video/"):
        return VIDEO
    if plain not in _KINDS:
        raise RefusedError(
            415,
            "media_type",
            f"Content-Type is {plain!r}. Expected video/*, application/octet-stream, "
            "multipart/form-data, application/json or application/x-npy. Name that of the body in "
            "a header; with curl, -H 'Content-Type: video/mp4'.",
        )
    return _KINDS[plain]


def opened(body: Body, limits: Limits, fps: float | None) -> VideoEntry | np.ndarray:
    """Opens a body as a video, or as ready-made clips, uint8 ``(views, time, ...)``.

    Raises:
        RefusedError: If the body is invalid.
        VideoError: If the video is too large.
    """
    bounds = Bounds(limits.max_pixels, limits.max_frames)
    if body.pictures:
        return _entry(SentPictures(body.pictures, bounds), fps)
    if body.kind == NUMPY:
        return _of_numbers(_load_npy(body.file), bounds, fps)
    if body.kind == JSON:
        return _of_json(body, bounds, limits, fps)
    if not body.file.stat().st_size:
        raise RefusedError(400, "empty", "The body is empty. Expected the bytes of a video file.")
    return _entry(SentVideo(str(body.file), bounds), fps)


def _entry(source: FrameSource, fps: float | None) -> VideoEntry:
    return VideoEntry(source, 0, None, "request", "video", fps=fps)


def _of_numbers(numbers: np.ndarray, bounds: Bounds, fps: float | None) -> Any:
    """Returns a video (4 axes), or clips for the network (5 axes), from an array."""
    if numbers.ndim != 5:
        return _entry(SentArray(numbers, bounds), fps)
    if numbers.dtype != np.uint8 or not 0 < len(numbers) <= _MAX_VIEWS:
        raise RefusedError(
            422,
            "clips",
            f"Clips must be uint8 (views, time, height, width, channels), 1 to {_MAX_VIEWS} views. "
            f"Received: {numbers.dtype} {numbers.shape}.",
        )
    return numbers


def _load_npy(file: Path) -> np.ndarray:
    try:
        with open_regular(file) as held:
            return np.load(held, allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        said = str(error).split("\n")[0]
        raise RefusedError(
            400, "bad_npy", f"The body is not an array that numpy.save wrote ({said})."
        ) from None


def _of_json(body: Body, bounds: Bounds, limits: Limits, fps: float | None) -> Any:
    try:
        fields = parse_json(body.file.read_bytes())
    except ValueError as error:
        raise RefusedError(400, "bad_json", f"The body is not JSON ({error}).") from None
    given = [name for name in _JSON_FIELDS if isinstance(fields, dict) and name in fields]
    if not isinstance(fields, dict) or len(given) != 1 or len(fields) != 1:
        raise RefusedError(
            400,
            "bad_json",
            'Expected an object with one of "video" (base64), "frames" (a list of base64 pictures) '
            'or "clips" (numbers 0 to 255, nested as views, time, height, width, channels). Other '
            "options are query parameters, such as ?top=5.",
        )
    value = fields[given[0]]
    if given[0] == "video":
        body.file.write_bytes(_bytes_of(value, "video"))
        return opened(dataclasses.replace(body, kind=VIDEO), limits, fps)
    if given[0] == "frames":
        if not isinstance(value, list) or not value:
            raise RefusedError(400, "bad_json", '"frames" must be a list of at least one picture.')
        pictures = tuple(_bytes_of(each, f"frames[{k}]") for k, each in enumerate(value))
        return _entry(SentPictures(pictures, bounds), fps)
    return _of_numbers(_numbers_of(value), bounds, fps)


def _bytes_of(value: object, name: str) -> bytes:
    if not isinstance(value, str):
        raise RefusedError(400, "bad_json", f'"{name}" must be text, the bytes in base64.')
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(
            400,
            "bad_base64",
            f'"{name}" is not base64. Expected the bytes themselves: URLs and names of files '
            "are not followed.",
        ) from None


def _numbers_of(value: object) -> np.ndarray:
    try:
        numbers = np.asarray(value)
        whole = numbers.dtype.kind in "iu"
    except (ValueError, OverflowError):
        whole = False
    if not whole or numbers.size == 0 or numbers.min() < 0 or numbers.max() > 255:
        raise RefusedError(
            422,
            "clips",
            '"clips" must be whole numbers from 0 to 255, nested with equal lengths at each depth.',
        )
    return numbers.astype(np.uint8)


def npy_bytes(array: np.ndarray) -> bytes:
    """Encodes an array as the body of a request."""
    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    return held.getvalue()

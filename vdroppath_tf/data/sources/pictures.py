"""Videos that are stored as one picture for each frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.jpeg import SOI, jpeg_orientation, jpeg_size, read_jpeg
from vdroppath_tf.data.sources.png import SIGNATURE, png_orientation, png_size, read_png
from vdroppath_tf.data.sources.source import Box, FrameRequest, cut
from vdroppath_tf.data.sources.still_formats import format_of, read_still, still_size
from vdroppath_tf.names import named


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """Returns `(height, width)` of a picture, see `jpeg_size`; its first bytes give its format."""
    if data[:2] == SOI:
        return jpeg_size(data, name)
    if data[:8] == SIGNATURE:
        return png_size(data, name)
    format = format_of(data)
    return jpeg_size(data, name) if format is None else still_size(data, name, format)


def picture_orientation(data: bytes, name: str) -> int:
    """Returns the orientation of a picture, see `orientation`."""
    if data[:8] == SIGNATURE:
        return png_orientation(data)
    format = format_of(data)
    return jpeg_orientation(data, name) if format is None else format.orientation(data)


@named
def read_picture(
    data: bytes,
    name: str,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a picture of any supported format, see `read_jpeg`."""
    if data[:2] != SOI and (format := format_of(data)) is not None:
        return read_still(data, name, format, short_edge=short_edge, box=box, channels=channels)
    read = read_png if data[:8] == SIGNATURE else read_jpeg
    return read(data, name, short_edge=short_edge, box=box, channels=channels)


@named
def read_pictures(
    request: FrameRequest, load: Callable[[int], tuple[bytes, str]], *, channels: int = 3
) -> np.ndarray:
    """Decodes the frames of a request, each stored as a picture.

    Args:
        request: The frames to read, their scale and the part of them.
        load: Returns a frame's encoded picture and its name for errors.
        channels: See `read_jpeg`. Defaults to 3.

    Returns:
        uint8 `(n, *request.size, channels)`.

    Raises:
        VideoError: If a frame is damaged, or has another size than the first.
    """
    info = request.info

    def one(frame: int) -> np.ndarray:
        data, name = load(frame)
        found = picture_size(data, name)
        if found != (info.height, info.width):
            raise VideoError(
                f"{name}: is {found[1]}x{found[0]} pixels, but the first frame of {request.path} "
                f"is {info.width}x{info.height}. Expected frames of one size: extract them again."
            )
        return read_picture(data, name, short_edge=request.short_edge, channels=channels)

    return gather(request, one, channels=channels)


@named
def gather(
    request: FrameRequest, one: Callable[[int], np.ndarray], *, channels: int = 3
) -> np.ndarray:
    """Collects the frames of a request one by one.

    Args:
        request: The frames to read.
        one: Returns one frame, scaled, uint8 `(height, width, channels)`.
        channels: The number of channels. Defaults to 3.

    Returns:
        uint8 `(n, *request.size, channels)`.
    """
    frames = np.empty((len(request.frames), *request.size, channels), np.uint8)
    for slot, frame in enumerate(request.frames.tolist()):
        frames[slot] = cut(one(frame)[None], request.box)[0]
    return frames

"""Videos that are kept as one picture for each frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vdroppath_tf.data.container import VideoError
from vdroppath_tf.data.decode import check_room, distinct_frames, scaled_size
from vdroppath_tf.data.frame_source import Box, FrameInfo, Indices, cut
from vdroppath_tf.data.jpeg import jpeg_size, read_jpeg
from vdroppath_tf.data.png import SIGNATURE, png_size, read_png


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """`(height, width)` of a JPEG or PNG picture, see `jpeg_size`."""
    return png_size(data, name) if data[:8] == SIGNATURE else jpeg_size(data, name)


def read_picture(
    data: bytes,
    name: str,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a JPEG or PNG picture, see `read_jpeg`."""
    read = read_png if data[:8] == SIGNATURE else read_jpeg
    return read(data, name, short_edge=short_edge, box=box, channels=channels)


def read_pictures(
    path: str,
    indices: Indices,
    info: FrameInfo,
    load: Callable[[int], tuple[bytes, str]],
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes frames that are pictures, each distinct one once.

    Args:
        path: what holds them; errors call it that.
        indices: frame numbers from 0, in any order, repeats allowed.
        info: how many frames there are and the size that all of them have.
        load: gives a frame's encoded picture, and what errors call it.
        short_edge, box, channels: see `read_jpeg`.

    Returns:
        uint8 `(n, height, width, channels)` in the order of `indices`.

    Raises:
        VideoError: a frame is not there, is damaged, or has another size.
    """

    def one(frame: int) -> np.ndarray:
        data, name = load(frame)
        found = picture_size(data, name)
        if found != (info.height, info.width):
            raise VideoError(
                f"{name}: is {found[1]}x{found[0]} pixels, but the first frame of {path} is "
                f"{info.width}x{info.height}. Expected frames of one size: extract them again."
            )
        return read_picture(data, name, short_edge=short_edge, channels=channels)

    return gather(path, indices, info, one, short_edge=short_edge, box=box, channels=channels)


def gather(
    path: str,
    indices: Indices,
    info: FrameInfo,
    one: Callable[[int], np.ndarray],
    *,
    short_edge: int | None,
    box: Box | None,
    channels: int = 3,
) -> np.ndarray:
    """Frames that are found one by one, each distinct one once.

    Args:
        path, indices, info, short_edge, box, channels: see `read_pictures`.
        one: gives a frame, scaled, uint8 `(height, width, channels)`.
    """
    wanted, places = distinct_frames(path, indices, info.num_frames)
    height, width = scaled_size(info.height, info.width, short_edge)
    if box is not None:
        height, width = box.height, box.width
    check_room(path, len(places), height, width)
    frames = np.empty((len(wanted), height, width, channels), np.uint8)
    for slot, frame in enumerate(wanted.tolist()):
        frames[slot] = cut(one(frame)[None], box)[0]
    return frames if np.array_equal(places, np.arange(len(wanted))) else frames[places]

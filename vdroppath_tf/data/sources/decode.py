"""Decodes exact frames of a video file by number, for any container, frame rate and B-frames."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import av
import numpy as np

from vdroppath_tf.data.sources.container import VideoError, blame_the_end, open_video
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.data.sources.index import index_video
from vdroppath_tf.data.sources.orientation import shown_size, upright
from vdroppath_tf.data.sources.request import FrameRequest, Indices, scaled_size
from vdroppath_tf.data.sources.resize import Scaler
from vdroppath_tf.data.sources.shown import frames_after_seek, frames_of
from vdroppath_tf.names import named

__all__ = ["FrameIndex", "VideoError", "index_video", "read_frames", "scaled_size"]

_Opening: TypeAlias = Callable[[], AbstractContextManager[tuple[Any, Any]]]

_WORTH_SEEKING = 8  # frames; a seek resets the decoder, so shorter gaps are decoded through
_FIRST_STEP_BACK = 16  # frames


@named
def read_frames(
    path: str | os.PathLike[str],
    indices: Indices,
    *,
    index: FrameIndex | None = None,
    video_stream: int | None = None,
    short_edge: int | None = None,
) -> np.ndarray:
    """Decodes the frames with the given numbers, each distinct one once. Thread safe.

    Args:
        path: The video file.
        indices: The frame numbers from 0, `(n,)` with n >= 1, in any order, with or without
            repetitions.
        index: The result of `index_video` for the file; frames are scaled to its size. Defaults to
            None: the file is indexed here.
        video_stream: See `index_video`.
        short_edge: The length of the shorter side in pixels, to which frames are scaled (bilinear,
            the aspect ratio is kept). Defaults to None, the stored size.

    Returns:
        RGB frames as they are shown, in the order of `indices`, uint8 `(n, height, width, 3)`.

    Raises:
        VideoError: If the file cannot be read or lacks a frame; the message names both.

    Example:
        ```python
        clip = read_frames("dance.mp4", range(0, 32, 2), short_edge=256)  # (16, 256, width, 3)
        ```
    """
    name = os.path.abspath(path)
    if index is None:
        index = index_video(name, video_stream=video_stream)
    request = FrameRequest(name, index, indices, short_edge=short_edge)
    frames = np.empty((len(request.frames), *request.size, 3), np.uint8)
    store = _storer(frames, index.orientation)
    opening = functools.partial(open_video, name, video_stream)
    if index.exact:
        _read_by_pts(name, opening, request.frames, index, store)
    else:
        _read_by_count(name, opening, request.frames, index, store)
    return request.in_order(frames)


def _storer(frames: np.ndarray, orientation: int) -> Callable[[int, Any], None]:
    """Returns a function that scales a decoded frame, turns it and stores it in a slot."""
    height, width = shown_size(frames.shape[1], frames.shape[2], orientation)
    scaler = Scaler()

    def store(slot: int, frame: Any) -> None:
        frames[slot] = upright(scaler(frame, height, width, "rgb24"), orientation)

    return store


def _read_by_count(
    path: str,
    opening: _Opening,
    wanted: np.ndarray,
    index: FrameIndex,
    store: Callable[[int, Any], None],
) -> None:
    slot = number = 0
    damaged = False  # whether the frame, or one that it depends on, was partly made up
    with opening() as (container, stream):
        for number, frame in enumerate(frames_of(container, stream, index)):
            damaged = frame.is_corrupt or (damaged and not frame.key_frame)
            if number == wanted[slot]:
                if damaged:
                    break
                store(slot, frame)
                slot += 1
                if slot == len(wanted):
                    return
    raise _missing(path, int(wanted[slot]))


def _read_by_pts(
    path: str,
    opening: _Opening,
    wanted: np.ndarray,
    index: FrameIndex,
    store: Callable[[int, Any], None],
) -> None:
    """Seeks before the next wanted frame and decodes; starts earlier if the seek overshot."""
    slot = back = 0
    while slot < len(wanted):
        start = index.keyframe_before(max(0, int(wanted[slot]) - back))
        with opening() as (container, stream):
            if start == 0:  # a new reader is at the first frame; seeking there can miss it
                decoded = frames_of(container, stream, index)
            else:
                decoded = _decode_after_seek(container, stream, index, start)
            reached = _take(decoded, slot, start, wanted, index, store)
        if start == 0 and reached == slot:
            raise _missing(path, int(wanted[slot]))
        back = 0 if reached > slot else max(_FIRST_STEP_BACK, 2 * back)
        slot = reached


def _decode_after_seek(container: Any, stream: Any, index: FrameIndex, start: int) -> Iterator[Any]:
    """Yields frames from the keyframe at or before `start`; ends early if that fails."""
    try:
        container.seek(int(index.pts[start]), stream=stream, backward=True)
        yield from frames_after_seek(container, stream, index)
    except (
        av.error.FFmpegError
    ):  # the seek ended inside a damaged or open group: the caller starts earlier
        return


def _take(
    decoded: Iterable[Any],
    slot: int,
    start: int,
    wanted: np.ndarray,
    index: FrameIndex,
    store: Callable[[int, Any], None],
) -> int:
    """Stores wanted frames as long as they come in order; returns the first slot still empty.

    A decoder marks a frame that it made up in part, but not the frames that depend on it. Neither
    are stored.
    """
    whole_from = index.pts[index.first_keyframe_from(start)]
    damaged = False
    for frame in decoded:
        if frame.pts is None:
            continue
        # Frames shown before the keyframe may lack references before it in the file: no damage.
        damaged = (frame.is_corrupt and frame.pts >= whole_from) or (
            damaged and not frame.key_frame
        )
        if frame.is_corrupt or damaged:
            continue
        target = int(index.pts[wanted[slot]])
        if frame.pts > target:
            return slot
        if frame.pts < target:
            continue
        store(slot, frame)
        slot += 1
        if slot == len(wanted):
            return slot
        if index.keyframe_before(int(wanted[slot])) > int(wanted[slot - 1]) + _WORTH_SEEKING:
            return slot
    return slot


def _missing(path: str, frame: int) -> VideoError:
    blame_the_end(path)  # the likeliest cause, if the file changed after it was indexed
    return VideoError(
        f"{path}: frame {frame} is listed in the file but cannot be decoded: the file is damaged "
        "or cut short. Copy or convert it again, or take it off the list."
    )

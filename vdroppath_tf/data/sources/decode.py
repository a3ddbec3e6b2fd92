"""Exact frames of a video file by number, whatever the container, rate or B frames."""

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

_WORTH_SEEKING = (
    8  # frames; a seek throws away the decoder's state, so short gaps are decoded through
)
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
        path: a video file.
        indices: frame numbers from 0, `(n,)` with n >= 1, in any order, repeats allowed.
        index: the file's `index_video`, if at hand; frames are scaled to its size.
        video_stream: see `index_video`.
        short_edge: scales frames (bilinear, aspect kept) to this many pixels on the shorter side.

    Returns:
        RGB frames as they are shown, in the order of `indices`, uint8 `(n, height, width, 3)`.

    Raises:
        VideoError: the file cannot be read or lacks a frame; names the file and the frame.
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
    """What scales a decoded frame, turns it and puts it into its place."""
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
    damaged = False  # a frame the decoder made up in part; so are those that build on it
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
    """Seeks before the next wanted frame and decodes on; starts further back if that overshot."""
    slot = back = 0
    while slot < len(wanted):
        start = index.keyframe_before(max(0, int(wanted[slot]) - back))
        with opening() as (container, stream):
            if start == 0:  # a new reader stands at the first frame; seeking there can miss it
                decoded = frames_of(container, stream, index)
            else:
                decoded = _decode_after_seek(container, stream, index, start)
            reached = _take(decoded, slot, start, wanted, index, store)
        if start == 0 and reached == slot:
            raise _missing(path, int(wanted[slot]))
        back = 0 if reached > slot else max(_FIRST_STEP_BACK, 2 * back)
        slot = reached


def _decode_after_seek(container: Any, stream: Any, index: FrameIndex, start: int) -> Iterator[Any]:
    """Frames from the keyframe at or before `start`; ends early where that cannot be done."""
    try:
        container.seek(int(index.pts[start]), stream=stream, backward=True)
        yield from frames_after_seek(container, stream, index)
    except (
        av.error.FFmpegError
    ):  # landed inside a damaged or open group: the caller starts further back
        return


def _take(
    decoded: Iterable[Any],
    slot: int,
    start: int,
    wanted: np.ndarray,
    index: FrameIndex,
    store: Callable[[int, Any], None],
) -> int:
    """Stores wanted frames while they come in order; returns the first slot still empty.

    A decoder marks a frame it made up in part, but not those that build on it: they are not taken.
    """
    whole_from = index.pts[index.first_keyframe_from(start)]
    damaged = False
    for frame in decoded:
        if frame.pts is None:
            continue
        # Frames shown before the keyframe may lack what comes before it in the file: no damage.
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
    blame_the_end(path)  # the likeliest reason, if the file changed after it was indexed
    return VideoError(
        f"{path}: frame {frame} is listed in the file but cannot be decoded: the file is damaged "
        "or cut short. Copy or convert it again, or take it off the list."
    )

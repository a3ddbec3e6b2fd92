"""Reads the presentation times of a video file's packets, without decoding where they are right."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from vdroppath_tf.data.sources.container import VideoError, open_video
from vdroppath_tf.data.sources.first_frame import FirstFrame
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES, FrameIndex
from vdroppath_tf.data.sources.orientation import shown_size

# Containers that store every pts. For AVI and others FFmpeg guesses: wrongly for H.264 B frames.
_STORES_PTS = ("mov", "matroska", "mpegts", "flv")
_HIDDEN_FRAME_CODECS = ("vp8",)  # some of their packets show no frame, so packets cannot be counted


def build_index(path: str, video_stream: int | None = None) -> FrameIndex:
    """Finds every frame of a video file, see `index_video`."""
    with open_video(path, video_stream) as (container, stream):
        first = FirstFrame(path)
        b_frames = stream.codec_context.has_b_frames
        pts, keys, reordered = _demux(path, container, stream, first)
        trusted = any(name in container.format.name for name in _STORES_PTS)
        trusted = trusted and stream.codec_context.name not in _HIDDEN_FRAME_CODECS
        # Frames that are stored in another order than they are shown, yet pts that grow as they
        # are stored: whoever wrote the file lost the true ones.
        trusted = trusted and (reordered or not b_frames)
        size = shown_size(stream.height, stream.width, first.orientation)
        aspect = stream.sample_aspect_ratio
        rate, tick, start = stream.average_rate, float(stream.time_base), container.start_time
    times = np.asarray(sorted(p for p in pts if p is not None), np.int64)
    exact = len(times) == len(pts) == len(np.unique(times))
    count = len(times)
    if not (exact and trusted):
        shown = _decoded_pts(path, video_stream)
        count = len(shown)
        exact = exact and _in_order(shown) and set(shown) <= set(pts)
        times = np.asarray(shown if exact else [], np.int64)
    if not count:
        raise VideoError(
            f"{path}: its video holds no frame. Expected at least one; convert it again."
        )
    keyframes = np.flatnonzero(np.isin(times, np.asarray(keys, np.int64)))
    if not exact:
        tick = float(1 / rate) if rate else 0.0
    origin = round(start / 1e6 / tick) if start and exact else 0
    return FrameIndex(
        count,
        *size,
        pts=times,
        keyframes=keyframes,
        exact=exact,
        tick=tick,
        origin=origin,
        orientation=first.orientation,
        pixel_aspect=(aspect.numerator, aspect.denominator) if aspect else (1, 1),
    )


def _demux(
    path: str, container: Any, stream: Any, first: FirstFrame
) -> tuple[list[int | None], list[int], bool]:
    """Every pts, those of keyframes, and whether frames are shown in another order than stored."""
    pts: list[int | None] = []
    keys: list[int] = []
    packets = 0
    reordered = False
    for packet in container.demux(stream):
        first.look(packet)
        if packet.size == 0:  # the demuxer's end mark
            continue
        packets += 1
        if packet.is_corrupt:
            raise VideoError(
                f"{path}: is damaged or cut short at frame {packets - 1}. "
                "Copy or convert it again, or take it off the list."
            )
        if packet.is_discard:  # outside the edit list: decoded, never shown
            continue
        pts.append(packet.pts)
        reordered = reordered or packet.pts != packet.dts
        if packet.is_keyframe and packet.pts is not None:
            keys.append(packet.pts)
        if packets > MAX_FRAMES:
            raise VideoError(
                f"{path}: has more than {MAX_FRAMES} frames. Cut it into shorter files."
            )
    return pts, keys, reordered


def _decoded_pts(path: str, video_stream: int | None) -> list[int | None]:
    """The slow, sure way: the pts of every frame that a decoder shows."""
    shown: list[int | None] = []
    with open_video(path, video_stream) as (container, stream):
        for frame in container.decode(stream):
            shown.append(frame.pts)
            if len(shown) > MAX_FRAMES:
                raise VideoError(
                    f"{path}: has more than {MAX_FRAMES} frames. Cut it into shorter files."
                )
    return shown


def _in_order(shown: list[int | None]) -> bool:
    """Whether pts grow from each shown frame to the next, so that frames can be found by them."""
    times = [p for p in shown if p is not None]
    return len(times) == len(shown) and all(a < b for a, b in itertools.pairwise(times))

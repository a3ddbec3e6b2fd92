"""Where each frame of a video file is: presentation times from one demux, cached.

Decoders find frames by time, people by number. Rounding between the two is wrong by a frame on
some files (variable rate, B frames in AVI), silently. Here the packets' presentation times (pts)
are read once without decoding and sorted: frame `i` is the one that shows the `i`-th pts.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.data.sources.container import VideoError, open_video, regular_file
from vdroppath_tf.data.sources.source import FrameInfo
from vdroppath_tf.files import replacing
from vdroppath_tf.names import named

MAX_FRAMES = 1 << 20
"""Files with more frames than this are refused (about 10 hours at 30 frames a second)."""

_INDEX_FORMAT = "vdroppath_tf.frame_index/1"
# Containers that store every pts. For AVI and others FFmpeg guesses: wrongly for H.264 B frames.
_STORES_PTS = ("mov", "matroska", "mpegts", "flv")
_HIDDEN_FRAME_CODECS = ("vp8",)  # some of their packets show no frame, so packets cannot be counted


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FrameIndex(FrameInfo):
    """The frames of one video stream in the order they are shown.

    Attributes:
        num_frames, height, width: see `FrameInfo`; the frames a decoder shows.
        pts: sorted presentation times in the stream's time base, int64 `(num_frames,)`; empty if
            not `exact`.
        keyframes: sorted indices of frames decoding can start at, int64; empty if not `exact`.
        exact: True where a frame is known by its pts. False where pts are missing, repeated or
            wrong: frames are then counted from the start of the file.
    """

    pts: np.ndarray
    keyframes: np.ndarray
    exact: bool

    def keyframe_before(self, frame: int) -> int:
        """The last frame at or before `frame` that decoding can start at (0 is always one)."""
        place = int(np.searchsorted(self.keyframes, frame, side="right")) - 1
        return int(self.keyframes[place]) if place >= 0 else 0

    def first_keyframe_from(self, frame: int) -> int:
        """The first frame at or after `frame` that decoding can start at, else `frame` itself."""
        place = int(np.searchsorted(self.keyframes, frame))
        return int(self.keyframes[place]) if place < len(self.keyframes) else frame


@named
def index_video(
    path: str | os.PathLike[str], *, cache_dir: str | os.PathLike[str] | None = None
) -> FrameIndex:
    """Finds every frame of a video file, reading it once; repeated calls are answered from memory.

    Args:
        path: a video file (mp4, mov, avi, webm, mkv, MPEG-TS, ...).
        cache_dir: folder that keeps indices between runs as JSON; None keeps them in memory only.
            An entry is used while the file's path, size and modification time are unchanged.

    Returns:
        A `FrameIndex` with at least one frame.

    Raises:
        VideoError: the file is missing, empty, damaged, cut short, without video, or too large.
    """
    name = os.path.abspath(path)
    status = regular_file(name)
    folder = None if cache_dir is None else os.path.abspath(cache_dir)
    return _cached_index(name, status.st_size, status.st_mtime_ns, folder)


@functools.lru_cache(maxsize=16384)
def _cached_index(path: str, size: int, mtime: int, folder: str | None) -> FrameIndex:
    if folder is None:
        return _build_index(path)
    key = [_INDEX_FORMAT, path, size, mtime]
    file = Path(folder) / (
        hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest() + ".json"
    )
    stored = _load_index(file, key)
    if stored is None:
        stored = _build_index(path)
        _save_index(file, key, stored)
    return stored


def _load_index(file: Path, key: list[Any]) -> FrameIndex | None:
    """Whatever is wrong with a cache file, the answer is to index the video again."""
    try:
        data = json.loads(file.read_text())
        if data.pop("key") != key:
            return None
        pts, keyframes = (np.asarray(data.pop(k), np.int64) for k in ("pts", "keyframes"))
        return FrameIndex(pts=pts, keyframes=keyframes, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _save_index(file: Path, key: list[Any], index: FrameIndex) -> None:
    data = dataclasses.asdict(index) | {
        "key": key,
        "pts": index.pts.tolist(),
        "keyframes": index.keyframes.tolist(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file, durable=False) as new:  # what is damaged is made again
        new.write_text(json.dumps(data))


def _build_index(path: str) -> FrameIndex:
    with open_video(path) as (container, stream):
        pts, keys, reordered = _demux(path, container, stream)
        trusted = any(name in container.format.name for name in _STORES_PTS)
        trusted = trusted and stream.codec_context.name not in _HIDDEN_FRAME_CODECS
        # Frames that are stored in another order than they are shown, yet pts that grow as they
        # are stored: whoever wrote the file lost the true ones.
        trusted = trusted and (reordered or not stream.codec_context.has_b_frames)
        size = (stream.height, stream.width)
    times = np.asarray(sorted(p for p in pts if p is not None), np.int64)
    exact = len(times) == len(pts) == len(np.unique(times))
    count = len(times)
    if not (exact and trusted):
        shown = _decoded_pts(path)
        count = len(shown)
        exact = exact and _in_order(shown) and set(shown) <= set(pts)
        times = np.asarray(shown if exact else [], np.int64)
    if not count:
        raise VideoError(
            f"{path}: its video holds no frame. Expected at least one; convert it again."
        )
    keyframes = np.flatnonzero(np.isin(times, np.asarray(keys, np.int64)))
    return FrameIndex(count, *size, pts=times, keyframes=keyframes, exact=exact)


def _demux(path: str, container: Any, stream: Any) -> tuple[list[int | None], list[int], bool]:
    """Every pts, those of keyframes, and whether frames are shown in another order than stored."""
    pts: list[int | None] = []
    keys: list[int] = []
    packets = 0
    reordered = False
    for packet in container.demux(stream):
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


def _decoded_pts(path: str) -> list[int | None]:
    """The slow, sure way: the pts of every frame that a decoder shows."""
    shown: list[int | None] = []
    with open_video(path) as (container, stream):
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

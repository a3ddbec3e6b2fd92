"""The frame index of a video file: presentation times from one pass over its packets, cached.

Decoders find frames by time, users by number. Rounding between the two is silently wrong by a frame
on some files (variable rate, B-frames in AVI). Here the packets' presentation times (pts) are read
once, without decoding, and sorted: frame `i` is the one that shows the `i`-th pts.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.data.sources.container import regular_file
from vdroppath_tf.data.sources.demux import build_index
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.files import parse_json, read_text, replacing
from vdroppath_tf.names import named

INDEX_FORMAT = "vdroppath_tf.frame_index/7"
"""The format of cached index files; it changes whenever the set of frames in an index does."""


@named
def index_video(
    path: str | os.PathLike[str],
    *,
    video_stream: int | None = None,
    open_end: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
) -> FrameIndex:
    """Finds every frame of a video file, reading it once; the result is cached in memory.

    Args:
        path: The video file (mp4, mov, avi, webm, mkv, MPEG-TS, ...).
        video_stream: The number of the video stream from 0, without attached pictures. Defaults to
            None, the stream that a player shows.
        open_end: Whether a recording that ends inside a frame (it is still being written, or was
            cut short) is read up to its last whole frame. Defaults to False: it is an error.
        cache_dir: The folder that keeps indices between runs as JSON. An entry is used while the
            file's path, size and modification time are unchanged. Defaults to None: only memory.

    Returns:
        A `FrameIndex` with at least one frame.

    Raises:
        VideoError: If the file is missing, empty, damaged, cut short, without video, or too large.

    Example:
        ```python
        index = index_video("dance.mp4")
        index.num_frames, index.times()[:3]
        ```
    """
    name = os.path.abspath(path)
    status = regular_file(name)
    folder = None if cache_dir is None else os.path.abspath(cache_dir)
    return _cached_index(name, video_stream, open_end, status.st_size, status.st_mtime_ns, folder)


@functools.lru_cache(maxsize=16384)
def _cached_index(
    path: str, video_stream: int | None, open_end: bool, size: int, mtime: int, folder: str | None
) -> FrameIndex:
    if folder is None:
        return build_index(path, video_stream, open_end=open_end)
    key = [INDEX_FORMAT, path, video_stream, open_end, size, mtime]
    name = path if video_stream is None else f"{path}\0{video_stream}"
    file = Path(folder) / (
        hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest() + ".json"
    )
    stored = _load_index(file, key)
    if stored is None:
        stored = build_index(path, video_stream, open_end=open_end)
        _save_index(file, key, stored)
    return stored


def _load_index(file: Path, key: list[Any]) -> FrameIndex | None:
    """Loads a cached index; returns None on any problem, so that the video is indexed again."""
    try:
        data = parse_json(read_text(file))
        if data.pop("key") != key:
            return None
        pts, keyframes = (np.asarray(data.pop(k), np.int64) for k in ("pts", "keyframes"))
        wide, high = data.pop("pixel_aspect")
        return FrameIndex(pts=pts, keyframes=keyframes, pixel_aspect=(wide, high), **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _save_index(file: Path, key: list[Any], index: FrameIndex) -> None:
    data = dataclasses.asdict(index) | {
        "key": key,
        "pts": index.pts.tolist(),
        "keyframes": index.keyframes.tolist(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file, durable=False) as new:  # a damaged file is written again
        new.write_text(json.dumps(data))

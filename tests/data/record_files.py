"""Numbered frames as video files and as records: what the tests of records start from."""

from __future__ import annotations

from pathlib import Path

import barcode
import numpy as np

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.sources.encode import write_video

VIDEOS, FRAMES = 6, 20


def write_list(folder: Path, gop: int | None = None) -> Manifest:
    """Frame k of video v shows the number `v * FRAMES + k`; every second line says its length."""
    folder.mkdir(exist_ok=True)
    lines = []
    for video in range(VIDEOS):
        pictures = [barcode.picture(video * FRAMES + k) for k in range(FRAMES)]
        write_video(folder / f"video {video}.mp4", np.stack(pictures), gop=gop)
        count = FRAMES if video % 2 else FRAMES - 3
        lines.append(f"video {video}.mp4 {count} {video % 3}\n")
    (folder / "list.txt").write_text("".join(lines))
    return open_manifest(folder / "list.txt", labels=("left", "right", "still"))


def numbers(frames: np.ndarray) -> list[int]:
    """The numbers that frames `(..., height, width, 3)` show."""
    return [barcode.number(frame) for frame in frames.reshape(-1, *frames.shape[-3:])]

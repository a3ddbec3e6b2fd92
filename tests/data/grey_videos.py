"""Small videos of one grey value each, some of them spoilt, and epochs over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.pipeline import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.sources.encode import write_video

VIDEOS, FRAMES = 6, 8


SAMPLING = ClipSampling(2, stride=2, clips_per_video=2)


def write(folder: Path, videos: int = VIDEOS) -> Manifest:
    """Videos whose every frame has one grey value, and which are labelled by their number."""
    for k in range(videos):
        write_video(folder / f"{k}.mp4", np.full((FRAMES, 16, 16, 3), 16 * k, np.uint8))
    (folder / "list.txt").write_text("".join(f"{k}.mp4 {FRAMES} {k}\n" for k in range(videos)))
    return read_list(folder / "list.txt")


def spoil(manifest: Manifest, *items: int) -> None:
    for item in items:
        Path(manifest.entries[item].path).write_bytes(b"no video")


def loader(
    manifest: Manifest, faults: FaultLog | None, split: str = "train", sampling: object = SAMPLING
) -> ClipLoader:
    assert isinstance(sampling, ClipSampling)
    return ClipLoader(manifest, sampling, cache=VideoCache(), workers=2, split=split, faults=faults)


def epoch(made: ClipLoader, number: int, batch: int = 2) -> list[int]:
    """Labels of an epoch, after a look that each clip shows the video of its label."""
    found = []
    for step in range(len(made.manifest) // batch):
        clips, labels = made.training_batch(0, number, step, batch)
        assert np.abs(clips.mean((1, 2, 3, 4)) - 16 * labels).max() < 6
        found += labels.tolist()
    return found

"""The comparison of the feed with PyTorch's libraries: the same clips, and right frames."""

from __future__ import annotations

from pathlib import Path

import barcode
import keras_feed
import numpy as np
from feed_against_torch import right

from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import training_clips
from vdroppath_tf.data.clips.positions import epoch_order
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.video import VideoFile


def test_wrong_frames_and_mixtures_are_not_right(tmp_path: Path) -> None:
    frames = np.stack([barcode.picture(k) for k in (3, 5, 8, 9)])
    frames[3] = np.maximum(frames[3], barcode.picture(10))
    np.save(tmp_path / "frames.npy", frames)
    assert right(tmp_path / "frames.npy", [[3, 5], [7, 9]]) == (2, 4)


def test_the_listed_clips_are_those_of_training_clips(tmp_path: Path) -> None:
    sources = [VideoFile(str(barcode.write(tmp_path / f"{k}.mp4", 60 + k))) for k in range(3)]
    entries = tuple(VideoEntry(source, 0, None, "list") for source in sources)
    videos = Manifest(entries, ("0",), "list")
    order = ClipOrder(epochs=2)
    batches = training_clips(videos, keras_feed.SAMPLING, batch_size=3, order=order)
    for epoch, (batch, _) in enumerate(batches):
        for item, clip in zip(epoch_order(0, epoch, 3), batch.numpy(), strict=True):
            listed = keras_feed.clip_of(videos, epoch, int(item))
            (top, left), side = listed["corner"], listed["crop"]
            frames = sources[item].read(listed["frames"], short_edge=keras_feed.EDGE)
            part = frames[:, top : top + side, left : left + side]
            np.testing.assert_array_equal(part[:, :, ::-1] if listed["flip"] else part, clip)

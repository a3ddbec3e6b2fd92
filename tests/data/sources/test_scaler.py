"""Scaling by FFmpeg in the caller's thread: the pixels that it gives when it divides frames."""

from __future__ import annotations

import numpy as np
import pytest
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from vdroppath_tf.data.sources.resize import Scaler, resize_frames


@pytest.mark.parametrize("source", ["rgb24", "yuv420p", "yuvj420p", "gray"])
@pytest.mark.parametrize("size", [(128, 170), (112, 149), (200, 300)])
@pytest.mark.parametrize(("target", "channels"), [("rgb24", 3), ("gray", 1)])
def test_one_thread_gives_the_same_pixels(
    source: str, size: tuple[int, int], target: str, channels: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 170, 3), np.uint8)
    frame = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=source)
    height, width = size
    expected = VideoReformatter().reformat(frame, width, height, target, interpolation="BILINEAR")
    scaler = Scaler()
    for _ in range(2):  # its tables are used again
        found = scaler(frame, height, width, target)
        assert (found.shape, found.dtype) == ((height, width, channels), np.uint8)
        np.testing.assert_array_equal(found.squeeze(), expected.to_ndarray())


@pytest.mark.parametrize("size", [(52, 41), (16, 57), (31, 53), (20, 40)])
def test_nothing_beside_the_pixels_counts(size: tuple[int, int]) -> None:
    """Old FFmpeg reads beyond rows of odd width: what memory held there must not be seen."""
    pixels = np.random.default_rng(0).integers(0, 255, (2, *size, 3)).astype("uint8")
    first = resize_frames(pixels, 16, 16)
    for fill in range(5, 250, 30):
        resize_frames(np.full((4, *size, 3), fill, "uint8"), 16, 16)
        np.testing.assert_array_equal(resize_frames(pixels, 16, 16), first)

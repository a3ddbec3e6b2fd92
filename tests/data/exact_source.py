"""What every frame source promises, tried on one that holds the barcodes 0, 1, 2, ..."""

from __future__ import annotations

import barcode
import numpy as np
import pytest

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.source import Box, FrameSource


def numbers(frames: np.ndarray) -> list[int]:
    return [barcode.number(frame) for frame in frames]


def check_exact(source: FrameSource, count: int) -> None:
    info = source.info()
    assert (info.num_frames, info.height, info.width) == (count, *barcode.SIZE)
    source.validate()
    for wanted in ([*range(count)], [count - 1, 0, 3, 3, 0], [2] * 5, *([k] for k in range(count))):
        frames = source.read(wanted)
        assert (frames.shape, frames.dtype) == ((len(wanted), *barcode.SIZE, 3), np.uint8)
        assert numbers(frames) == wanted
    assert numbers(source.read(np.array([[1, 2]]))) == [1, 2]
    for edge, box in ((None, Box(3, 17, 20, 64)), (16, Box(2, 5, 11, 40)), (48, Box(0, 9, 48, 1))):
        whole = source.read([4, 1], short_edge=edge)
        assert min(whole.shape[1:3]) == (edge or barcode.SIZE[0])
        part = source.read([4, 1], short_edge=edge, box=box)
        rows, columns = (slice(a, a + n) for a, n in ((box.top, box.height), (box.left, box.width)))
        np.testing.assert_array_equal(part, whole[:, rows, columns])
    assert numbers(source.read([7, 5], short_edge=16)) == [7, 5]
    for wanted in ([-1], [0, count]):
        with pytest.raises(VideoError, match=f"frame {wanted[-1]} was requested") as raised:
            source.read(wanted)
        assert str(raised.value).startswith(source.path)
    with pytest.raises(VideoError, match="no frame was requested"):
        source.read([])

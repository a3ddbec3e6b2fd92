"""Videos that were sent to a server: the limits are checked before anything is decoded."""

from __future__ import annotations

from pathlib import Path

import barcode
import pytest
from exact_source import numbers
from pictures import barcodes

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.sent import Bounds, SentPictures, SentVideo, TooLargeError

BOUNDS = Bounds(32 * 128, 12)


def test_a_file(tmp_path: Path) -> None:
    sent = SentVideo(str(barcode.write(tmp_path / "a.mp4", 12)), BOUNDS)
    assert numbers(sent.read([0, 11])) == [0, 11]
    square = sent.with_square_pixels()
    assert square.with_square_pixels() is square
    assert (square.info().height, square.info().width) == barcode.SIZE
    assert numbers(square.read([3])) == [3]
    for bounds, words in ((Bounds(99, 12), "are 4,096 pixels"), (Bounds(9999, 9), "has 12 frames")):
        with pytest.raises(TooLargeError, match=words):
            SentVideo(sent.file, bounds).info()


def test_pictures() -> None:
    sent = SentPictures(tuple(barcodes(12)), BOUNDS)
    assert numbers(sent.read([5, 0])) == [5, 0]
    with pytest.raises(TooLargeError, match="frames: has 13 frames"):
        SentPictures(tuple(barcodes(13)), BOUNDS).info()
    with pytest.raises(VideoError, match="the list is empty"):
        SentPictures((), BOUNDS).info()

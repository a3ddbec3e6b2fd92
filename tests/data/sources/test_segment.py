"""Segments of videos: exactly the frames between two frames or seconds, as any other source."""

from __future__ import annotations

from pathlib import Path

import barcode
import miniatures
import pytest

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.segment import Segment, Span, fitting_units
from vdroppath_tf.data.sources.video import VideoFile

FRAMES = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("segments")
    for kind in barcode.KINDS:
        barcode.make(made, kind, FRAMES)
    miniatures.folder(made / "pictures")
    return made


def numbers(segment: Segment) -> list[int]:
    frames = segment.read(range(segment.info().num_frames))
    return [barcode.number(frame) for frame in frames]


@pytest.mark.parametrize("kind", barcode.KINDS)
def test_exact_frames(folder: Path, kind: str) -> None:
    """By number and by time the frames are those of the whole video."""
    video = VideoFile(str(folder / kind))
    assert numbers(Segment(video, Span(7, 19, "frames"))) == list(range(7, 19))
    times = video.info().times()
    assert times is not None
    # from a time between two frames to one between two others
    start, end = times[7:9].mean(), times[18:20].mean()
    assert numbers(Segment(video, Span(start, end, "seconds"))) == list(range(8, 19))
    # what appears at the start is in it, what appears at the end is not
    assert numbers(Segment(video, Span(times[7], times[19], "seconds"))) == list(range(7, 19))
    assert numbers(Segment(video, Span(0, times[-1] + 0.04, "seconds"))) == list(range(FRAMES))
    inner = Segment(video, Span(times[7], times[19], "seconds"))
    assert [barcode.number(frame) for frame in inner.read([5, 0, 5])] == [12, 7, 12]
    assert inner.info().times() == pytest.approx(times[7:19])


def test_seconds_count_from_the_start_of_the_file(folder: Path) -> None:
    """An MPEG-TS file begins at 1.4 seconds; players and lists call that 0."""
    video = VideoFile(str(folder / "stream.ts"))
    times = video.info().times()
    assert times is not None
    assert times[:3] == pytest.approx([0, 0.04, 0.08])
    assert numbers(Segment(video, Span(0.2, 0.4, "seconds"))) == [5, 6, 7, 8, 9]


def test_a_segment_shorter_than_a_frame_holds_the_frame_that_is_shown(folder: Path) -> None:
    video = VideoFile(str(folder / "constant.mp4"))
    assert numbers(Segment(video, Span(0.21, 0.22, "seconds"))) == [5]
    assert numbers(Segment(video, Span(1.17, 1.2, "seconds"))) == [29]


@pytest.mark.parametrize(
    ("span", "frames"),
    [
        ((1.0, 1.23, "seconds"), [25, 26, 27, 28, 29]),  # less than a frame after the end
        ((1.0, 1.4, "seconds"), [25, 26, 27, 28, 29]),
        ((1.0, 1.5, "seconds"), None),
        ((1.2, 1.3, "seconds"), None),
        ((5, 9, "seconds"), None),
        ((25, 30, "frames"), [25, 26, 27, 28, 29]),
        ((25, 31, "frames"), [25, 26, 27, 28, 29]),
        ((25, 32, "frames"), None),
        ((30, 31, "frames"), None),
    ],
)
def test_the_end_of_the_video(folder: Path, span: tuple, frames: list[int] | None) -> None:
    segment = Segment(VideoFile(str(folder / "constant.mp4")), Span(*span))
    if frames is not None:
        assert numbers(segment) == frames
        return
    with pytest.raises(VideoError, match=r"constant.mp4: .* to .*: .*after its video, which has"):
        segment.info()


def test_pictures(folder: Path) -> None:
    pictures = FrameFolder(str(folder / "pictures"))
    assert numbers(Segment(pictures, Span(1, 3, "frames"))) == [1, 2]
    with pytest.raises(VideoError, match="has no times"):
        Segment(pictures, Span(0, 0.1, "seconds")).info()
    assert numbers(Segment(pictures, Span(0.1, 0.3, "seconds"), fps=10)) == [1, 2]
    with pytest.raises(VideoError, match=r"after its video, which has 0.3 seconds"):
        Segment(pictures, Span(0.1, 0.9, "seconds"), fps=10).info()


def test_pictures_of_which_some_were_kept(tmp_path: Path) -> None:
    """Nobody knows whether the segment counts pictures, or frames of the video that they are of."""
    miniatures.folder(tmp_path / "a", "{:05d}0.jpg")
    segment = Segment(FrameFolder(str(tmp_path / "a")), Span(1, 3, "frames"))
    with pytest.raises(VideoError, match="some frames of its video were not kept"):
        segment.info()


@pytest.mark.parametrize(
    ("start", "end", "units"),
    [
        (0, 1, ("frames", "seconds")),
        (0, 12, ("frames",)),
        (0.25, 1.1, ("seconds",)),
        (40, 50, ()),
    ],
)
def test_units_that_fit(folder: Path, start: float, end: float, units: tuple[str, ...]) -> None:
    """A video of 30 frames in 1.2 seconds."""
    assert fitting_units(VideoFile(str(folder / "constant.mp4")), start, end) == units
    assert fitting_units(FrameFolder(str(folder / "pictures")), 0, 2) == ("frames",)
    assert fitting_units(VideoFile(str(folder / "none.mp4")), 0, 2) == ("frames", "seconds")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ((3, 3, "frames"), "not after its start"),
        ((5, 3, "seconds"), "not after its start"),
        ((-1, 3, "frames"), "before the video"),
        ((0.5, 3, "frames"), "fractions of frames"),
        ((0, float("nan"), "seconds"), "not a finite number"),
        ((0, float("inf"), "seconds"), "not a finite number"),
        ((0, 1e9, "seconds"), "beyond the longest"),
        ((0, 1e9, "frames"), "beyond the longest"),
        ((0, 3, "minutes"), "'minutes'"),
    ],
)
def test_spans_that_are_none(span: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Segment(VideoFile("/a.mp4"), Span(*span))


def test_it_is_a_source_like_any_other(folder: Path) -> None:
    video = VideoFile(str(folder / "constant.mp4"))
    one, other = (Segment(video, Span(k, k + 5, "frames")) for k in (0, 5))
    assert one != other
    assert len({one, other, Segment(video, Span(0, 5, "frames"))}) == 2
    assert one.path == f"{video.path}: frames 0 to 5"
    assert (one.whole, one.channels) == (video, 3)
    one.validate()
    one.validate_quickly()
    with pytest.raises(VideoError, match=r"frames 0 to 5: frame 5 was requested, but it holds 5"):
        one.read([5])
    cache = VideoCache(1 << 24)
    for segment, first in ((one, 0), (other, 5), (one, 0)):
        frames = cache.frames(segment, [4, 1])
        assert [barcode.number(frame) for frame in frames] == [first + 4, first + 1]
    assert cache.used_bytes == 2 * 5 * 3 * 32 * 128
    assert one.read([0], short_edge=16).shape == (1, 16, 64, 3)

"""What a manifest holds: counts, facts of real files, and videos that two parts share."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import barcode
import miniatures
import pytest

from vdroppath_tf.data.catalog import Manifest, VideoEntry, open_manifest
from vdroppath_tf.data.lists.inventory import count_classes, shared_videos
from vdroppath_tf.data.lists.video_facts import (
    VideoFacts,
    describe_facts,
    read_facts,
    with_frame_counts,
)
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.video import VideoFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for frames in (3, 4, 5):
        barcode.write(tmp_path / f"{frames}.mp4", frames)
    miniatures.folder(tmp_path / "frames")
    return tmp_path


def listed(folder: Path, name: str, *lines: str) -> Manifest:
    return open_manifest(miniatures.write(folder / name, "".join(f"{n}\n" for n in lines)))


def test_counts(folder: Path) -> None:
    videos = listed(folder, "l.txt", "3.mp4 3 0", "4.mp4 4 2", "5.mp4 5 2")
    assert count_classes(videos) == [1, 0, 2]


def test_facts(folder: Path) -> None:
    (folder / "5.mp4").write_bytes((folder / "5.mp4").read_bytes()[:900])
    lines = ("3.mp4 0", "4.mp4 0", "5.mp4 0", "frames 0")
    file = miniatures.write(folder / "l.txt", "".join(f"{n}\n" for n in lines))
    videos = open_manifest(file, format="path-label")
    seen: list[None] = []
    found = read_facts(videos, workers=2, on_video=lambda: seen.append(None))
    height, width = barcode.SIZE
    assert found[:2] == [VideoFacts(n, height, width, n / 25, fps=25) for n in (3, 4)]
    assert isinstance(found[2], VideoError)
    assert "5.mp4" in str(found[2])
    assert found[3] == VideoFacts(miniatures.FRAMES, height, width, None)
    assert len(seen) == 4
    assert [e.num_frames for e in with_frame_counts(videos, found)] == [3, 4, None, 3]


def test_notes_on_facts(folder: Path) -> None:
    videos = listed(folder, "l.txt", "3.mp4 3 0", "4.mp4 4 0", "5.mp4 5 0")
    whole, *_ = read_facts(videos)
    assert isinstance(whole, VideoFacts)
    cut = dataclasses.replace(whole, unfinished=True)
    turned = dataclasses.replace(whole, turned=True)
    assert describe_facts(videos, [whole, whole, VideoError("bad")]) == []
    assert describe_facts(videos, [cut, turned, cut]) == [
        "1 videos are stored rotated or mirrored, and are shown upright",
        "2 videos end inside a frame, and are read up to the last whole",
    ]


def test_fewer_frames_than_listed(folder: Path) -> None:
    videos = listed(folder, "l.txt", "3.mp4 2 0", "4.mp4 6 0")
    good, bad = read_facts(videos)
    assert isinstance(good, VideoFacts)
    assert "4.mp4: holds 4 frames, but " in str(bad)
    assert "l.txt:2 lists 6" in str(bad)
    assert [e.num_frames for e in with_frame_counts(videos, [good, bad])] == [2, 6]


def test_shared(folder: Path) -> None:
    shutil.copy(folder / "4.mp4", folder / "copy.mp4")
    (folder / "link.mp4").symlink_to(folder / "3.mp4")
    same_size = bytearray((folder / "5.mp4").read_bytes())
    same_size[-1] ^= 1
    (folder / "other.mp4").write_bytes(same_size)
    one = listed(folder, "a.txt", "3.mp4 3 0", "4.mp4 4 0", "5.mp4 5 0", "frames 3 0")
    other = listed(folder, "b.txt", "other.mp4 5 0", "link.mp4 3 0", "copy.mp4 4 0", "frames 3 0")

    def names(*, contents: bool) -> list[tuple[str, str]]:
        return [(a.name, b.name) for a, b in shared_videos(one, other, contents=contents)]

    assert names(contents=False) == [("3.mp4", "link.mp4"), ("frames", "frames")]
    assert names(contents=True) == [*names(contents=False), ("4.mp4", "copy.mp4")]


def test_segments(folder: Path) -> None:
    """Two parts share the video, whichever segments of it they have; a copy is found once."""
    shutil.copy(folder / "5.mp4", folder / "copy.mp4")
    one = of_segments(folder, ("5.mp4", 0, 2), ("5.mp4", 2, 5), ("4.mp4", 0, 2))
    other = of_segments(folder, ("5.mp4", 3, 4), ("5.mp4", 4, 5), ("copy.mp4", 1, 2))
    assert [(a.name, b.name) for a, b in shared_videos(one, other)] == [("5.mp4", "5.mp4")]
    found = [(a.name, b.name) for a, b in shared_videos(one, other, contents=True)]
    assert found == [("5.mp4", "5.mp4"), ("5.mp4", "copy.mp4")]
    again = of_segments(folder, ("5.mp4", 2, 5), ("5.mp4", 1, 5), ("5.mp4", 2, 5))
    sources = [(a.source, b.source) for a, b in shared_videos(one, again, segments=True)]
    assert sources == [(one.entries[1].source,) * 2] * 2  # each entry counts, not each video
    for facts, frames in zip(read_facts(one), (2, 3, 2), strict=True):
        assert isinstance(facts, VideoFacts)
        assert facts.num_frames == frames
        assert facts.seconds == pytest.approx(frames / 25)


def of_segments(folder: Path, *parts: tuple[str, int, int]) -> Manifest:
    entries = tuple(
        VideoEntry(
            Segment(VideoFile(str(folder / name)), Span(start, end, "frames")),
            label=0,
            num_frames=None,
            origin="test",
            name=name,
        )
        for name, start, end in parts
    )
    return Manifest(entries, ("a",), "test")

"""Videos divided into parts: every class in each, groups whole, the same every time."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.data.splits import split_videos


def videos(labels: list[int], names: list[str] | None = None) -> Manifest:
    names = [f"{k:03d}.mp4" for k in range(len(labels))] if names is None else names
    entries = [
        VideoEntry(VideoFile(f"/videos/{name}"), label, None, "list", name)
        for name, label in zip(names, labels, strict=True)
    ]
    classes = tuple(f"class {k}" for k in range(max(labels) + 1))
    return Manifest(tuple(entries), classes, "videos")


@settings(max_examples=60)
@given(st.lists(st.integers(3, 30), min_size=1, max_size=6), st.integers(0, 1000))
def test_every_part_has_every_class_in_its_share(sizes: list[int], seed: int) -> None:
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    all_videos = videos(labels)
    parts = split_videos(all_videos, seed=seed)
    assert list(parts) == ["train", "validation", "test"]
    names = [entry.name for part in parts.values() for entry in part]
    assert sorted(names) == [entry.name for entry in all_videos]
    for share, part in zip((0.7, 0.15, 0.15), parts.values(), strict=True):
        counts = Counter(entry.label for entry in part)
        for label, size in enumerate(sizes):
            assert counts[label] >= 1
            assert abs(counts[label] - share * size) <= 1.5
        assert [entry.name for entry in part] == sorted(entry.name for entry in part)
    assert {k: v.digest() for k, v in split_videos(all_videos, seed=seed).items()} == {
        k: v.digest() for k, v in parts.items()
    }


def test_clips_of_a_group_are_of_one_part() -> None:
    """UCF101's names say which clips were cut out of one video; a pattern says it of others."""
    names = [f"v_Run_g{g:02d}_c{c:02d}.avi" for g in range(6) for c in range(4)]
    parts = split_videos(videos([0] * 24, names))
    of = {entry.name: part for part, found in parts.items() for entry in found}
    for g in range(6):
        assert len({of[f"v_Run_g{g:02d}_c{c:02d}.avi"] for c in range(4)}) == 1
    names = [f"{person}-{n}.mp4" for person in "abcdef" for n in range(3)]
    labels = [n % 2 for n in range(18)]
    parts = split_videos(videos(labels, names), group=r"^(\w)-")
    for person in "abcdef":
        assert sum(any(e.name[0] == person for e in found) for found in parts.values()) == 1


def test_segments_of_a_file_are_of_one_part() -> None:
    entries = [
        VideoEntry(
            Segment(VideoFile(f"/videos/{k % 5}.mp4"), Span(k, k + 10, "frames")),
            0,
            None,
            "list",
            f"{k % 5}.mp4",
        )
        for k in range(20)
    ]
    parts = split_videos(Manifest(tuple(entries), ("a",), "videos"))
    held = [{entry.source.whole.path for entry in part} for part in parts.values()]
    assert sum(map(len, held)) == 5


def test_a_class_that_would_be_left_out_is_named() -> None:
    with pytest.raises(ManifestError, match=r"^videos: has fewer than 3 .* 'class 1', so a split"):
        split_videos(videos([0] * 9 + [1] * 2))
    parts = split_videos(videos([0] * 9 + [1] * 2), shares={"validation": 1, "test": 1})
    assert sorted(map(len, parts.values())) in ([5, 6], [5, 6])


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"^group=\(: is not a regular expression"):
        split_videos(videos([0] * 9), group="(")

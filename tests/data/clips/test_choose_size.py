"""How large clips are where nobody says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vdroppath_tf.data import (
    ClipSampling,
    frame_sizes,
    open_manifest,
    with_chosen_size,
    write_video,
)
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.choose_size import FrameSizes

WHOLE = ClipSampling(frames=4)


def sizes(*found: tuple[int, int]) -> FrameSizes:
    return FrameSizes(tuple((size, 1) for size in found), 30, len(found))


@pytest.mark.parametrize(
    ("found", "always", "edge"),
    [
        (sizes((320, 240), (160, 120)), False, 112),
        (sizes((320, 240), (100, 60)), False, 56),
        (sizes((24, 20), (20, 20)), False, 16),
        (sizes((20, 6), (20, 20)), False, 6),
        (sizes((320, 240)), False, None),
        (sizes((320, 240)), True, 112),
        (sizes((64, 48)), True, None),
        (None, True, None),
    ],
)
def test_what_is_chosen(found: FrameSizes | None, always: bool, edge: int | None) -> None:
    sampling, said = with_chosen_size(WHOLE, found, always=always)
    assert (sampling.short_edge, sampling.crop) == (edge, edge)
    assert bool(said) == (edge is not None)
    assert f"cropped to {edge}x{edge}" in said or edge is None


def test_what_was_asked_for_stays() -> None:
    for given in (ClipSampling(4, crop=16), ClipSampling(4, short_edge=16)):
        assert with_chosen_size(given, sizes((320, 240), (20, 20)), always=True) == (given, "")


def test_videos_of_mixed_sizes_give_clips_of_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, (height, width) in {"a/1": (32, 48), "a/2": (40, 24), "b/1": (32, 48)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        frames = rng.integers(0, 256, (6, height, width, 3), np.uint8)
        write_video(tmp_path / f"{name}.mp4", frames)
    (tmp_path / "b" / "2.mp4").write_bytes(b"no video")
    videos = open_manifest(tmp_path)
    found = frame_sizes([videos])
    assert found == FrameSizes((((48, 32), 2), ((24, 40), 1)), 6, 3)
    assert frame_sizes([videos], rates=True) == dataclasses.replace(found, rates=(25.0, 25.0))
    assert frame_sizes([videos.select([3])]) is None  # it cannot be read
    sampling, said = with_chosen_size(WHOLE, found)
    assert sampling == dataclasses.replace(WHOLE, short_edge=24, crop=24)
    assert said.startswith("The videos differ in size: 48x32 (2), 24x40 (1). ")
    check_videos(videos.select([0, 1, 2]), sampling)


def test_no_more_videos_are_opened_than_is_said(tmp_path: Path) -> None:
    """Of 3 with at most 2, the first and the last; of 2 parts, as many of each."""
    for n in range(3):
        write_video(tmp_path / f"{n}.mp4", np.zeros((4 + n, 16, 16, 3), np.uint8), fps=10 + n)
    (tmp_path / "list.txt").write_text("".join(f"{n}.mp4 0\n" for n in range(3)))
    videos = open_manifest(tmp_path / "list.txt")
    opened: dict[int, Any] = {n: frame_sizes([videos], at_most=n, rates=True) for n in (1, 2, 3, 9)}
    assert {n: found.looked_at for n, found in opened.items()} == {1: 1, 2: 2, 3: 3, 9: 3}
    rates = [opened[n].rates for n in (1, 2, 3)]
    np.testing.assert_allclose(rates, [(10, 10), (10, 12), (10, 12)])
    both = frame_sizes([videos, videos.select([1])], at_most=2)
    assert both is not None
    assert both.looked_at == 3
    with pytest.raises(ValueError, match="at_most to be at least 1 video"):
        frame_sizes([videos], at_most=0)

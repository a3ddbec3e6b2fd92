from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vdroppath_tf.data.clips import item_rng
from vdroppath_tf.data.decode import VideoError
from vdroppath_tf.data.frame_source import cut
from vdroppath_tf.data.transforms import (
    ClipPlan,
    ClipSampling,
    crop_box,
    evaluation_plan,
    training_plan,
)

INDICES = np.arange(2)[None]


def coordinates(height: int, width: int) -> np.ndarray:
    """Two frames whose pixels say (row, column, frame)."""
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    frames = np.stack([np.dstack([grid, np.full((height, width), t)]) for t in range(2)])
    return frames.astype(np.uint8)


def crop_and_flip(frames: np.ndarray, plan: ClipPlan, name: str) -> np.ndarray:
    """What the loader does with a plan."""
    out = cut(frames, crop_box(plan, frames.shape[1], frames.shape[2], name))
    return out[:, :, ::-1] if plan.flip else out


def test_centre_crop() -> None:
    out = crop_and_flip(coordinates(9, 12), ClipPlan(INDICES, None, (5, 4)), "a.mp4")
    assert out.shape == (2, 5, 4, 3)
    assert out[0, 0, 0].tolist() == [2, 4, 0]
    assert out[1, -1, -1].tolist() == [6, 7, 1]


def test_flip_mirrors_columns_only() -> None:
    frames = coordinates(4, 6)
    plan = ClipPlan(INDICES, None, None, flip=True)
    assert np.array_equal(crop_and_flip(frames, plan, "a.mp4"), np.flip(frames, 2))


def test_every_corner_is_drawn_equally() -> None:
    sampling = ClipSampling(1, crop=8, flip=True)
    frames, rng = coordinates(10, 11), np.random.default_rng(0)
    seen: dict[tuple[int, int, bool], int] = {}
    for _ in range(4800):
        plan = training_plan(sampling, 2, rng)
        out = crop_and_flip(frames, plan, "a.mp4")
        top, left = int(out[0, 0, 0, 0]), int(out[0, 0, :, 1].min())
        key = (top, left, bool(out[0, 0, 0, 1] > left))
        seen[key] = seen.get(key, 0) + 1
    assert len(seen) == 3 * 4 * 2
    assert max(abs(n - 200) for n in seen.values()) < 5 * np.sqrt(200)


def test_every_short_edge_is_drawn_and_flip_is_off() -> None:
    sampling = ClipSampling(4, short_edge=(256, 288, 320), crop=224)
    plans = [training_plan(sampling, 30, item_rng(0, 0, k)) for k in range(300)]
    edges = [plan.short_edge for plan in plans]
    assert min(edges.count(e) for e in (256, 288, 320)) > 70
    assert not any(plan.flip for plan in plans)
    assert plans[0].crop == (224, 224)


def test_evaluation_plans() -> None:
    sampling = ClipSampling(4, stride=2, short_edge=32, crop=30, flip=True, clips_per_video=3)
    plan = evaluation_plan(sampling, 20, "test")
    assert plan.indices[:, 0].tolist() == [0, 6, 12]
    assert (plan.corner, plan.flip, plan.short_edge) == ((0.5, 0.5), False, 32)
    assert evaluation_plan(sampling, 20, "validation").indices.tolist() == [[6, 8, 10, 12]]


def test_too_small_for_the_crop() -> None:
    with pytest.raises(VideoError, match=r"a\.mp4: frames of 12x9 .* crop 4x10"):
        crop_and_flip(coordinates(9, 12), ClipPlan(INDICES, None, (10, 4)), "a.mp4")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"frames": 0}, "frames must be whole"),
        ({"stride": -1}, "stride must be"),
        ({"frames": 2.5}, "frames must be"),
        ({"crop": 0}, "crop must be"),
        ({"crop": (4, 0)}, "crop must be"),
        ({"short_edge": (20, 0), "crop": 4}, "short_edge must be"),
        ({"short_edge": (20, 30)}, "set crop too"),
        ({"short_edge": 20, "crop": 24}, "larger than short_edge"),
        ({"clips_per_video": 0}, "clips_per_video"),
    ],
)
def test_sampling_that_cannot_be(changes: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(ClipSampling(8), **changes)  # type: ignore[arg-type]


def test_evaluation_needs_one_size() -> None:
    with pytest.raises(ValueError, match="evaluation draws nothing"):
        ClipSampling(8, short_edge=(20, 30), crop=16).fixed_short_edge()
    assert ClipSampling(8, short_edge=(20, 20)).fixed_short_edge() == 20

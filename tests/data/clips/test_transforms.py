from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vdroppath_tf.data.clips.crops import crop_boxes, cut_views, enclosing
from vdroppath_tf.data.clips.plans import ClipPlan, evaluation_plan, training_plan
from vdroppath_tf.data.clips.positions import item_rng
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.decode import VideoError
from vdroppath_tf.data.sources.source import cut

INDICES = np.arange(2)[None]


def coordinates(height: int, width: int) -> np.ndarray:
    """Two frames whose pixels say (row, column, frame)."""
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    frames = np.stack([np.dstack([grid, np.full((height, width), t)]) for t in range(2)])
    return frames.astype(np.uint8)


def crop_and_flip(frames: np.ndarray, plan: ClipPlan, name: str) -> np.ndarray:
    """What the loader does with a plan."""
    boxes = crop_boxes(plan, frames.shape[1], frames.shape[2], name)
    [clip] = cut_views(cut(frames, enclosing(boxes)), plan, boxes)
    return clip


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
    sampling = ClipSampling(2, crop=8, flip=True)
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
    assert (plan.corners, plan.flip, plan.short_edge) == (((0.5, 0.5),), False, 32)
    assert evaluation_plan(sampling, 20, "validation").indices.tolist() == [[6, 8, 10, 12]]


def test_too_small_for_the_crop() -> None:
    with pytest.raises(VideoError, match=r"a\.mp4: frames of 12x9 .* crop 4x10"):
        crop_and_flip(coordinates(9, 12), ClipPlan(INDICES, None, (10, 4)), "a.mp4")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"frames": 0}, "frames must be whole"),
        ({"frames": True}, "frames must be whole"),
        ({"stride": -1}, "stride must be"),
        ({"frames": 2.5}, "frames must be"),
        ({"crop": 0}, "crop must be"),
        ({"crop": (4, 0)}, "crop must be"),
        ({"short_edge": (20, 0), "crop": 4}, "short_edge must be"),
        ({"short_edge": (20, 30)}, "pass crop= too"),
        ({"short_edge": 20, "crop": 24}, "larger than short_edge"),
        ({"clips_per_video": 0}, "clips_per_video"),
        ({"sampler": "tsn"}, "'dense', 'segments'"),
        *(({name: 10**11}, f"{name} .* at most 65,535") for name in ("frames", "stride", "crop")),
        ({"sampler": "segments", "stride": 2}, "leave stride at 1"),
        ({"sampler": "segments", "random_stride": True}, "leave stride at 1"),
        ({"flip_directional": True}, "pass flip=True too"),
        ({"crop_scales": (1.0,)}, "pass crop= too"),
        ({"crop": 8, "crop_scales": (0.5, 1.0)}, "descending"),
        ({"crop": 8, "crop_scales": (1.5,)}, "at most 1"),
        ({"crop": 8, "crop_scales": (0.5, 0.0)}, "above 0"),
        ({"crop_area": (0.5, 1.0)}, "pass crop= too"),
        ({"crop": 8, "crop_area": (0.5,)}, "crop_area must be two numbers"),
        ({"crop": 8, "crop_area": (0.0, 1.0)}, "crop_area must be two numbers"),
        ({"crop": 8, "crop_area": (0.5, 1.5)}, "at most 1, the smaller one first"),
        ({"crop": 8, "crop_area": (0.5, 1.0), "crop_ratio": (2.0, 1.0)}, "crop_ratio must be two"),
        ({"crop": 8, "crop_area": (0.5, 1.0), "crop_scales": (1.0,)}, "set one of them"),
        ({"crop": 8, "crop_ratio": (0.5, 2.0)}, "set crop_area too"),
        ({"crop": 8, "crops_per_clip": 2}, "1 or 3"),
        ({"crop": 8, "crops_per_clip": 3}, "must be one number"),
        ({"crop": 8, "short_edge": 9, "crops_per_clip": 3}, "must be one number"),
        ({"crop": (8, 9), "short_edge": 9, "crops_per_clip": 3}, "must be one number"),
    ],
)
def test_sampling_that_cannot_be(changes: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(ClipSampling(8), **changes)  # type: ignore[arg-type]


def test_whole_frames_have_no_crop() -> None:
    with pytest.raises(ValueError, match=r"are whole frames\. Set crop to have a crop size"):
        _ = ClipSampling(8).crop_size


def test_evaluation_needs_one_size() -> None:
    with pytest.raises(ValueError, match="evaluation is not random"):
        ClipSampling(8, short_edge=(20, 30), crop=16).fixed_short_edge()
    assert ClipSampling(8, short_edge=(20, 20)).fixed_short_edge() == 20


def test_three_crops_cover_the_longer_side() -> None:
    sampling = ClipSampling(2, short_edge=4, crop=4, clips_per_video=2, crops_per_clip=3)
    assert (sampling.views("test"), sampling.views("validation")) == (6, 1)
    for height, width in ((4, 9), (9, 4)):
        plan = evaluation_plan(sampling, 4, "test")
        boxes = crop_boxes(plan, height, width, "a.mp4")
        assert boxes is not None
        starts = [max(box.top, box.left) for box in boxes]
        assert starts == [0, 3, 5]  # of 9: 0..3, 3..6, 5..8
        assert {min(box.top, box.left) for box in boxes} == {0}
        assert enclosing(boxes) == (0, 0, height, width)
        first, second = coordinates(height, width), coordinates(height, width) + 100
        views = cut_views(np.concatenate([first, second]), plan, boxes)
        assert views.shape == (6, 2, 4, 4, 3)
        axis = 0 if height > width else 1
        assert views[:, 0, 0, 0, axis].tolist() == [0, 3, 5, 100, 103, 105]  # clip by clip
        assert views[:, 1, 0, 0, 2].tolist() == [1, 1, 1, 101, 101, 101]
    assert evaluation_plan(sampling, 4, "validation").corners == ((0.5, 0.5),)


def test_scale_jitter_cuts_shares_of_the_largest_crop() -> None:
    sampling = ClipSampling(1, short_edge=80, crop=(20, 40), crop_scales=(1, 0.75, 0.5))
    seen = {}
    for item in range(400):
        plan = training_plan(sampling, 2, item_rng(0, 0, item))
        assert plan.shares is not None
        boxes = crop_boxes(plan, 80, 120, "a.mp4")
        assert boxes is not None
        [box] = boxes
        assert 0 <= box.top <= 80 - box.height
        assert 0 <= box.left <= 120 - box.width
        seen[plan.shares] = (box.height, box.width)
    # the largest crop of 1:2 in 80x120 is 60x120; shares are at most one step apart
    assert seen == {
        (1, 1): (60, 120),
        (1, 0.75): (60, 90),
        (0.75, 1): (45, 120),
        (0.75, 0.75): (45, 90),
        (0.75, 0.5): (45, 60),
        (0.5, 0.75): (30, 90),
        (0.5, 0.5): (30, 60),
    }


def test_a_scaled_crop_shows_the_same_part() -> None:
    frames = coordinates(64, 64) * 3
    plan = ClipPlan(INDICES, None, (16, 32), shares=(1.0, 0.5))
    out = crop_and_flip(frames, plan, "a.mp4")
    assert out.shape == (2, 16, 32, 3)
    # the largest crop of 1:2 is 32x64: rows 16..47 shrink by 2, columns 16..47 stay
    assert np.abs(out[0, 2:-2, 5, 0].astype(int) - 3 * (16 + 2 * np.arange(2, 14) + 0.5)).max() <= 3
    assert np.abs(out[0, 5, :, 1].astype(int) - 3 * np.arange(16, 48)).max() <= 3


def test_flip_is_refused_where_labels_have_a_direction() -> None:
    manifest = Manifest((), ("left", "right"), "list.txt", directional=True)
    flipping = ClipSampling(2, flip=True)
    with pytest.raises(ValueError, match=r"list\.txt: its labels have a direction.*--noflip"):
        flipping.check_flip(manifest)
    dataclasses.replace(flipping, flip_directional=True).check_flip(manifest)
    dataclasses.replace(flipping, flip=False).check_flip(manifest)
    flipping.check_flip(dataclasses.replace(manifest, directional=False))

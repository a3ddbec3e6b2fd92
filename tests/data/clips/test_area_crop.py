"""Crops of a random area and aspect: their distribution, and the same by every way to a clip."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.area_crop import AreaCrop, draw_area_crop
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.crops import crop_boxes, cut_views, enclosing
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import training_clips
from vdroppath_tf.data.clips.plans import ClipPlan, training_plan
from vdroppath_tf.data.clips.positions import item_rng
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.records.stream import stream_clips
from vdroppath_tf.data.records.stream_ops import ClipOps
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.encode import write_video

SAMPLING = ClipSampling(3, crop=16, flip=True, crop_area=(0.08, 1.0))
SIDES = st.integers(1, 400)


def test_shares_are_even_and_aspects_even_in_their_logarithm() -> None:
    drawn = [draw_area_crop((0.08, 1.0), (0.75, 4 / 3), item_rng(0, 0, k)) for k in range(500)]
    shares, ratios = np.array([crop.tries for crop in drawn]).reshape(-1, 2).T
    for values, low, high in ((shares, 0.08, 1.0), (np.log(ratios), np.log(0.75), np.log(4 / 3))):
        even = np.linspace(low, high, len(values))
        assert np.abs(np.sort(values) - even).max() < 0.03 * (high - low)


def test_the_first_that_fits_is_taken() -> None:
    # 100x200: the whole area as a square is 141 high; half of it as a square is 100x100
    crop = AreaCrop(((1.0, 1.0), (0.5, 1.0), (0.1, 1.0)), (0.75, 4 / 3))
    assert crop.size(100, 200) == (100, 100, True)
    assert AreaCrop(((0.25, 2.0),), (0.5, 2.0)).size(100, 200) == (50, 100, True)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(100, 400, (100, 133)), (400, 100, (133, 100)), (100, 110, (100, 110)), (1, 400, (1, 1))],
)
def test_where_none_fits_the_largest_is_taken_from_the_middle(
    height: int, width: int, expected: tuple[int, int]
) -> None:
    crop = AreaCrop(((9.0, 1.0),), (0.75, 4 / 3))
    assert crop.size(height, width) == (*expected, False)
    plan = ClipPlan(np.zeros((1, 1), np.int64), None, (8, 8), ((0.0, 0.99),), area=crop)
    [box] = crop_boxes(plan, height, width, "a.mp4") or []
    assert (box.height, box.width) == expected
    assert abs(2 * box.top + box.height - height) <= 1
    assert abs(2 * box.left + box.width - width) <= 1


@given(SIDES, SIDES, st.integers(0, 1 << 32))
def test_boxes_lie_in_the_frame(height: int, width: int, seed: int) -> None:
    plan = training_plan(SAMPLING, 3, item_rng(seed, 0, 0))
    boxes = crop_boxes(plan, height, width, "a.mp4")
    [(top, left, tall, wide)] = boxes or []
    assert 0 <= top < top + tall <= height
    assert 0 <= left < left + wide <= width


def test_it_changes_no_other_draw() -> None:
    for item in range(5):
        with_it = training_plan(SAMPLING, 9, item_rng(0, 0, item))
        without = training_plan(
            dataclasses.replace(SAMPLING, crop_area=()), 9, item_rng(0, 0, item)
        )
        assert with_it.area is not None
        assert with_it.indices.tolist() == without.indices.tolist()
        assert (with_it.corners, with_it.flip) == (without.corners, without.flip)


def test_a_box_is_scaled_to_the_crop() -> None:
    down = np.arange(64, dtype=np.uint8) * 3
    frames = np.broadcast_to(down[:, None, None], (1, 64, 64, 3))
    crop = AreaCrop(((0.25, 1.0),), (1.0, 1.0))
    plan = ClipPlan(np.zeros((1, 1), np.int64), None, (16, 16), area=crop)
    boxes = crop_boxes(plan, 64, 64, "a.mp4")
    outer = enclosing(boxes)
    assert outer == (16, 16, 32, 32)
    clip = cut_views(frames[:, 16:48, 16:48], plan, boxes)[0, 0]
    expected = 3 * (16 + 2 * np.arange(16) + 0.5)
    assert np.abs(clip[2:-2, 5, 0] - expected[2:-2]).max() <= 3


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Videos whose red grows downwards and whose green grows to the right."""
    folder = tmp_path_factory.mktemp("videos")
    down, right = np.mgrid[:48, :64]
    frame = np.stack([5 * down, 4 * right - right // 32, 0 * down], -1).astype(np.uint8)
    for k in range(4):
        write_video(folder / f"{k}.mp4", np.stack([frame] * 5), crf=1)
    (folder / "list.txt").write_text("".join(f"{k}.mp4 5 {k}\n" for k in range(4)))
    return open_manifest(folder / "list.txt")


def test_inside_tf_data_as_eagerly(manifest: Manifest) -> None:
    sampling = dataclasses.replace(SAMPLING, short_edge=(32, 40))
    loader = ClipLoader(manifest, sampling, cache=VideoCache(), workers=1)
    clips = training_clips(manifest, sampling, batch_size=2, order=ClipOrder(7, epochs=2))
    assert clips.element_spec[0] == tf.TensorSpec((2, 3, 16, 16, 3), tf.uint8)
    for place, (clip, label) in enumerate(clips.as_numpy_iterator()):
        expected = loader.training_batch(7, *divmod(place, 2), 2)
        np.testing.assert_array_equal(clip, expected[0])
        assert label.tolist() == expected[1].tolist()


def test_stream_clips_cuts_them_too(manifest: Manifest, tmp_path: Path) -> None:
    write_records(tmp_path / "records", manifest, quality=100)
    for edge in (None, 40):
        sampling = dataclasses.replace(SAMPLING, short_edge=edge, flip=False)
        clips = stream_clips(tmp_path / "records", sampling, batch_size=4, epochs=20)
        seen = np.concatenate([clip for clip, _ in clips.as_numpy_iterator()])
        assert seen.shape == (80, 3, 16, 16, 3)
        assert np.abs(seen[:, :1].astype(int) - seen).max() <= 8  # one crop for a clip
        # how far red and green go in a clip says how high and wide its box was
        red, green = (seen[:, 0].astype(float)[..., k] for k in (0, 1))
        tall = (red[:, -1].mean(1) - red[:, 0].mean(1)) / 5 / 15 * 16
        wide = (green[:, :, -1].mean(1) - green[:, :, 0].mean(1)) / 4 / 15 * 16
        assert (wide / tall).min() > 0.6
        assert (wide / tall).max() < 1.6
        shares = tall * wide / (48 * 64)
        assert shares.min() < 0.25
        assert shares.max() > 0.7


@pytest.mark.parametrize("frame", [(100, 200), (200, 100), (30, 400), (7, 9)])
def test_the_graph_draws_from_the_same_distribution(frame: tuple[int, int]) -> None:
    """Sizes of the graph's windows against those of `crop_boxes`, by their deciles."""
    ops = ClipOps(SAMPLING, 0, (16, 16), [0])

    @tf.function
    def window(seed: tf.Tensor) -> tf.Tensor:
        draws = tf.random.stateless_uniform([6], seed, dtype=tf.float64)
        return ops.window(tf.constant(frame, tf.int64), draws, seed)

    count = 400
    found = np.array([window(tf.constant([k, 1], tf.int64)).numpy() for k in range(count)])
    assert (found >= [0, 0, 1, 1]).all()
    assert (found[:, :2] + found[:, 2:] <= frame).all()
    plans = [training_plan(SAMPLING, 3, item_rng(1, 0, k)) for k in range(count)]
    expected = np.array([(crop_boxes(plan, *frame, "") or [])[0] for plan in plans])
    deciles = np.linspace(0.1, 0.9, 9)
    for column, side in enumerate((*frame, *frame)):
        a, b = (np.quantile(each[:, column], deciles) for each in (found, expected))
        assert np.abs(a - b).max() <= max(1, 0.12 * side)

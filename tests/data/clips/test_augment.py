"""Augmentation: known answers of every operation, one draw a clip, the same inside tf.data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.augment import OPERATIONS, Augmentation, Operation, draw_operations
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.loader import Batch, ClipLoader
from vdroppath_tf.data.clips.mixing import mix, soft_labels
from vdroppath_tf.data.clips.operations import _layer, apply_operations
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import ClipSampling, training_clips
from vdroppath_tf.data.clips.positions import batch_rng, item_rng
from vdroppath_tf.data.sources.encode import write_video

CLIP = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3), np.uint8)
ALL = Augmentation((0.2, 0.3, 0.4, 0.1), (2, 9), mixup=0.8, cutmix=1.0, label_smoothing=0.1)


def look(clip: np.ndarray, name: str, value: float = 0.0) -> np.ndarray:
    out = apply_operations(clip, [Operation(name, value)])
    assert (out.shape, out.dtype) == (clip.shape, np.uint8)
    return out


def close(got: np.ndarray, expected: np.ndarray) -> bool:
    """Half a grey level and what floats lose."""
    return bool((np.abs(got - np.clip(expected, 0, 255)) <= 0.51).all())


class TestLooks:
    def test_brightness(self) -> None:
        assert close(look(CLIP, "brightness", 0.2), CLIP + 51.0)
        assert close(look(CLIP, "scale_brightness", 1.5), CLIP * 1.5)

    def test_contrast_is_about_the_mean_of_the_clip(self) -> None:
        mean = CLIP.mean((0, 1, 2))
        assert close(look(CLIP, "contrast", 0.5), (CLIP + mean) / 2)

    def test_saturation_and_hue(self) -> None:
        grey = look(CLIP, "saturation", 0.0)
        assert close(grey, CLIP.max(-1, keepdims=True) * np.ones(3))
        red = np.zeros((2, 2, 2, 3), np.uint8)
        red[..., 0] = 200
        assert close(look(red, "hue", 1 / 3), red[..., [1, 0, 2]])

    def test_posterize_and_solarize(self) -> None:
        assert np.array_equal(look(CLIP, "posterize", 4.0), CLIP // 16 * 16)
        assert np.array_equal(look(CLIP, "solarize", 0.5), np.where(CLIP >= 128, 255 - CLIP, CLIP))

    def test_auto_contrast_and_equalize_see_the_whole_clip(self) -> None:
        dark = (40 + CLIP // 4).astype(np.uint8)
        low, high = dark.min((0, 1, 2)).astype(float), dark.max((0, 1, 2)).astype(float)
        assert close(look(dark, "auto_contrast"), (dark - low) * 255 / (high - low))
        even = look(dark, "equalize").astype(int)
        assert even.min() <= 8
        assert even.max() >= 247
        order = np.argsort(dark[..., 0].ravel(), kind="stable")
        assert (np.diff(even[..., 0].ravel()[order]) >= 0).all()

    def test_sharpness_smooths_below_one(self) -> None:
        inner = np.s_[:, 1:-1, 1:-1]
        assert look(CLIP, "sharpness", 0.1)[inner].std() < CLIP[inner].std()
        assert np.array_equal(look(CLIP, "sharpness", 1.0), CLIP)

    def test_geometry(self) -> None:
        square = CLIP[:, :, :6]
        assert np.array_equal(look(square, "rotate", 90.0), np.rot90(square, axes=(1, 2)))
        left = look(CLIP, "translate_x", 0.25)
        assert np.array_equal(left[:, :, :6], CLIP[:, :, 2:])
        assert (left[:, :, 6:] == 128).all()
        up = look(CLIP, "translate_y", 0.5)
        assert np.array_equal(up[:, :3], CLIP[:, 3:])
        # x comes from x + 2 (y - 2.5): row 2 by 1 to the left, row 3 by 1 to the right
        sheared = look(CLIP, "shear_x", 2.0)
        assert np.array_equal(sheared[:, 3, :-1], CLIP[:, 3, 1:])
        assert np.array_equal(sheared[:, 2, 1:], CLIP[:, 2, :-1])
        # y comes from y + 2 (x - 3.5)
        sheared = look(CLIP, "shear_y", 2.0)
        assert np.array_equal(sheared[:, :-1, 4], CLIP[:, 1:, 4])
        assert np.array_equal(sheared[:, 1:, 3], CLIP[:, :-1, 3])

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_all_frames_are_treated_alike(self, name: str) -> None:
        still = np.repeat(CLIP[:1], 3, 0)
        got = look(still, name, 0.6)
        assert np.array_equal(got, np.repeat(got[:1], 3, 0))

    def test_clips_share_keras_layers(self) -> None:
        """Each new layer of Keras would leave a few kilobytes behind."""
        operations = [Operation(name, 0.6) for name in OPERATIONS]
        apply_operations(CLIP, operations)
        made = _layer.cache_info().misses
        apply_operations(CLIP, operations)
        assert _layer.cache_info().misses == made

    def test_order_counts(self) -> None:
        both = [Operation("brightness", 0.5), Operation("solarize", 0.5)]
        assert not np.array_equal(apply_operations(CLIP, both), apply_operations(CLIP, both[::-1]))
        assert np.array_equal(apply_operations(CLIP, []), CLIP)


class TestDraws:
    @given(st.integers(0, 10**6))
    @settings(max_examples=50)
    def test_jitter_stays_in_its_range(self, item: int) -> None:
        augment = Augmentation((0.2, 0.3, 0.4, 0.1))
        operations = draw_operations(augment, item_rng(0, 0, item))
        assert [each.name for each in operations] == ["brightness", "contrast", "saturation", "hue"]
        offsets = np.array([each.value for each in operations]) - [0, 1, 1, 0]
        assert (np.abs(offsets) <= augment.color_jitter).all()
        assert operations == draw_operations(augment, item_rng(0, 0, item))

    def test_rand_augment_draws_each_operation_and_both_signs(self) -> None:
        rng = np.random.default_rng(0)
        drawn = [draw_operations(Augmentation(rand_augment=(3, 5)), rng) for _ in range(500)]
        assert {len(operations) for operations in drawn} == {3}
        values: dict[str, set[float]] = {}
        for one in (each for operations in drawn for each in operations):
            values.setdefault(one.name, set()).add(round(one.value, 6))
        assert set(values) == set(OPERATIONS)
        assert values["rotate"] == {15.0, -15.0}
        assert values["contrast"] == {0.55, 1.45}
        assert values["posterize"] == {2.0}
        assert values["solarize"] == {0.5}
        assert values["translate_x"] == {0.225, -0.225}

    def test_magnitude_0_changes_nothing_that_has_a_magnitude(self) -> None:
        rng = np.random.default_rng(0)
        for operations in [
            draw_operations(Augmentation(rand_augment=(1, 0)), rng) for _ in range(60)
        ]:
            if operations[0].name not in ("auto_contrast", "equalize"):
                assert np.array_equal(apply_operations(CLIP, operations), CLIP), operations

    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"color_jitter": (0.1,)}, "color_jitter must be brightness"),
            ({"color_jitter": (0.1, 0.1, 0.1, 0.6)}, "hue, 0 to 0.5"),
            ({"color_jitter": (-0.1, 0.1, 0.1, 0.1)}, "color_jitter"),
            ({"rand_augment": (2,)}, "rand_augment must be"),
            ({"rand_augment": (0, 5)}, "operations, 1 to 100"),
            ({"rand_augment": (1.5, 5)}, "rand_augment"),
            ({"rand_augment": (2, 11)}, "0 to 10"),
            ({"mixup": -1.0}, "mixup must be a number from 0"),
            ({"cutmix": float("nan")}, "cutmix must be a number from 0"),
            ({"label_smoothing": 1.0}, "below 1"),
        ],
    )
    def test_what_cannot_be(self, changes: dict[str, object], match: str) -> None:
        with pytest.raises(ValueError, match=match):
            dataclasses.replace(ALL, **changes)  # type: ignore[arg-type]


class TestMixing:
    LABELS = np.array([2, 0, 1, 3, 3])
    CLIPS = np.random.default_rng(1).integers(0, 256, (5, 2, 10, 12, 3), np.uint8)
    PARTNERS = (1, 0, 3, 2)

    def mixed(self, augment: Augmentation, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = batch_rng(seed, 0, 0)
        return mix(self.CLIPS.copy(), self.LABELS, augment, classes=4, rng=rng)

    def test_soft_labels(self) -> None:
        assert soft_labels(np.array([1, 0]), 2).tolist() == [[0, 1], [1, 0]]
        smooth = soft_labels(np.array([1]), 4, 0.2)
        assert smooth.dtype == np.float32
        np.testing.assert_allclose(smooth, [[0.05, 0.85, 0.05, 0.05]], atol=1e-7)

    def test_mixup_is_the_sum_its_labels_say(self) -> None:
        clips, labels = self.mixed(Augmentation(mixup=1.0))
        for row, other in enumerate(self.PARTNERS):
            share = float(labels[row, self.LABELS[row]])
            assert labels[row, self.LABELS[other]] == pytest.approx(1 - share, abs=1e-6)
            expected = share * self.CLIPS[row] + (1 - share) * self.CLIPS[other]
            assert np.abs(clips[row] - expected).max() <= 0.51
        assert np.array_equal(clips[4], self.CLIPS[4])  # an odd one out
        assert labels[4].tolist() == [0, 0, 0, 1]

    def test_cutmix_pastes_the_rectangle_its_labels_say(self) -> None:
        clips, labels = self.mixed(Augmentation(cutmix=1.0), seed=3)
        parts = []
        for row, other in enumerate(self.PARTNERS):
            pasted = (clips[row] != self.CLIPS[row]).any((0, 3))
            rows, columns = np.nonzero(pasted.any(1))[0], np.nonzero(pasted.any(0))[0]
            parts.append(pasted.sum())
            if parts[-1]:
                box = np.s_[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                assert np.array_equal(clips[row][box], self.CLIPS[other][box])
                assert pasted.sum() == len(rows) * len(columns)
            share = 1 - pasted.sum() / 120
            assert labels[row, self.LABELS[row]] == pytest.approx(share, abs=1e-6)
            assert labels[row].sum() == pytest.approx(1, abs=1e-6)
        assert len(set(parts)) > 1

    def test_with_both_half_of_the_clips_each(self) -> None:
        pasted = 0
        for seed in range(200):
            clips, _ = self.mixed(Augmentation(mixup=1.0, cutmix=1.0), seed)
            same = (clips[:4] == self.CLIPS[:4]) | (clips[:4] == self.CLIPS[[1, 0, 3, 2]])
            pasted += int(same.all((1, 2, 3, 4)).sum())
        assert abs(pasted - 400) < 5 * np.sqrt(800 / 4)

    def test_smoothing_alone_leaves_clips(self) -> None:
        clips, labels = self.mixed(Augmentation(label_smoothing=0.1))
        assert np.array_equal(clips, self.CLIPS)
        assert np.array_equal(labels, soft_labels(self.LABELS, 4, 0.1))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    for k in range(5):
        coarse = rng.integers(0, 256, (6, 3, 4, 3), np.uint8)
        write_video(folder / f"{k}.mp4", coarse.repeat(8, 1).repeat(8, 2))
    (folder / "list.txt").write_text("".join(f"{k}.mp4 6 {k % 3}\n" for k in range(5)))
    return open_manifest(folder / "list.txt")


SAMPLING = ClipSampling(
    3, short_edge=(20, 24), crop=16, flip=True, sampler="segments", crop_scales=(1, 0.75)
)


def eager(manifest: Manifest, epoch: int, step: int) -> Batch:
    loader = ClipLoader(manifest, SAMPLING, cache=VideoCache(), workers=1, augment=ALL)
    clips, labels = loader.training_batch(7, epoch, step, 2)
    return mix(clips, labels, ALL, classes=3, rng=batch_rng(7, epoch, step))


def test_inside_tf_data_as_eagerly(manifest: Manifest) -> None:
    order = ClipOrder(7, epochs=2)
    clips = training_clips(manifest, SAMPLING, batch_size=2, order=order, augment=ALL)
    assert clips.element_spec == (
        tf.TensorSpec((2, 3, 16, 16, 3), tf.uint8),
        tf.TensorSpec((2, 3), tf.float32),
    )
    got = [(clip.numpy(), label.numpy()) for clip, label in clips]
    expected = [eager(manifest, epoch, step) for epoch in range(2) for step in range(2)]
    assert all(
        np.array_equal(a, b)
        for pair in zip(got, expected, strict=True)
        for a, b in zip(*pair, strict=True)
    )
    # a run taken up inside an epoch gets the same
    order = ClipOrder(7, first_epoch=1, first_step=1)
    later = training_clips(manifest, SAMPLING, batch_size=2, order=order, augment=ALL)
    [(clip, label)] = list(later)
    assert np.array_equal(clip, expected[3][0])
    assert np.array_equal(label, expected[3][1])


def test_augmentation_changes_no_other_draw(manifest: Manifest) -> None:
    plain = ClipLoader(manifest, SAMPLING, cache=VideoCache(), workers=1)
    none = ClipLoader(manifest, SAMPLING, cache=VideoCache(), workers=1, augment=Augmentation())
    assert np.array_equal(plain.training_batch(0, 0, 0, 4)[0], none.training_batch(0, 0, 0, 4)[0])
    assert training_clips(manifest, SAMPLING, batch_size=2, augment=Augmentation()).element_spec[
        1
    ] == tf.TensorSpec((2,), tf.int64)


def test_training_refuses_to_flip_directions(manifest: Manifest) -> None:
    directional = dataclasses.replace(manifest, directional=True)
    with pytest.raises(ValueError, match="labels have a direction"):
        training_clips(directional, SAMPLING, batch_size=2)
    allowed = dataclasses.replace(SAMPLING, flip_directional=True)
    assert len(list(training_clips(directional, allowed, batch_size=2))) == 2

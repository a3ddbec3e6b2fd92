from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.data.clips.positions import (
    batch_rng,
    dense_indices,
    epoch_order,
    item_rng,
    segment_indices,
)

counts = st.integers(1, 400)
small = st.integers(1, 40)


class TestOrder:
    @settings(max_examples=50)
    @given(st.integers(-(2**63), 2**64 - 1), st.integers(0, 10**6), st.integers(1, 300))
    def test_permutation_of_pure_arguments(self, seed: int, epoch: int, n: int) -> None:
        order = epoch_order(seed, epoch, n)
        assert sorted(order) == list(range(n))
        assert np.array_equal(order, epoch_order(seed, epoch, n))

    def test_known_answer(self) -> None:
        # Changing this order breaks resuming: a changelog entry.
        assert epoch_order(0, 0, 10).tolist() == [8, 7, 4, 2, 6, 5, 9, 0, 1, 3]

    def test_seed_and_epoch_matter(self) -> None:
        orders = {tuple(epoch_order(s, e, 50)) for s in range(5) for e in range(5)}
        assert len(orders) == 25

    def test_uniform(self) -> None:
        first = [epoch_order(0, e, 5)[0] for e in range(2000)]
        assert np.abs(np.bincount(first) - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)

    def test_items_draw_independently(self) -> None:
        draws = {item_rng(s, e, i).random() for s in range(4) for e in range(4) for i in range(50)}
        assert len(draws) == 800
        assert item_rng(1, 2, 3).random() == item_rng(1, 2, 3).random()
        assert batch_rng(1, 2, 3).random() == batch_rng(1, 2, 3).random()
        assert not draws & {batch_rng(0, 0, k).random() for k in range(50)}


class TestDense:
    @given(counts, small, small, st.integers(0, 99))
    def test_train(self, frames: int, n: int, stride: int, seed: int) -> None:
        [got] = dense_indices(frames, n, stride, split="train", rng=item_rng(seed, 0, 0))
        start = got[0]
        assert 0 <= start <= max(0, frames - n * stride)
        assert got.tolist() == [min(start + stride * k, frames - 1) for k in range(n)]

    def test_train_start_is_uniform(self) -> None:
        rng = np.random.default_rng(0)
        starts = [dense_indices(10, 3, 2, split="train", rng=rng)[0, 0] for _ in range(5000)]
        found = np.bincount(starts)
        assert len(found) == 5  # 0 .. 10 - 3 * 2
        assert np.abs(found - 1000).max() < 5 * np.sqrt(5000 * 0.2 * 0.8)

    def test_random_stride(self) -> None:
        rng = np.random.default_rng(0)
        clips = [
            dense_indices(100, 4, 3, split="train", rng=rng, random_stride=True)[0]
            for _ in range(200)
        ]
        assert {tuple(np.diff(c)) for c in clips} == {(1, 1, 1), (2, 2, 2), (3, 3, 3)}

    @pytest.mark.parametrize(
        ("frames", "n", "stride", "expected"),
        [
            (10, 4, 1, [3, 4, 5, 6]),
            (10, 4, 2, [1, 3, 5, 7]),
            (5, 4, 2, [0, 2, 4, 4]),
            (1, 3, 1, [0, 0, 0]),
            (3, 5, 1, [0, 1, 2, 2, 2]),
        ],
    )
    def test_validation(self, frames: int, n: int, stride: int, expected: list[int]) -> None:
        assert dense_indices(frames, n, stride, split="validation").tolist() == [expected]

    @given(counts, small, small)
    def test_one_clip_of_test_is_that_of_validation(self, frames: int, n: int, by: int) -> None:
        got = dense_indices(frames, n, by, split="test")
        assert got.tolist() == dense_indices(frames, n, by, split="validation").tolist()

    @given(counts, small, small, st.integers(2, 12))
    def test_starts_are_linspace(self, frames: int, n: int, stride: int, clips: int) -> None:
        got = dense_indices(frames, n, stride, split="test", clips=clips)
        assert got.shape == (clips, n)
        exact = np.linspace(0, max(0, frames - n * stride), clips)
        assert (np.abs(got[:, 0] - exact) < 1).all()
        assert (got[:, 0] <= exact + 1e-9).all()
        assert got.max() <= frames - 1

    def test_published_pair(self) -> None:
        got = dense_indices(40, 32, 1, split="test", clips=2)
        assert got[:, 0].tolist() == [0, 8]
        assert got[1, -1] == 39

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ((0, 1, 1), "at least 1"),
            ((1, 0, 1), "at least 1"),
            ((1, 1, -1), "at least 1"),
        ],
    )
    def test_bad_numbers(self, arguments: tuple[int, int, int], match: str) -> None:
        with pytest.raises(ValueError, match=match):
            dense_indices(*arguments, split="validation")

    def test_bad_split(self) -> None:
        with pytest.raises(ValueError, match="'val'"):
            dense_indices(5, 1, 1, split="val")
        with pytest.raises(ValueError, match="pass rng"):
            dense_indices(5, 1, 1, split="train")


class TestSegments:
    """Frame k comes out of [k, k + 1) segments of num_frames / clip_frames frames each."""

    @staticmethod
    def inside(got: np.ndarray, frames: int, n: int) -> bool:
        assert (np.diff(got) >= 0).all()
        assert 0 <= got.min() <= got.max() <= frames - 1
        lowest = [k * frames // n for k in range(n)]
        above = [-(-(k + 1) * frames // n) for k in range(n)]
        return bool((got >= lowest).all() and (got < np.maximum(above, 1)).all())

    @given(counts, small, st.integers(0, 99))
    def test_training_takes_a_frame_of_each(self, frames: int, n: int, seed: int) -> None:
        got = segment_indices(frames, n, split="train", rng=item_rng(seed, 0, 0))
        assert got.shape == (1, n)
        assert got.dtype == np.int64
        assert self.inside(got, frames, n)

    @given(counts, small, st.integers(1, 8))
    def test_clips_of_test_divide_each(self, frames: int, n: int, clips: int) -> None:
        got = segment_indices(frames, n, split="test", clips=clips)
        assert got.shape == (clips, n)
        assert self.inside(got, frames, n)
        # read clip after clip within each segment, they are one denser clip
        denser = segment_indices(frames, n * clips, split="validation")
        assert got.T.reshape(1, -1).tolist() == denser.tolist()

    @given(counts, small)
    def test_one_clip_is_that_of_validation(self, frames: int, n: int) -> None:
        got = segment_indices(frames, n, split="test")
        assert got.tolist() == segment_indices(frames, n, split="validation").tolist()

    def test_every_frame_of_a_segment_is_drawn_equally(self) -> None:
        rng = np.random.default_rng(0)
        draws = np.concatenate(
            [segment_indices(12, 3, split="train", rng=rng) for _ in range(4000)]
        )
        for k in range(3):
            found = np.bincount(draws[:, k], minlength=12)
            assert found[4 * k : 4 * k + 4].sum() == 4000
            assert np.abs(found[4 * k : 4 * k + 4] - 1000).max() < 5 * np.sqrt(4000 / 4 * 3 / 4)

    @pytest.mark.parametrize(
        ("frames", "n", "clips", "expected"),
        [
            (8, 4, 1, [[1, 3, 5, 7]]),
            (9, 3, 1, [[1, 4, 7]]),
            (10, 4, 1, [[1, 3, 6, 8]]),  # centres 1.25, 3.75, 6.25, 8.75
            (8, 2, 2, [[1, 5], [3, 7]]),
            (2, 4, 1, [[0, 0, 1, 1]]),  # short videos repeat
            (1, 3, 2, [[0, 0, 0], [0, 0, 0]]),
        ],
    )
    def test_known_answers(self, frames: int, n: int, clips: int, expected: list[object]) -> None:
        assert segment_indices(frames, n, split="test", clips=clips).tolist() == expected

    def test_bad_arguments(self) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            segment_indices(0, 1, split="validation")
        with pytest.raises(ValueError, match="'val'"):
            segment_indices(5, 1, split="val")
        with pytest.raises(ValueError, match="pass rng"):
            segment_indices(5, 1, split="train")

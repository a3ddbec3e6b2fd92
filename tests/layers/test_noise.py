"""The noise of gates: uniform, independent, and a function of seed, layer, step and place alone."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.noise import places, streams, two_uniforms

DRAWS = 10**5


def drawn(
    rows: int = DRAWS,
    seed: int = 0,
    step: int = 3,
    names: tuple[str, ...] = ("gate",),
    width: int = 1,
) -> np.ndarray:
    """``(2, columns, rows)``."""
    r = two_uniforms(streams(seed, names, width), step, places(rows, shared=True))
    return np.stack([np.asarray(one) for one in r])


def by_hand(z: int) -> int:
    """SplitMix64's last step, in Python's own numbers."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_the_numbers_are_splitmix64() -> None:
    """Computed without TensorFlow: the same on every device and in every version."""
    (column,) = streams(5, ["layer"], 1)
    key = by_hand((int(column) + 7 * 0x9E3779B97F4A7C15) % 2**64)
    bits = [by_hand((key + row * 0x9E3779B97F4A7C15) % 2**64) for row in range(4)]
    expected = [[(b >> 41) + 0.5 for b in bits], [((b >> 18) % 2**23) + 0.5 for b in bits]]
    found = drawn(4, 5, 7, ("layer",))
    np.testing.assert_array_equal(found[:, 0], np.array(expected) * 2.0**-23)


def test_the_numbers_are_uniform_inside_their_interval() -> None:
    r = drawn()
    assert r.min() >= 2.0**-24
    assert r.max() < 1.0
    assert np.isfinite(np.log(-np.log(r.astype("float32")))).all()
    counts = np.stack([np.histogram(one, 50, (0, 1))[0] for one in r[:, 0]])
    chi = ((counts - DRAWS / 50) ** 2).sum(1) / (DRAWS / 50)
    assert (np.abs(chi - 49) < 5 * math.sqrt(2 * 49)).all()


def test_rows_columns_steps_and_both_numbers_are_independent() -> None:
    here, other = drawn(width=2), drawn(step=4, width=2)
    series = [*here[:, 0], *here[:, 1], *other[:, 0], here[0, 0, 1:], here[0, 0, :-1]]
    series = [one[: DRAWS - 1] for one in series[:-2]] + series[-2:]
    for one, two in itertools.combinations(series, 2):
        if one is not series[0] or two is not series[-1]:  # that is the same series
            assert abs(np.corrcoef(one, two)[0, 1]) < 5 / math.sqrt(DRAWS)


def test_a_column_does_not_hang_on_its_neighbours() -> None:
    """A gate has the same noise among others as by itself."""
    together = drawn(6, names=("one", "two", "three"), width=2)
    for k, name in enumerate(("one", "two", "three")):
        np.testing.assert_array_equal(
            together[:, 2 * k : 2 * k + 2], drawn(6, names=(name,), width=2)
        )
    many = two_uniforms(
        streams(0, ["one", "two"], 1), tf.constant([3, 9], tf.int64), places(6, shared=True)
    )
    np.testing.assert_array_equal(many[0][0], drawn(6, names=("one",))[0, 0])
    np.testing.assert_array_equal(many[0][1], drawn(6, step=9, names=("two",))[0, 0])


def test_seed_step_and_name_change_everything() -> None:
    ways: list[dict[str, Any]] = [
        {"seed": seed, "step": step, "names": (name,)}
        for seed, step, name in itertools.product((0, 1, 2**31, 2**62), (0, 1), ("a", "b"))
    ]
    draws = [drawn(16, **way) for way in ways]
    assert len(np.unique(draws)) > 0.999 * np.size(draws)
    np.testing.assert_array_equal(draws[3], drawn(16, **ways[3]))

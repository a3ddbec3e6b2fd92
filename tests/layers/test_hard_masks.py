"""The mode and the draws of a layer's gates: those of the space, whatever the number of paths."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.layers.hard_masks import drawn_mask, mode_mask
from vdroppath_tf.spaces import draws


def constant(value: Any) -> Any:
    return tf.constant(value, tf.float32)


def probability(logit: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(logit, "float64")))


@settings(max_examples=60)
@given(
    logits=st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=6),
    layer=st.none() | st.floats(-8, 8, width=32),
    has_residual=st.booleans(),
)
def test_the_mode_is_that_of_the_space(
    logits: list[float], layer: float | None, has_residual: bool
) -> None:
    layer_logit = None if layer is None else constant(layer)
    found = np.asarray(mode_mask(constant(logits), layer_logit, has_residual))
    drop, layer_drop = probability(logits), 0.0 if layer is None else float(probability(layer))
    expected = draws.mode(drop, layer_drop, never_empty=not has_residual)
    if not np.array_equal(found, expected):  # equally probable, to the rounding of float32
        options = {"never_empty": not has_residual}
        one, other = (
            draws.log_prob(mask.astype(bool), drop, layer_drop, **options)
            for mask in (found, expected)
        )
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("value", [-300.0, 300.0])
@pytest.mark.parametrize("has_residual", [True, False])
@pytest.mark.parametrize("paths", [1, 2, 50])
def test_at_the_ends_nothing_is_undefined(value: float, has_residual: bool, paths: int) -> None:
    logit, layer = constant([value] * paths), constant(value)
    mode = np.asarray(mode_mask(logit, layer, has_residual))
    noise = constant(np.linspace(0.01, 0.99, 1 + paths))
    draw = np.asarray(drawn_mask(logit, layer, has_residual, noise))
    if value < 0:
        np.testing.assert_array_equal(mode, np.ones(paths))
        np.testing.assert_array_equal(draw, np.ones(paths))
    else:  # even where every path wants to go, one stays where nothing goes round the layer
        assert mode.sum() == draw.sum() == (0 if has_residual else 1)


@pytest.mark.parametrize("has_residual", [True, False])
@pytest.mark.parametrize("layer", [None, 0.3])
def test_draws_use_the_noise_as_the_space_does(has_residual: bool, layer: float | None) -> None:
    """The same uniform numbers give the same masks as ``draws.draw``."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, 5).astype("float32")
    noise = rng.uniform(0, 1, (400, 6)).astype("float32")
    layer_logit = None if layer is None else constant(layer)
    found = [
        np.asarray(drawn_mask(constant(logits), layer_logit, has_residual, constant(row)))
        for row in noise
    ]
    layer_drop = 0.0 if layer is None else float(probability(layer))
    expected = draws.draw(probability(logits), layer_drop, noise, never_empty=not has_residual)
    np.testing.assert_array_equal(found, expected)


def test_never_empty_draws_are_as_frequent_as_they_should_be() -> None:
    drop = np.array([0.7, 0.8, 0.6])
    logits = constant(np.log(drop / (1 - drop)))
    noise = np.random.default_rng(1).uniform(0, 1, (4000, 4)).astype("float32")
    draw = tf.function(lambda rows: tf.map_fn(lambda r: drawn_mask(logits, None, False, r), rows))
    masks = np.asarray(draw(noise))
    for row in itertools.product((1, 0), repeat=3):
        share = float((masks == row).all(1).mean())
        wanted = np.exp(draws.log_prob(np.array(row, bool), drop, 0.0, never_empty=True))
        assert share == pytest.approx(wanted, abs=4 * np.sqrt(max(wanted, 1e-9) / 4000))

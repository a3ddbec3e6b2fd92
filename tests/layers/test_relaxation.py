"""The arithmetic of the gates, against numbers by hand, statistics and brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.layers.noise import places, streams, two_uniforms
from vdroppath_tf.layers.relaxation import gate_entropy, relaxed_drop, weight_prior

N_SOMETHING_V1 = 86_017
EXTREME = [-200.0, -80.0, -20.0, 0.0, 20.0, 80.0, 200.0]


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def constant(value: Any) -> Any:
    return tf.constant(value, tf.float32)


def test_the_drop_where_the_noise_cancels() -> None:
    """With r1 = r2 only the logit is left: sigmoid(logit / temperature)."""
    drop = relaxed_drop(constant(logit(0.1)), constant(0.3), constant(0.3))
    assert float(drop) == pytest.approx(1 / (1 + math.exp(5 * math.log(9))), rel=1e-5)
    drop = relaxed_drop(constant(1.0), constant(0.3), constant(0.3), temperature=1.0)
    assert float(drop) == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-6)


def test_the_drop_by_hand() -> None:
    """S13 with r1 = 1/e (log(-log r1) = 0) and r2 = 1/e^2 (log(-log r2) = log 2)."""
    r1, r2 = constant(math.exp(-1)), constant(math.exp(-2))
    drop = relaxed_drop(constant(0.5), r1, r2)
    assert float(drop) == pytest.approx(1 / (1 + math.exp(-(0.5 - math.log(2)) / 0.2)), rel=1e-5)


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5, 0.9])
def test_a_path_drops_with_its_probability(p: float) -> None:
    draws = 200_000
    r1, r2 = two_uniforms(streams(1, ["gate"], 1), 0, places(draws, shared=True))
    drop = np.asarray(relaxed_drop(constant(logit(p)), r1[0], r2[0]))
    deviation = math.sqrt(p * (1 - p) / draws)
    assert abs((drop > 0.5).mean() - p) < 4 * deviation


@pytest.mark.parametrize("value", EXTREME)
def test_the_drop_stays_finite(value: float) -> None:
    """The smallest and the largest noise there is, with their gradients."""
    ends = constant([2.0**-24, 0.5, 1.0 - 2.0**-24])
    x = constant(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        drop = relaxed_drop(x, ends[:, None], ends[None])
    assert np.isfinite(drop).all()
    assert (np.asarray(drop) >= 0).all()
    assert (np.asarray(drop) <= 1).all()
    assert np.isfinite(tape.gradient(drop, x))


def test_published_weight_coefficients() -> None:
    """Method, section 2: k = 250, N = 86,017, p -> 0: .0029 in the code's form, .363 in Eq. 5."""
    options = {"num_examples": N_SOMETHING_V1, "weight_reg": 250.0}
    code = float(weight_prior(constant(-30.0), form="code", **options))
    paper = float(weight_prior(constant(-30.0), form="paper", **options))
    assert code == pytest.approx(0.0029, abs=5e-5)
    assert paper == pytest.approx(0.363, abs=5e-4)
    assert code == pytest.approx(250 / 86_017, rel=1e-5)
    assert paper == pytest.approx(62_500 / (2 * 86_017), rel=1e-5)
    tenth = float(weight_prior(constant(logit(0.1)), form="code", **options))
    assert tenth == pytest.approx(0.9 * 250 / 86_017, rel=1e-5)


def test_a_weight_coefficient_needs_n() -> None:
    with pytest.raises(ValueError, match=r"weight_reg is divided by N: pass num_examples="):
        weight_prior(constant(0.0), weight_reg=10.0)


def test_entropies_by_hand() -> None:
    p = 0.25
    x = constant(logit(p))
    assert float(gate_entropy(x, "paper")) == pytest.approx(p * math.log(p), rel=1e-5)
    expected = p * math.log(p) + (1 - p) * math.log(1 - p)
    assert float(gate_entropy(x, "code")) == pytest.approx(expected, rel=1e-5)
    # most negative: at p = 1/2 in the code's form, at p = 1/e in the paper's
    grid = constant(np.linspace(-4, 4, 8001))
    code, paper = (np.asarray(gate_entropy(grid, form)) for form in ("code", "paper"))
    assert 1 / (1 + math.exp(-float(grid[code.argmin()]))) == pytest.approx(0.5, abs=2e-3)
    assert 1 / (1 + math.exp(-float(grid[paper.argmin()]))) == pytest.approx(1 / math.e, abs=2e-3)
    # the bounds of docs/method.md: this is how far the KL may be below 0
    assert code.min() == pytest.approx(-math.log(2), rel=1e-6)
    assert paper.min() == pytest.approx(-1 / math.e, rel=1e-6)
    assert max(code.max(), paper.max()) <= 0.0


@pytest.mark.parametrize("form", ["code", "paper"])
@pytest.mark.parametrize("value", EXTREME)
def test_the_kl_is_finite_everywhere(value: float, form: str) -> None:
    x = constant(value)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        entropy = gate_entropy(x, form)
        prior = weight_prior(x, num_examples=10.0, weight_reg=10.0, form=form)
    for term in (entropy, prior):
        assert np.isfinite(term)
        assert np.isfinite(tape.gradient(term, x))
    if abs(value) > 50:
        assert float(entropy) == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=20)
@given(value=st.floats(-6, 6), form=st.sampled_from(["code", "paper"]))
def test_gradients_are_the_slopes(value: float, form: str) -> None:
    def kl(x: Any) -> Any:
        return gate_entropy(x, form) + weight_prior(x, num_examples=7.0, weight_reg=2.0, form=form)

    x = tf.constant(value, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = kl(x)
    slope = (kl(x + 1e-5) - kl(x - 1e-5)) / 2e-5
    assert float(tape.gradient(y, x)) == pytest.approx(float(slope), abs=1e-8)

"""Learning rates at single steps."""

from __future__ import annotations

import pytest

from vdroppath_tf.training import RECIPES, Phase
from vdroppath_tf.training.schedules import learning_rate

STEPS = 10  # an epoch


def rates(phase: Phase, *steps: int) -> list[float]:
    schedule = learning_rate(phase, STEPS)
    return [float(schedule(step)) for step in steps]


def test_no_drops_is_constant() -> None:
    assert rates(Phase("warmup", 3, 0.2), 0, 1, 29, 10**6) == pytest.approx([0.2] * 4)


def test_tenfold_drops_at_the_first_step_of_their_epochs() -> None:
    found = rates(Phase("search", 9, 0.5, (2, 5)), 0, 19, 20, 49, 50, 89)
    assert found == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.005, 0.005])


def test_the_published_drops() -> None:
    phase = RECIPES["kinetics400"].search
    assert rates(phase, 0, 40 * STEPS, 80 * STEPS) == pytest.approx([1e-2, 1e-3, 1e-4])


def test_a_cosine_rises_for_an_epoch_and_ends_at_nothing() -> None:
    phase = Phase("search", 5, 0.5, cosine=True)
    found = rates(phase, 0, 5, 10, 30, 50, 60)
    assert found == pytest.approx([0.05, 0.275, 0.5, 0.25, 0.0, 0.0], abs=1e-7)


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_short_cosine_has_a_rise_and_a_fall(epochs: int) -> None:
    schedule = learning_rate(Phase("search", epochs, 0.5, cosine=True), 1)
    found = [float(schedule(step)) for step in range(4)]
    assert found == pytest.approx([0.05, 0.5, 0.0, 0.0], abs=1e-7)

"""Strategies trained under hard masks: as their derived networks, and scored after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf import derive
from vdroppath_tf.scoring import (
    EvaluationOptions,
    OneStrategy,
    evaluate_strategies,
    race_strategies,
)
from vdroppath_tf.scoring.adaptation import falling_rates
from vdroppath_tf.training.optimizer import GateSGD

STRATEGIES = ["ST S S+ST", "S S S"]


@pytest.fixture(scope="module")
def template() -> Any:
    return tiny.template(num_train_examples=64)


@pytest.fixture(scope="module")
def batches() -> list[Any]:
    rng = np.random.default_rng(0)
    shape = (8, *tiny.SHAPE, 3)
    return [(rng.integers(0, 256, shape).astype("uint8"), rng.integers(0, 4, 8)) for _ in range(4)]


def values(model: Any) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy().copy() for weight in model.weights}


def test_training_under_masks_is_training_the_derived_network(
    template: Any, batches: list[Any]
) -> None:
    """From the same weights, on the same clips; the template is what it was afterwards."""
    network = derive(template, STRATEGIES[0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(GateSGD(0.05, momentum=0.9), loss)
    for clips, labels in batches:
        network.train_on_batch(clips, labels)
    before, one = values(template), OneStrategy(template)
    with one.begin():
        one.start(STRATEGIES[1])
        one.train(batches, [0.05] * 4)
        one.start(STRATEGIES[0])  # nothing is left of the other
        one.train(batches, [0.05] * 4)
        under_masks, logits = values(template), one.logits(batches[0][0]).numpy()
    trained = values(network)
    assert trained.keys() <= under_masks.keys()
    for path, value in trained.items():
        np.testing.assert_allclose(under_masks[path], value, atol=1e-5, err_msg=path)
    np.testing.assert_allclose(logits, network(batches[0][0], training=False), atol=1e-4)
    assert all((value == before[path]).all() for path, value in values(template).items())
    assert all(gate.trainable for gate in template.gates)


def test_too_few_clips_to_train_on(template: Any, batches: list[Any]) -> None:
    one = OneStrategy(template)
    with one.begin(), pytest.raises(ValueError, match=r"end after 4 batches.* each of the 5 steps"):
        one.train(batches, [0.1] * 5)


def test_scores_after_steps_of_their_own(template: Any, batches: list[Any]) -> None:
    """More steps than there are batches: these come round again."""
    ticks: list[int] = []
    options = EvaluationOptions(
        adapt_steps=6, adapt_learning_rate=0.1, on_strategy=lambda: ticks.append(1)
    )
    scores = evaluate_strategies(
        template, STRATEGIES, batches, train_clips=batches, options=options
    )
    assert len(ticks) == 2 * 4
    one = OneStrategy(template)
    with one.begin():
        for found, strategy in zip(scores, STRATEGIES, strict=True):
            one.start(strategy)
            one.train([*batches, *batches], falling_rates(0.1, 6))
            one.recalibrate(batches, 8)
            right = [one.logits(c).numpy().argmax(1) == labels for c, labels in batches]
            assert str(found.strategy) == strategy
            assert found.top1 == pytest.approx(np.mean(right))


def test_rates_rise_and_fall() -> None:
    assert falling_rates(0.1, 2) == pytest.approx([0.1, 0.05])
    rates = falling_rates(0.1, 10, rise=3)
    assert rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert len(rates) == len(falling_rates(0.1, 10, rise=1000)) == 10
    assert falling_rates(0.1, 1, rise=5) == [0.1]


def test_without_steps_scores_are_those_of_the_template(template: Any, batches: list[Any]) -> None:
    options = EvaluationOptions(adapt_steps=1, adapt_learning_rate=1e-12)
    plain = evaluate_strategies(template, STRATEGIES, batches, train_clips=batches)
    still = evaluate_strategies(template, STRATEGIES, batches, train_clips=batches, options=options)
    assert [s.top1 for s in still] == [s.top1 for s in plain]


def test_a_stopped_adaptation_goes_on(template: Any, batches: list[Any], tmp_path: Path) -> None:
    def scored(clips: Any = batches, train_clips: Any = batches, **more: Any) -> Any:
        options = EvaluationOptions(adapt_steps=2, **more)
        return evaluate_strategies(
            template, STRATEGIES, clips, train_clips=train_clips, options=options
        )

    ticks: list[int] = []

    def stop() -> None:
        ticks.append(1)
        if len(ticks) == 5:  # in the second strategy
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scored(resume=tmp_path, on_strategy=stop)
    ticks.clear()
    again = scored(resume=tmp_path, on_strategy=lambda: ticks.append(1))
    assert len(ticks) == 4
    assert (again.right == scored().right).all()
    with pytest.raises(ValueError, match=r"adapted\.npz: holds results of other"):
        scored(resume=tmp_path, adapt_learning_rate=0.5)
    for other in ({"clips": batches[1:]}, {"train_clips": batches[1:]}):
        with pytest.raises(ValueError, match=r"adapted\.npz: holds results of other .*clips"):
            scored(resume=tmp_path, **other)


def test_wrong_calls(template: Any, batches: list[Any]) -> None:
    options = EvaluationOptions(adapt_steps=2)
    given = template, STRATEGIES, batches
    with pytest.raises(ValueError, match=r"on training clips, but there are none\. Pass train_c"):
        evaluate_strategies(*given, options=options)
    with pytest.raises(ValueError, match="reads train_clips again; an iterator allows one pass"):
        evaluate_strategies(*given, train_clips=iter(batches), options=options)
    with pytest.raises(ValueError, match="Expected adapt_steps=0"):
        race_strategies(*given, train_clips=batches, options=options)

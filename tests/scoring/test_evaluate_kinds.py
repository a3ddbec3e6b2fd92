"""Scores and recalibration of every kind of template are those of its derived networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.derivation import derive
from vdroppath_tf.layers.gates import restored_gates, set_strategy
from vdroppath_tf.scoring.batch_statistics import restored
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.recalibration import recalibrate
from vdroppath_tf.scoring.segments import Segment
from vdroppath_tf.spaces.space import ProbabilitySpace

RNG = np.random.default_rng(3)
CLIPS = RNG.integers(0, 256, (8, *tiny.SHAPE, 3), np.uint8)
LABELS = RNG.integers(0, 7, len(CLIPS))
BATCHES = [(CLIPS[k : k + 4], LABELS[k : k + 4]) for k in (0, 4)]
STRATEGIES = {  # T alone, no path, a branch that no input has
    "units": "T - S+T",
    "mobile": "T S+T+ST",
    "both": "- S@01+T@11 S@110+ST@011 T@1",
}


def template_of(kind: str) -> tuple[Any, list[str]]:
    """An untrained template whose strategies differ, and two of these."""
    keras.utils.set_random_seed(5)
    model = tiny.kind_template(kind, 7, num_train_examples=12)
    tiny.draw_norms(model, seed=5, logits=2.0)
    return model, [STRATEGIES[kind], str(ProbabilitySpace.from_model(model).mode())]


@pytest.fixture
def eager() -> Iterator[None]:
    """Tracing is what takes the time."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def logits(network: Any) -> np.ndarray:
    return np.concatenate([network(clips, training=False) for clips, _ in BATCHES])


def state(model: Any) -> list[bytes]:
    return [tf.convert_to_tensor(v).numpy().tobytes() for v in model.variables]


@pytest.mark.parametrize("kind", ["mobile", "both"])
def test_scoring_traces_each_unit_once_and_leaves_the_template_as_it_was(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, strategies = template_of(kind)
    before, traced = state(model), []
    run = Segment.run

    def counted(self: Segment, inputs: Any, keeps: Any, training: bool = False) -> Any:
        traced.append((id(self), tuple(keeps), training))
        return run(self, inputs, keeps, training)

    monkeypatch.setattr(Segment, "run", counted)
    evaluate_strategies(model, strategies, BATCHES, train_clips=BATCHES)
    assert len(traced) == len(set(traced)) > 2 * len(model.gates)
    assert state(model) == before
    assert all(gate.trainable for gate in model.gates)


@pytest.mark.parametrize("kind", list(STRATEGIES))
@pytest.mark.slow
def test_scores_are_those_of_recalibrated_networks(kind: str, eager: None) -> None:
    """And the logits behind them are equal."""
    model, strategies = template_of(kind)
    scores = evaluate_strategies(
        model,
        strategies,
        BATCHES,
        train_clips=BATCHES,
        options=EvaluationOptions(recalibration_batches=1),
    )
    found = []
    for score, text in zip(scores, strategies, strict=True):
        network = derive(model, text)
        recalibrate(network, BATCHES, batches=1)
        expected = logits(network)
        with restored_gates(model), restored(model):
            set_strategy(model, text)
            recalibrate(model, BATCHES, batches=1)
            difference = np.abs(logits(model) - expected).max()
        assert difference <= 1e-5 * max(1.0, np.abs(expected).max()), text
        ranked = np.argsort(-expected, 1, kind="stable") == LABELS[:, None]
        assert (score.top1, score.top5) == (ranked[:, 0].mean(), ranked[:, :5].any(1).mean())
        found.append(expected)
    assert np.abs(found[0] - found[1]).max() > 1e-3  # or equality would say little

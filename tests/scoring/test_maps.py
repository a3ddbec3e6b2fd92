"""The mean average precision of each strategy, of clips that have several classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.several import average_precision
from vdroppath_tf.zoo import template_micro

RANDOM = np.random.default_rng(3)
CLIPS = RANDOM.integers(0, 256, (6, 4, 16, 16, 3)).astype("uint8")
HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]], "float32")
BATCHES = [(CLIPS[:4], HOT[:4]), (CLIPS[4:], HOT[4:])]
STRATEGIES = ["S S S S S S", "ST ST ST ST ST ST"]


@pytest.fixture(scope="module")
def template() -> Any:
    model = template_micro(3, clip_shape=(4, 16, 16), multi_label=True, num_train_examples=4)
    for weight in model.weights:  # far from where all answers are nearly the same
        if weight.path.endswith("kernel"):
            weight.assign(RANDOM.normal(0, 0.5, weight.shape))
    return model


def test_is_that_of_the_template_run_by_itself(template: Any, tmp_path: Path) -> None:
    scores = evaluate_strategies(template, STRATEGIES, BATCHES)
    found = [score.map for score in scores]
    for strategy, score in zip(STRATEGIES, scores, strict=True):
        set_strategy(template, strategy)
        expected = np.nanmean(average_precision(HOT, template(CLIPS, training=False).numpy()))
        assert score.map == pytest.approx(expected)
    set_strategy(template, "mode")
    assert len({*found}) == 2
    options = EvaluationOptions(resume=tmp_path)
    for _ in range(2):  # the second takes all from the file
        again = evaluate_strategies(template, STRATEGIES, BATCHES, options=options)
        assert [score.map for score in again] == found
    scores.save(tmp_path / "scores.npz")
    assert [score.map for score in StrategyScores.load(tmp_path / "scores.npz")] == found


def test_none_where_a_clip_has_one_class() -> None:
    model = template_micro(3, clip_shape=(4, 16, 16), num_train_examples=4)
    clips = [(CLIPS, HOT.argmax(1))]
    [score] = evaluate_strategies(model, STRATEGIES[:1], clips)
    assert score.map is None

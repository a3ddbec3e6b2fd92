"""A stopped evaluation or race goes on where it was and ends the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.scoring.evaluate import evaluate_strategies, race_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.race import Race

RNG = np.random.default_rng(3)
CLIPS = RNG.integers(0, 256, (12, *tiny.SHAPE, 3), np.uint8)
LABELS = RNG.integers(0, 4, 12)
BATCHES = [(CLIPS[k : k + 4], LABELS[k : k + 4]) for k in (0, 4, 8)]
STRATEGIES = ["S ST S+ST", "S ST -", "- - -"]


@pytest.fixture(scope="module")
def template() -> Any:
    return tiny.template(num_train_examples=4)


def broken(after: int) -> Iterator[Any]:
    yield from BATCHES[:after]
    raise KeyboardInterrupt


@pytest.mark.parametrize("call", [evaluate_strategies, race_strategies])
def test_it_goes_on(template: Any, call: Any, tmp_path: Path) -> None:
    def run(clips: Any, train_clips: Any, steps: list[int] | None = None, **options: Any) -> Any:
        return call(
            template,
            STRATEGIES[:2],
            clips,
            train_clips=train_clips,
            options=EvaluationOptions(
                on_strategy=None if steps is None else lambda: steps.append(1), **options
            ),
        )

    whole = run(BATCHES, BATCHES[:2])
    with pytest.raises(KeyboardInterrupt):
        run(BATCHES, broken(1), resume=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(broken(2), BATCHES[:2], resume=tmp_path)
    set_strategy(template, "S S S")  # what it runs otherwise is not of the result
    steps: list[int] = []
    again = run(BATCHES, BATCHES[:2], steps, resume=tmp_path)
    set_strategy(template, "mode")
    assert len(steps) == 2  # one batch was left
    assert list(again) == list(whole)
    np.testing.assert_array_equal(again.right, whole.right)
    np.testing.assert_array_equal(again.labels, whole.labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["right.npz", "statistics.npz"]


def test_it_goes_on_with_nothing_else(template: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "train_clips": BATCHES[:1],
        "options": EvaluationOptions(resume=tmp_path),
    }
    more = EvaluationOptions(resume=tmp_path, recalibration_batches=3)
    evaluate_strategies(template, STRATEGIES, BATCHES, **options)
    before = tiny.tree(tmp_path)
    for message, strategies, clips, other in (
        ("right.npz: holds results of other clips .batch 2.", STRATEGIES, BATCHES[::2], {}),
        ("right.npz: holds results of other clips .1 batches; 3", STRATEGIES, BATCHES[:1], {}),
        ("statistics.npz: holds .* other weights, strat", STRATEGIES[:2], BATCHES, {}),
        ("clips .batch 1", STRATEGIES, BATCHES, {"train_clips": BATCHES[1:]}),
        ("other weights", STRATEGIES, BATCHES, {"options": more}),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate_strategies(template, strategies, clips, **{**options, **other})
    weight = template.get_layer("stem_bn").gamma
    kept = np.asarray(weight)
    weight.assign(kept * 2)
    with pytest.raises(ValueError, match="other weights"):
        evaluate_strategies(template, STRATEGIES, BATCHES, **options)
    weight.assign(kept)
    assert tiny.tree(tmp_path) == before


def test_a_race_scores_ever_fewer(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which ones are dropped is test_race's; here: they are scored no more, and it ends early."""
    script = iter([[0, 1], [1]])

    def after(self: Race, right: np.ndarray) -> list[int]:
        assert right.shape == (3, 4)
        self.active = next(script)
        return self.active

    monkeypatch.setattr(Race, "after", after)
    steps: list[int] = []
    options = EvaluationOptions(on_strategy=lambda: steps.append(1))
    scores = race_strategies(template, STRATEGIES, BATCHES, options=options)
    assert len(steps) == 3 + 2
    assert [score.clips for score in scores] == [8, 8, 4]
    assert scores.right is not None
    assert not scores.right[2, 4:].any()
    every = evaluate_strategies(template, STRATEGIES, BATCHES[:2])
    assert [score.top1 for score in scores][:2] == [score.top1 for score in every][:2]


def test_a_race_of_clips_class_by_class(template: Any) -> None:
    clips = np.repeat(CLIPS[:1], 16, 0)
    with pytest.raises(ValueError, match=r"16 clips holds only class 2.*shuffle"):
        race_strategies(template, STRATEGIES, [(clips, np.full(16, 2))])
    with pytest.raises(ValueError, match="between 0 and 1"):
        race_strategies(template, STRATEGIES, BATCHES, level=0.0)

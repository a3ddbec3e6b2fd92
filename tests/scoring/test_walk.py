"""The tree of strategies: what is shared is computed once, in any pieces, with equal results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.layers.gates import restored_gates, set_strategy, strategy_masks
from vdroppath_tf.scoring.cutting import cut
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.folding import Convolved
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.walk import StrategyTree

RNG = np.random.default_rng(3)
CLIPS = RNG.integers(0, 256, (5, *tiny.SHAPE, 3), np.uint8)
STRATEGIES = ["S ST S+ST", "S ST S", "S - S", "- - -", "S ST S", "S+ST ST ST"]


@pytest.fixture(scope="module")
def template() -> Any:
    model = tiny.template(num_train_examples=4, drop_layer=True)
    for weight in model.weights:
        if weight.path.split("/")[-1] in ("gamma", "moving_variance"):
            weight.assign(RNG.uniform(0.5, 2.0, weight.shape))
    return model


def tree_of(model: Any) -> StrategyTree:
    return StrategyTree(model, [strategy_masks(model, text) for text in STRATEGIES])


def logits_of(tree: StrategyTree, rows: Any = None) -> dict[int, np.ndarray]:
    found: dict[int, np.ndarray] = {}
    for same, logits in tree.logits(CLIPS, range(len(tree)) if rows is None else rows):
        found |= dict.fromkeys(same, logits.numpy())
    return found


def test_logits_are_those_of_the_template(template: Any) -> None:
    found = logits_of(tree_of(template))
    with restored_gates(template):
        for k, text in enumerate(STRATEGIES):
            set_strategy(template, text)
            expected = template(CLIPS, training=False)
            np.testing.assert_allclose(found[k], expected, rtol=1e-5, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3  # or equality would say little


def test_shared_layers_run_once(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tree, runs = tree_of(template), []
    step = StrategyTree._run

    def counted(self: StrategyTree, depth: int, *args: Any) -> Any:
        runs.append(depth)
        return step(self, depth, *args)

    monkeypatch.setattr(StrategyTree, "_run", counted)
    logits_of(tree)
    assert np.bincount(runs).tolist() == tree.nodes() == [1, 3, 4, 5]
    runs.clear()
    assert set(logits_of(tree, [1, 4])) == {1, 4}
    assert np.bincount(runs).tolist() == tree.nodes([1, 4]) == [1, 1, 1, 1]


def test_what_is_off_is_not_computed(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a block without a path only the shortcut runs, which earlier strategies share too."""
    ran: list[str] = []
    of = Convolved.of

    def noted(layer: Any, x: Any) -> Any:
        ran.append(layer.name)
        return of(layer, x)

    monkeypatch.setattr(Convolved, "of", noted)
    masks = [strategy_masks(template, "- - -")]
    list(StrategyTree(template, masks).logits(CLIPS, [0]))
    shortcuts = [la.name for la in template.layers if la.name.endswith("shortcut_conv")]
    assert sorted(ran) == sorted(["stem_conv", *shortcuts])


def test_pieces_that_fit_the_memory_give_the_same(template: Any) -> None:
    labels = np.arange(5) % 4
    each = tree_of(template).bytes_per_clip((*tiny.SHAPE, 3))
    whole = evaluate_strategies(template, STRATEGIES, [(CLIPS, labels)])
    steps: list[int] = []
    options = EvaluationOptions(on_strategy=lambda: steps.append(1), memory_bytes=2 * each)
    cut_up = evaluate_strategies(template, STRATEGIES, [(CLIPS, labels)], options=options)
    np.testing.assert_array_equal(whole.right, cut_up.right)
    assert len(steps) == len(STRATEGIES)
    options = EvaluationOptions(memory_bytes=each - 1)
    with pytest.raises(ValueError, match=rf"needs up to {each} bytes.*Received: {each - 1}"):
        evaluate_strategies(template, STRATEGIES, [(CLIPS, labels)], options=options)


def test_the_estimate_of_memory_counts_every_activation(template: Any) -> None:
    """By hand: float32 outputs of the first segment are not below what the estimate says."""
    first = cut(template)[0]
    clips = tf.cast(CLIPS[:1], tf.float32)
    held = sum(int(tf.size(x)) * 4 for x in first.run([clips], {}))
    assert 0 < held < tree_of(template).bytes_per_clip((*tiny.SHAPE, 3))

"""evaluate_strategies: scores are those of derived networks, each clip is decoded once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.derivation import derive
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.recalibration import recalibrate
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.scoring.segments import Segment
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Clips

RNG = np.random.default_rng(3)
CLASSES = 7  # more than 5, so that top-5 says something
LABELS = RNG.integers(0, CLASSES, 22)
CLIPS = RNG.integers(0, 256, (22, *tiny.SHAPE, 3), np.uint8)
TRAINING = RNG.integers(0, 256, (12, *tiny.SHAPE, 3), np.uint8)
STRATEGIES = ["S ST S+ST", "ST ST ST", "- S ST", "S+ST - S", "- - -", "S+ST S+ST S+ST"]
Batches = list[tuple[Any, Any]]


def batches(clips: np.ndarray = CLIPS, size: int = 8) -> Batches:
    """The last one is smaller."""
    pairs = tf.data.Dataset.from_tensor_slices((clips, LABELS[: len(clips)])).batch(size)
    return list(pairs)


def training() -> Batches:
    return batches(TRAINING, 4)


@pytest.fixture(scope="module")
def template() -> Any:
    """Untrained, but with scales and statistics that tell strategies apart."""
    keras.utils.set_random_seed(5)
    model = tiny.template(CLASSES, dropout=0.3, num_train_examples=12)
    tiny.draw_norms(model, seed=5)
    return model


def state(model: Any) -> dict[str, bytes]:
    values = {f"{k} {v.path}": v for k, v in enumerate(model.variables)}
    return {path: tf.convert_to_tensor(v).numpy().tobytes() for path, v in values.items()}


def switches(model: Any) -> list[Any]:
    norms = [la for la in model.layers if isinstance(la, keras.layers.BatchNormalization)]
    gates = [gate.trainable for gate in model.gates]
    return [gates, [norm.momentum for norm in norms], len(model.trainable_variables)]


def accuracy(network: Any) -> tuple[float, float]:
    logits = np.concatenate([network(clips, training=False) for clips, _ in batches()])
    ranked = np.argsort(-logits, 1) == LABELS[:, None]
    return float(ranked[:, 0].mean()), float(ranked[:, :5].any(1).mean())


def test_views_are_averaged_as_softmax(template: Any) -> None:
    """Videos of two views each, by hand."""
    labels = LABELS[::2]
    pairs = tf.data.Dataset.from_tensor_slices((CLIPS, labels.repeat(2))).batch(8)
    scores = evaluate_strategies(
        template, STRATEGIES[:2], list(pairs), options=EvaluationOptions(views=2)
    )
    for score in scores:
        network = derive(template, score.strategy)
        softmax = tf.nn.softmax(network(CLIPS, training=False)).numpy()
        ranked = np.argsort(-(softmax[::2] + softmax[1::2]), 1) == labels[:, None]
        assert score.clips == 11
        assert score.top1 == pytest.approx(ranked[:, 0].mean())
        assert score.top5 == pytest.approx(ranked[:, :5].any(1).mean())
    with pytest.raises(ValueError, match="no multiple of 3 views"):
        evaluate_strategies(
            template, STRATEGIES[:1], list(pairs), options=EvaluationOptions(views=3)
        )


def test_scores_are_those_of_derived_networks(template: Any) -> None:
    scores = evaluate_strategies(template, STRATEGIES, batches())
    assert not scores.recalibrated
    assert [str(score.strategy) for score in scores] == STRATEGIES
    expected = [accuracy(derive(template, text)) for text in STRATEGIES]
    np.testing.assert_allclose([(s.top1, s.top5) for s in scores], expected)
    assert all(score.clips == len(CLIPS) for score in scores)
    assert len({s.top1 for s in scores}) > 1  # or equality would say little


def test_recalibrated_scores_are_those_of_recalibrated_networks(template: Any) -> None:
    scores = evaluate_strategies(template, STRATEGIES, batches(), train_clips=training())
    assert scores.recalibrated
    expected = []
    for text in STRATEGIES:
        network = derive(template, text)
        recalibrate(network, training())
        expected.append(accuracy(network))
    np.testing.assert_allclose([(s.top1, s.top5) for s in scores], expected)
    plain = evaluate_strategies(template, STRATEGIES, batches())
    assert [s.top1 for s in scores] != [s.top1 for s in plain]


def test_recalibration_is_the_mean_of_the_batches_own_statistics(template: Any) -> None:
    network = derive(template, "ST S+ST S")
    recalibrate(network, training(), batches=2)
    stem = network.get_layer("stem_bn")
    before = keras.Model(network.inputs, stem.input)
    seen = [np.asarray(before(clips)) for clips, _ in training()[:2]]
    means = np.mean([x.mean((0, 1, 2, 3)) for x in seen], 0)
    variances = np.mean([x.var((0, 1, 2, 3)) for x in seen], 0)
    np.testing.assert_allclose(stem.moving_mean, means, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(stem.moving_variance, variances, rtol=1e-4, atol=1e-5)
    assert stem.momentum == 0.9


def test_a_frozen_network_is_recalibrated_too(template: Any) -> None:
    """Though a frozen batch norm runs as at inference, and so would keep what it has."""
    free, frozen = derive(template, "ST S+ST S"), derive(template, "ST S+ST S")
    frozen.trainable = False
    recalibrate(free, training())
    recalibrate(frozen, training())
    assert not any(layer.trainable for layer in frozen.layers)
    for mine, theirs in zip(frozen.weights, free.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_template_is_recalibrated_for_what_it_runs(template: Any) -> None:
    before = [np.asarray(v) for v in template.weights]
    set_strategy(template, "ST S+ST S")
    try:
        recalibrate(template, training())
        network = derive(template, "ST S+ST S")
        recalibrate(network, training())
        mine = template.get_layer("stage2_block2_fusion_bn").moving_mean
        theirs = network.get_layer("stage2_block2_fusion_bn").moving_mean
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    finally:
        for weight, value in zip(template.weights, before, strict=True):
            weight.assign(value)


def test_the_model_is_left_as_it_was(template: Any) -> None:
    set_strategy(template, "S S S")
    before, switched = state(template), switches(template)
    evaluate_strategies(template, STRATEGIES[:2], batches(), train_clips=training())
    assert state(template) == before
    assert switches(template) == switched
    set_strategy(template, "mode")


def broken(pairs: Batches, after: int) -> Iterator[Any]:
    yield from pairs[:after]
    raise RuntimeError("the disk is gone")


@pytest.mark.parametrize("part", ["validation", "training"])
def test_also_when_it_fails_midway(template: Any, part: str) -> None:
    before, switched = state(template), switches(template)
    clips = broken(batches(), 1) if part == "validation" else batches()
    train_clips = broken(training(), 1) if part == "training" else training()
    with pytest.raises(RuntimeError, match="the disk is gone"):
        evaluate_strategies(template, STRATEGIES[:2], clips, train_clips=train_clips)
    assert state(template) == before
    assert switches(template) == switched
    network = derive(template, "S S S")
    before = state(network)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        recalibrate(network, broken(training(), 1))
    assert state(network) == before


def test_each_batch_is_taken_once_and_nothing_is_retraced(
    template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, traced, steps = itertools.count(), itertools.count(), itertools.count()

    def counted(pairs: Batches) -> Iterator[Any]:
        for pair in pairs:
            next(taken)
            yield pair

    run = Segment.run

    def traced_run(*args: Any, **options: Any) -> Any:
        next(traced)
        return run(*args, **options)

    monkeypatch.setattr(Segment, "run", traced_run)
    units = ["S", "ST", "S+ST", "-"]
    many = [" ".join(row) for row in itertools.product(units, repeat=3)][:20]
    several = batches(CLIPS[:18])  # the last one is smaller
    options = EvaluationOptions(on_strategy=lambda: next(steps))
    evaluate_strategies(template, many, counted(several), options=options)
    # before the first fusion layer; then each layer under each unit that occurs: S and ST, all, all
    assert (next(taken), next(traced), next(steps)) == (3, 1 + 2 + 4 + 4, 3 * len(many))


def test_few_batches_are_taken_for_recalibration(template: Any) -> None:
    taken = []

    def counted() -> Iterator[Any]:
        for pair in training():
            taken.append(1)
            yield pair

    evaluate_strategies(
        template,
        STRATEGIES[:1],
        batches(),
        train_clips=counted(),
        options=EvaluationOptions(recalibration_batches=2),
    )
    assert len(taken) == 2


def test_numbers_of_a_score() -> None:
    strategy = FusionStrategy.parse("S S")
    scores = StrategyScores(
        tuple(StrategyScore(strategy, top1, 1.0, 100) for top1 in (0.2, 0.8, 0.8)), False
    )
    assert scores[0].standard_error == pytest.approx(math.sqrt(0.2 * 0.8 / 100))
    assert scores.best is scores[1]  # the first of equals
    assert len(scores) == 3
    assert list(scores) == list(scores.scores)


def test_top5_of_few_classes_is_all() -> None:
    model = tiny.template(4, num_train_examples=4)
    pairs = [(CLIPS[:4], np.array([0, 1, 2, 3]))]
    (score,) = evaluate_strategies(model, ["S S S"], pairs)
    assert score.top5 == 1.0


def test_what_is_refused(template: Any) -> None:
    wrong = FusionStrategy.parse("S S S", "densenet121")
    for strategies, clips, message in (
        ([], batches(), "no strategies"),
        (["S S"], batches(), "2.*3|3.*2"),
        ([wrong], batches(), "densenet121.*nano|nano.*densenet121"),
        (["S S T"], batches(), "T"),
        (["S S S"], [], "no clips to evaluate on"),
        (["S S S"], [(CLIPS[:2], np.array([0, CLASSES]))], r"0 to 6.*\[0, 7\]|0 to 6.*7"),
        (["S S S"], [(CLIPS[:2], np.eye(CLASSES)[:2])], r"Labels must be \(batch,\)"),
        (["S S S"], [(CLIPS[:2, 0], LABELS[:2])], r"^Clips must be RGB .*\(2, 16, 16, 3\)$"),
        (["S S S"], [(CLIPS[:2].astype("int32"), LABELS[:2])], r"^Clips must .* dtype int32$"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate_strategies(template, strategies, clips)
    with pytest.raises(ValueError, match="no training clips"):
        evaluate_strategies(template, ["S S S"], batches(), train_clips=[])
    with pytest.raises(ValueError, match="1 batch or more"):
        recalibrate(derive(template, "S S S"), training(), batches=0)
    with pytest.raises(ValueError, match="no gated fusion layers"):
        evaluate_strategies(derive(template, "S S S"), ["S S S"], batches())


def test_a_trained_template_on_real_clips(motion: Any) -> None:
    """The data sets of the pipeline, as commands use them."""
    from vdroppath_tf.data.clips.pipeline import evaluation_clips, training_clips

    recipe, clips = tiny.recipe(0, 1), tiny.clips_of(motion)
    assert clips.validation is not None
    model = tiny.run_template(Clips(clips.train), recipe).model
    before = state(model)
    scores = evaluate_strategies(
        model,
        ["S S S", "ST ST ST"],
        evaluation_clips(clips.validation, recipe.evaluation, batch_size=4),
        train_clips=training_clips(clips.train, recipe.sampling, batch_size=8),
    )
    assert [score.clips for score in scores] == [tiny.COUNTS[1]] * 2
    assert state(model) == before

"""Trains and scores the networks of a ranking on clips in memory.

A strategy is trained stand-alone as a new template with frozen gates: under hard masks it computes
what the derived network computes, forward and backward, so all strategies share one traced step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.experiments.ranking.plan import BATCH, ROW, TASK, TEST_BATCH, Plan
from vdroppath_tf.experiments.tasks.in_memory import ArrayClips
from vdroppath_tf.experiments.tasks.shapes import labels
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.one_strategy import OneStrategy
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.training import Recipe
from vdroppath_tf.training.averages import KeepAverages, WeightAverages
from vdroppath_tf.training.fit import finish, prepare
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.schedules import learning_rate
from vdroppath_tf.zoo.constructors import constructors

_CLASSES = len(labels(TASK))


@named
def new_template(recipe: Recipe, examples: int) -> FusionModel:
    """Builds a template of the ranking's row, initialised with the recipe's seed."""
    template, _ = constructors(ROW)
    keras.utils.set_random_seed(recipe.seed)
    options = {**recipe.network_options, **recipe.gate_options}
    return template(_CLASSES, num_train_examples=examples, **options)


@named
def trained_template(plan: Plan, which: str, train: ArrayClips) -> FusionModel:
    """Trains one of ``TEMPLATES``."""
    recipe = plan.template(which)
    template = new_template(recipe, len(train))
    train_template(template, recipe, train)
    return template


@named
def train_template(
    template: FusionModel, recipe: Recipe, train: ArrayClips, *, take: bool = True
) -> WeightAverages | None:
    """Trains a new template in its recipe's phases, on clips in memory.

    Args:
        template: The template.
        recipe: The recipe.
        train: The clips.
        take: Whether averages of the weights (the recipe's ``ema``) replace the last weights at
            the end of each phase. Defaults to True, as in ``training.train``.

    Returns:
        The averages of the last phase; None if the recipe has none.
    """
    size, first, averages = recipe.batch_size, 0, None
    steps = len(train) // size
    for phase in recipe.template_phases():
        if take:
            finish(averages)
        averages = prepare(template, phase, recipe, steps)
        template.fit(
            _batches(train, size, recipe.seed, range(first, first + phase.epochs)),
            steps_per_epoch=steps,
            epochs=phase.epochs,
            callbacks=[] if averages is None else [KeepAverages(averages)],
            verbose=0,
            shuffle=False,
        )
        first += phase.epochs
    if take:
        finish(averages)
    return averages


def _batches(train: ArrayClips, size: int, seed: int, epochs: range) -> tf.data.Dataset:
    """The batches of ``train.shuffled``, gathered by TensorFlow: it calls nothing that it keeps."""
    order = np.concatenate([train.order(size, seed=seed, epoch=epoch) for epoch in epochs])
    clips, labels = tf.constant(train.clips), tf.constant(train.labels)
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .map(lambda some: (tf.gather(clips, some), tf.gather(labels, some)))
        .prefetch(2)
    )


@named
def score(
    template: FusionModel,
    strategies: Sequence[str],
    train: ArrayClips | None,
    test: ArrayClips,
    *,
    adapt_steps: int = 0,
) -> list[float]:
    """Returns the top-1 of strategies; without ``train`` batch norm is not recalibrated."""
    count = max(8, adapt_steps)
    some = None if train is None else list(islice(train.shuffled(BATCH, seed=0), count))
    scores = evaluate_strategies(
        template,
        strategies,
        test.in_order(TEST_BATCH),
        train_clips=some,
        options=EvaluationOptions(adapt_steps=adapt_steps),
    )
    return [found.top1 for found in scores]


@named
def stand_alone_top1(
    plan: Plan, strategy: str, seed: int, train: ArrayClips, test: ArrayClips
) -> float:
    """Returns the accuracy of one strategy, trained from scratch."""
    one, rates = _untrained(plan, seed)
    with one.begin():
        one.start(strategy)
        one.train(train.shuffled(BATCH, seed=seed), rates)
        return top1_of(one, test)


@named
def top1_of(one: OneStrategy, test: ArrayClips) -> float:
    """Returns the accuracy of the strategy that a template runs."""
    parts = test.in_order(TEST_BATCH)
    right = [one.logits(clips).numpy().argmax(1) == own for clips, own in parts]
    return float(np.concatenate(right).mean())


@cache
def _untrained(plan: Plan, seed: int) -> tuple[OneStrategy, list[float]]:
    """Returns a new network with all paths, and the learning rate of each step."""
    recipe = plan.stand_alone.replace(seed=seed)
    (phase,) = recipe.stand_alone_phases()
    one = OneStrategy(new_template(recipe, plan.clips[0]), momentum=recipe.momentum)
    return one, rates_of(phase, plan.clips[0] // BATCH)


@named
def rates_of(phase: Phase, steps_per_epoch: int) -> list[float]:
    """Returns the learning rate of each step of a phase."""
    schedule = learning_rate(phase, steps_per_epoch)
    return [float(schedule(step)) for step in range(phase.epochs * steps_per_epoch)]

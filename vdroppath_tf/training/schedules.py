"""Learning rates over the steps of a phase."""

from __future__ import annotations

import keras

from vdroppath_tf.names import named
from vdroppath_tf.training.phase import Phase


@named
def learning_rate(
    phase: Phase, steps_per_epoch: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns a phase's schedule: tenfold drops at its epochs, or a linear rise and a cosine."""
    if phase.cosine:
        steps = max(phase.epochs * steps_per_epoch, 2)
        rise = min(steps_per_epoch, steps // 2)
        return keras.optimizers.schedules.CosineDecay(
            phase.learning_rate / 10,
            steps - rise,
            warmup_target=phase.learning_rate,
            warmup_steps=rise,
        )
    if not phase.drops:
        return keras.optimizers.schedules.PiecewiseConstantDecay([2**62], [phase.learning_rate] * 2)
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        # a rate applies up to and including its boundary; steps count from 0
        [epoch * steps_per_epoch - 1 for epoch in phase.drops],
        [phase.learning_rate * 0.1**k for k in range(len(phase.drops) + 1)],
    )

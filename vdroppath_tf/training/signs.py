"""Warning signs in a run that continues, each in one line with a remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.fusion import BRANCHES, FusionConv
from vdroppath_tf.layers.gates import named_drops, strength_of
from vdroppath_tf.layers.normalization import EPSILON, MOMENTUM
from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import PRIOR_STRENGTH, two_digits, weaker_prior
from vdroppath_tf.spaces.pushes import Pushes, share_of
from vdroppath_tf.training.pace import Pace

INPUT_BOUND = 0.3
"""The share of the time spent waiting for clips from which on a warning is shown."""
SATURATED = 0.01
"""A gate whose drop probability is nearer than this to 0 or 1 has hardly any gradient."""
_MOST = 0.5  # the share of saturated gates from which on a warning is shown
_DROPPED = 0.9  # a path that is dropped this often may be dead
_DEAD = 0.01 * EPSILON  # a variance below this is negligible for a batch norm
_ROUNDING = 2e-6  # the relative rounding of the earlier variance in float32
_NAMED = 3
_MANY_TIMES = 10.0  # the task's loss: a KL above this dominates
_SLOWER_GATES = (
    "Lower gate_learning_rate= (--gate_learning_rate=), or train the weights for longer first, "
    "warmup_epochs= (--warmup_epochs=)."
)
_VARIANCE = "/moving_variance"


@named
def input_bound(pace: Pace | None) -> str | None:
    """Returns a warning if the videos are read too slowly, else None."""
    if pace is None or math.isnan(pace.wait_share) or pace.wait_share < INPUT_BOUND:
        return None
    return (
        f"The network waits for clips for {pace.wait_share:.0%} of the time: videos are decoded "
        "too slowly. `vdroppath convert` makes records that are read several times as fast; more "
        "processor cores or a smaller short_edge= (--short_edge=) help too."
    )


@named
def saturated_gates(
    model: keras.Model,
    epoch: int,
    epochs: int,
    *,
    losses: Mapping[str, float] | None = None,
    pushes: Pushes | None = None,
) -> str | None:
    """Returns a warning if gates have lost their gradient early in a search, else None.

    Args:
        model: A template whose gates learn.
        epoch: The number of finished epochs of the search.
        epochs: The number of all its epochs.
        losses: The ``task_loss`` and the ``kl`` of the epoch. Defaults to None: unknown.
        pushes: What pushed the gates until then. Defaults to None: unknown.
    """
    drops = np.array(list(named_drops(model).values()))
    many = int(((drops < SATURATED) | (drops > 1.0 - SATURATED)).sum())
    if 2 * epoch > epochs or many <= _MOST * len(drops):
        return None
    dropped = int((drops > 1.0 - SATURATED).sum())
    remedy = _weaker_prior(model, losses or {}, pushes) if 2 * dropped > many else None
    return (
        f"{many} of {len(drops)} gates are saturated after {epoch} of {epochs} epochs (p below "
        f"{SATURATED:g} or above {1 - SATURATED:g}): they have hardly any gradient, so they will "
        f"hardly change. {remedy or _SLOWER_GATES}"
    )


def _weaker_prior(
    model: keras.Model, losses: Mapping[str, float], pushes: Pushes | None
) -> str | None:
    """Returns what to do if the prior, not the data, made most saturated gates drop, else None."""
    strength = strength_of(model)
    if strength is not None and strength <= 0.0:
        return None
    found = []
    task, kl = (losses.get(name, math.nan) for name in ("task_loss", "kl"))
    if kl > _MANY_TIMES * task and (strength is None or strength > PRIOR_STRENGTH):
        found.append(f"the KL is {kl:.3g}, the task's loss {task:.3g}")
    if pushes is not None and (share := _share_of_prior(pushes)) > 0.5:
        found.append(f"{share:.0%} of the gates' gradient in the last epoch came from the prior")
    if not found:
        return None
    now = "" if strength is None else f" of strength {two_digits(strength)}"
    return (
        f"The prior{now} did it: {' and '.join(found)}. Train again with a weaker prior, "
        f"{weaker_prior(strength)}."
    )


def _share_of_prior(pushes: Pushes) -> float:
    """Returns the part of the gradient of all gates in the last epoch that was the prior's."""
    data, prior = pushes.gradients().sum(axis=0)
    return share_of(prior, data)


@named
def variances(model: keras.Model) -> dict[str, np.ndarray]:
    """Returns the moving variances of all batch norms by path, for ``dead_layers``."""
    found = (weight for layer in model.layers for weight in layer.weights)
    return {w.path: _array(w) for w in found if w.path.endswith(_VARIANCE)}


@named
def dead_layers(
    model: keras.Model, *, gated: bool, before: Mapping[str, np.ndarray], steps: int
) -> str | None:
    """Returns a warning if layers give the same output for every clip, else None.

    A layer is dead if the variance that its batch norm measured in these steps is below a hundredth
    of the batch norm's epsilon in every channel. The variance follows from the moving variances
    before and after the steps. Paths that the gates drop may be dead.

    Args:
        model: The network.
        gated: Whether gates learn: the layers of dropped paths are then ignored.
        before: The ``variances`` of the model before these steps.
        steps: The number of steps.
    """
    found = list(dict.fromkeys(_dead(model, gated, before, steps))) if steps else []
    if not found:
        return None
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return (
        f"{len(found)} layers are dead (the same output for every clip): "
        f"{', '.join(found[:_NAMED])}{more}. Lower the learning rate, learning_rate= "
        "(--learning_rate=), or the prior, prior_strength= (--prior_strength=), and train again."
    )


def _dead(
    model: keras.Model, gated: bool, before: Mapping[str, np.ndarray], steps: int
) -> Iterator[str]:
    kept = MOMENTUM**steps
    drops = named_drops(model) if gated else {}
    some_dropped = any(p > _DROPPED for p in drops.values())
    for layer in model.layers:
        fusion = isinstance(layer, FusionConv)
        if some_dropped and not fusion:
            continue
        for weight in layer.weights:
            if not weight.path.endswith(_VARIANCE):
                continue
            if fusion and _is_dropped(layer.name, weight.path, drops):
                continue
            earlier = before[weight.path]
            measured = (_array(weight) - kept * earlier) / (1.0 - kept)
            if (measured < _DEAD + _ROUNDING * earlier).all():
                yield weight.path.rpartition("/")[0].removesuffix("_bn")


def _is_dropped(layer: str, path: str, drops: dict[str, float]) -> bool:
    """Whether the gates drop the path of a fusion layer to which a weight belongs."""
    parts = {part.removesuffix("_bn") for part in path.split("/")}
    paths = [f"{layer}/{branch}" for branch, (name, _) in BRANCHES.items() if name in parts]
    own = [p for gate, p in drops.items() if any(_is_of(gate, path) for path in paths)]
    return bool(own) and min(own) > _DROPPED


def _array(weight: keras.Variable) -> np.ndarray:
    return np.asarray(tf.convert_to_tensor(weight), "float64")


def _is_of(gate: str, path: str) -> bool:
    return gate == path or gate.startswith(f"{path}/")

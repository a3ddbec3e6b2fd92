"""Records how far the data and the prior push the gates of a template while it is trained.

The gradient of a gate's logit is the sum of the gradient of the task's loss (the data) and that of
the KL term (the prior). A training step computes the sum. The same gradient tape also computes the
gradient of the KL term separately, which takes only a few operations per layer, and the difference
is the part of the data. Both parts are exact for every form of the KL term.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.drop_path import VariationalDropPath, probability
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import branches_of, fusion_layers, gates_of
from vdroppath_tf.models.steps import replicas
from vdroppath_tf.spaces.layer_gates import branch_table, layers_with_gates
from vdroppath_tf.spaces.pushes import RECORDED, GateValues, Pushes

_SAME = 1e-5  # largest difference in p between a model and the end of a record that is its own


class PushRecord:
    """The pushes of all gates of a model: sums over the current epoch, and totals over all epochs.

    The sums of the current epoch are on the device, the totals in numpy arrays. A record is not
    part of the model's weights, so it is lost unless ``fields`` is saved. All arrays are flat: they
    list the gates in the order of ``gates_of``, and of each gate its paths, then D1 if it has one.

    Args:
        model: keras.Model, a template.
    """

    def __init__(self, model: keras.Model) -> None:
        self.count = len(drop_of(model))
        self.sums: Any = None  # created by ``prepare``
        self.epochs = 0
        self.values: dict[str, np.ndarray] = {}
        self.ends: np.ndarray | None = None
        self.began: float | None = None  # the learning rate at the start of the current epoch
        self._earlier: Mapping[str, Any] | None = None  # sums of an epoch that is to be resumed

    def prepare(self) -> None:
        """Creates the sums of an epoch, in the scope of the model's distribution strategy."""
        # summed over the replicas only when read, so that no replica waits for another in a step
        self.sums = tf.Variable(
            np.zeros((2, self.count + 1), "float32"),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def begin_epoch(self, model: keras.Model, learning_rate: float) -> None:
        """Starts the sums of an epoch at 0, or at the restored sums of an unfinished epoch."""
        self.began = learning_rate
        if self._earlier is not None:
            for part, own in zip(_parts(self.sums), self._earlier["sums"], strict=False):
                part.assign(np.array(own, "float32"))
            self.began, self._earlier = float(self._earlier["began"]), None
            return
        self.sums.assign(np.zeros((2, self.count + 1), "float32"))
        drop = drop_of(model)
        if not self._ended_at(drop):
            self.epochs = 0  # the gates were changed since the record ended
            self.values = {name: np.zeros(self.count) for name in RECORDED} | {"since": drop}

    def end_epoch(self, model: keras.Model, learning_rate: float) -> bool:
        """Adds the sums of the epoch to the totals.

        Args:
            model: keras.Model, the template.
            learning_rate: float, the learning rate at the end of the epoch. The pushes are
                multiplied by its mean with the rate at the start.

        Returns:
            bool, whether the epoch had any steps.
        """
        began = learning_rate if self.began is None else self.began
        rate, self.began = (began + learning_rate) / 2.0, None
        sums = tf.convert_to_tensor(self.sums).numpy().astype("float64")
        steps = sums[0, -1]
        if steps == 0.0:
            return False
        gradients = -sums[:, :-1]
        for total, last, own in zip(RECORDED[:2], RECORDED[2:4], gradients, strict=True):
            self.values[total] = self.values[total] + rate * own
            self.values[last] = own / steps
        self.epochs += 1
        self.ends = drop_of(model)
        return True

    def fields(self, *, under_way: bool = False) -> dict[str, Any] | None:
        """Returns the record as data for JSON, or None if nothing was recorded.

        Args:
            under_way: bool, whether to include the sums of an unfinished epoch. Defaults to False.
        """
        if not (self.epochs or (under_way and self.began is not None)):
            return None
        ends = self.values["since"] if self.ends is None else self.ends
        values = {**self.values, "ends": ends}
        found = {"epochs": self.epochs, **{name: one.tolist() for name, one in values.items()}}
        if under_way and self.began is not None:
            sums = [part.numpy().tolist() for part in _parts(self.sums)]
            found["under_way"] = {"began": self.began, "sums": sums}
        return found

    def restore(self, found: Mapping[str, Any]) -> None:
        """Restores a result of ``fields``, unless it is invalid or of a different model."""
        try:
            values = {name: np.array(found[name], "float64") for name in (*RECORDED, "ends")}
            epochs = int(found["epochs"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        numbers = all(
            one.shape == (self.count,) and np.isfinite(one).all() for one in values.values()
        )
        earlier = found.get("under_way")
        started = epochs > 0 or (epochs == 0 and earlier is not None)
        if numbers and started and values["since"].min() >= 0 and values["since"].max() <= 1:
            self.ends = values.pop("ends")
            self.values, self.epochs, self._earlier = values, epochs, earlier

    def of(self, model: keras.Model) -> Pushes | None:
        """Returns the pushes of a model's space, or None if its gates changed after the record."""
        if not self.epochs or not self._ended_at(drop_of(model)):
            return None
        return Pushes.of_flat(self.values, self.epochs, lambda flat: _shaped(model, flat))

    def _ended_at(self, drop: np.ndarray) -> bool:
        """Returns whether the record ends at these probabilities, up to ``_SAME``."""
        return self.ends is not None and np.allclose(drop, self.ends, rtol=0.0, atol=_SAME)


def _parts(sums: Any) -> tuple[Any, ...]:
    """Returns the variables that hold the sums, one per replica."""
    return tuple(getattr(sums, "values", (sums,)))


def logits_of(gate: VariationalDropPath) -> list[keras.Variable]:
    """Returns the logits of a gate: those of its paths, then that of D1 if there is one."""
    return [gate.logit, *([] if gate.layer_logit is None else [gate.layer_logit])]


def drop_of(model: keras.Model) -> np.ndarray:
    """Returns the drop probabilities of all gates as one flat array."""
    logits = [logit for gate in gates_of(model) for logit in logits_of(gate)]
    return np.concatenate([np.ravel(probability(logit)) for logit in logits])


def add_pushes(
    record: PushRecord,
    model: keras.Model,
    gradients: Mapping[str, tf.Tensor],
    kl: Mapping[str, Any],
    *,
    parts: int = 1,
) -> None:
    """Adds the gradients of one step of one replica to the record.

    Args:
        record: PushRecord, the record of the model.
        model: keras.Model, the template.
        gradients: mapping of weight paths to gradients of the whole loss. Frozen gates are missing.
        kl: mapping of weight paths to gradients of the KL term; None for a gradient of 0.
        parts: int, the number of parts into which the batch of a step is split; the gradients are
            those of one part. Defaults to 1.
    """
    both = [_in_order(model, found) for found in (gradients, kl)]
    total, prior = (tf.concat(parts, 0) for parts in both)
    pushes = tf.stack([total - prior, prior])
    pushes = tf.where(tf.math.is_finite(pushes), pushes, 0.0)  # the optimizer skips such a step
    pushes = pushes if parts == 1 else pushes / parts
    share = 1.0 / (parts * replicas())
    record.sums.assign_add(tf.pad(pushes, [[0, 0], [0, 1]], constant_values=share))


def _in_order(model: keras.Model, found: Mapping[str, Any]) -> list[tf.Tensor]:
    """Returns flat gradients in the order of a record, zeros for logits without one."""
    parts: list[tf.Tensor] = []
    for gate in gates_of(model):
        for logit in logits_of(gate):
            size = math.prod(logit.shape)
            own = found.get(logit.path)
            parts.append(tf.zeros(size) if own is None else tf.reshape(own, [size]))
    return parts


def _shaped(model: keras.Model, flat: np.ndarray) -> GateValues:
    """Returns values of the fusion layers' gates, not the classifier's, in a space's layout."""
    branches = branches_of(fusion_layers(model))
    paths, layers, start = [], [], 0
    for _, layer in layers_with_gates(model):
        gate = layer.drop_path
        end = start + gate.paths
        own, start = flat[start:end], end + int(gate.layer_logit is not None)
        if isinstance(layer, FusionConv):
            own = own.reshape(layer.inputs, -1)
            paths.append(branch_table(own, layer.branches, branches, absent=0.0))
            layers.append(0.0 if gate.layer_logit is None else float(flat[end]))
    return GateValues(tuple(paths), layers)

"""A record of what pushes the gates of a template while it is trained: the data, or the prior.

The gradient of a gate is that of the task's loss plus that of the KL. A step of training has the
sum of both; the KL's part is taken by the same tape from the KL alone, which reaches the logits
over a few operations a layer, and the rest is the data's. Both are exact, of any form of the KL.
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

_SAME = 1e-5  # of p: how near gates must be to where a record ends, for it to be theirs


class PushRecord:
    """The pushes of every gate of a model: those of an epoch on the device, their totals here.

    Not a part of the model's weights: what is not saved with ``fields`` is forgotten. Numbers come
    one after another, gate by gate as ``gates_of`` has them, each gate's paths and then its D1.

    Args:
        model: A template.
    """

    def __init__(self, model: keras.Model) -> None:
        self.count = len(drop_of(model))
        self.sums: Any = None  # made by ``prepare``
        self.epochs = 0
        self.values: dict[str, np.ndarray] = {}
        self.ends: np.ndarray | None = None
        self.began: float | None = None  # the learning rate at the start of the epoch under way
        self._earlier: Mapping[str, Any] | None = None  # of an epoch that another process began

    def prepare(self) -> None:
        """Makes the sums of an epoch; to be called in the scope of the model's strategy."""
        # summed over replicas only where it is read: no replica waits for another in a step
        self.sums = tf.Variable(
            np.zeros((2, self.count + 1), "float32"),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def begin_epoch(self, model: keras.Model, learning_rate: float) -> None:
        """Forgets the steps of an epoch that was not finished, unless they were restored."""
        self.began = learning_rate
        if self._earlier is not None:
            for part, own in zip(_parts(self.sums), self._earlier["sums"], strict=False):
                part.assign(np.array(own, "float32"))
            self.began, self._earlier = float(self._earlier["began"]), None
            return
        self.sums.assign(np.zeros((2, self.count + 1), "float32"))
        drop = drop_of(model)
        if not self._ended_at(drop):
            self.epochs = 0  # other gates than those of the record
            self.values = {name: np.zeros(self.count) for name in RECORDED} | {"since": drop}

    def end_epoch(self, model: keras.Model, learning_rate: float) -> bool:
        """Adds the epoch's steps to the totals; whether there were any.

        Args:
            model: The template.
            learning_rate: That at the epoch's end; the mean of both ends counts.
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
        """The record as JSON-able data; None where nothing was recorded.

        Args:
            under_way: Whether the steps of an epoch that is not finished count.
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
        """Takes a record up again that ``fields`` gave; one of another model is left alone."""
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
        """The pushes of the gates of a space; None where these are not where the record ends."""
        if not self.epochs or not self._ended_at(drop_of(model)):
            return None
        return Pushes.of_flat(self.values, self.epochs, lambda flat: _shaped(model, flat))

    def _ended_at(self, drop: np.ndarray) -> bool:
        """Whether the record ends at these probabilities, near enough."""
        return self.ends is not None and np.allclose(drop, self.ends, rtol=0.0, atol=_SAME)


def _parts(sums: Any) -> tuple[Any, ...]:
    """The sums of each replica."""
    return tuple(getattr(sums, "values", (sums,)))


def logits_of(gate: VariationalDropPath) -> list[keras.Variable]:
    """The trainable weights of a gate: the logits of its paths, and that of D1 if there is one."""
    return [gate.logit, *([] if gate.layer_logit is None else [gate.layer_logit])]


def drop_of(model: keras.Model) -> np.ndarray:
    """The drop probabilities of all gates, one after another."""
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
        record: Of the model.
        model: The template.
        gradients: The gradient of the whole loss, by the path of the weight; none of frozen gates.
        kl: That of the KL.
        parts: Into how many parts the batch of a step is cut, of which this is one.
    """
    both = [_in_order(model, found) for found in (gradients, kl)]
    total, prior = (tf.concat(parts, 0) for parts in both)
    pushes = tf.stack([total - prior, prior])
    pushes = tf.where(tf.math.is_finite(pushes), pushes, 0.0)  # a step that is skipped moves none
    pushes = pushes if parts == 1 else pushes / parts
    share = 1.0 / (parts * replicas())
    record.sums.assign_add(tf.pad(pushes, [[0, 0], [0, 1]], constant_values=share))


def _in_order(model: keras.Model, found: Mapping[str, Any]) -> list[tf.Tensor]:
    parts: list[tf.Tensor] = []
    for gate in gates_of(model):
        for logit in logits_of(gate):
            size = math.prod(logit.shape)
            own = found.get(logit.path)
            parts.append(tf.zeros(size) if own is None else tf.reshape(own, [size]))
    return parts


def _shaped(model: keras.Model, flat: np.ndarray) -> GateValues:
    """Numbers of the gates of fusion layers, as a space has them; the classifier's is left out."""
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

"""Training of a template that records the pushes of its gates, and warns of what they show."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.gates import gates_of, strength_of
from vdroppath_tf.models.gate_pushes import PushRecord, add_pushes, logits_of
from vdroppath_tf.models.loss_parts import LossInParts
from vdroppath_tf.models.steps import replicas
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace


class GatedTraining(LossInParts):
    """A model whose ``fit`` records how far the data and the prior push the trainable gates.

    ``fit`` ends with a ``SpaceWarning`` if the prior decided more layers than the data, or if the
    space has collapsed.
    """

    _record: PushRecord | None = None

    @property
    def notes_gradients(self) -> bool:
        """Whether the model keeps a record and has a trainable gate."""
        kept = self._record is not None and self._record.sums is not None
        return kept and any(gate.trainable for gate in gates_of(self))

    def note_gradients(self, tape: tf.GradientTape, gradients: Sequence[Any]) -> None:
        """Adds the gradients of the loss and of the KL term to the record."""
        gates = [gate for gate in gates_of(self) if gate.trainable]
        logits = {v.path: v for gate in gates for v in logits_of(gate)}
        scale = self.optimizer.scale_loss(tf.ones(()))  # 1, except in half precision
        pairs = zip(self.trainable_weights, gradients, strict=True)
        total = {v.path: g / scale for v, g in pairs if v.path in logits and g is not None}
        of_kl = tape.gradient(self.kl_terms(), list(logits.values()))
        shares = [None if g is None else g / replicas() for g in of_kl]
        prior = dict(zip(logits, shares, strict=True))
        parts = self.accumulate if self._in_parts else 1
        add_pushes(self._record_of_gates(), self, total, prior, parts=parts)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        if not any(gate.trainable for gate in gates_of(self)):
            return super().fit(x, y, **kwargs)
        keeping = KeepPushes(self.start_record())
        kwargs["callbacks"] = _first(keeping, kwargs.get("callbacks"))
        history = super().fit(x, y, **kwargs)
        if keeping.epochs:
            self._warn_of_space()
        return history

    def start_record(self) -> PushRecord:
        """Makes training steps add to the record, and returns it. ``fit`` calls this."""
        record = self._record_of_gates()
        if record.sums is None:
            with self.distribute_strategy.scope():
                record.prepare()
            self.train_function = None  # a function traced before this would not add to the record
        return record

    def _record_of_gates(self) -> PushRecord:
        if self._record is None:
            self._record = PushRecord(self)
        return self._record

    def kept_pushes(self, *, under_way: bool = False) -> dict[str, Any] | None:
        """Returns the record as data for JSON, or None if nothing was recorded.

        ``restore_pushes`` reads it.

        Args:
            under_way: bool, whether to include the steps of an unfinished epoch. Defaults to False.
        """
        return None if self._record is None else self._record.fields(under_way=under_way)

    def restore_pushes(self, found: Mapping[str, Any] | None) -> None:
        """Restores the record of a model that has the same weights; see ``kept_pushes``."""
        if found is not None and gates_of(self):
            self._record_of_gates().restore(found)

    def _warn_of_space(self) -> None:
        try:
            found = diagnose(ProbabilitySpace.from_model(self), strength=strength_of(self))
        except ValueError as error:  # a layer without a residual connection drops all its paths
            text: str | None = str(error)
        else:
            text = str(found) if found.alarming else None
        if text is not None:
            warnings.warn(text, SpaceWarning, stacklevel=4)


class KeepPushes(keras.callbacks.Callback):
    """Adds each epoch to the record, before other callbacks save the model."""

    def __init__(self, record: PushRecord) -> None:
        super().__init__()
        self.record, self.epochs = record, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.record.begin_epoch(self.model, self._rate())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs += self.record.end_epoch(self.model, self._rate())

    def _rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))


def _first(own: keras.callbacks.Callback, others: Any) -> Any:
    """Returns callbacks in a form that ``fit`` accepts, with one before the others."""
    if isinstance(others, keras.callbacks.CallbackList):
        own.set_model(others.model)
        others.callbacks.insert(0, own)
        return others
    if others is None:
        return [own]
    return [own, *(others if isinstance(others, (list, tuple)) else [others])]

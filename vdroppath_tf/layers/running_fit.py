"""The ``fit`` that is under way, of whatever Keras model the gates are in.

A ``FusionModel`` counts the data of its ``fit``, and shows the KL in addition to the loss. Any
other Keras model (functional, ``Sequential``, of a user's class) knows nothing of gates, and Keras
tells a layer neither which model it runs in nor on which data. So the gates look up the calls that
theirs is a part of, to ``fit``. Of that call they read what its public signature names: ``self``,
``x``.

Replicas of a strategy run in threads of their own, which no ``fit`` has called. There N must be
given to the template, or the model be a ``FusionModel``.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.spaces.layer_gates import layers_inside, layers_with_gates

_CALLS = ("fit", "evaluate", "train_on_batch", "test_on_batch")


class RunningFit(NamedTuple):
    """A call of ``fit``.

    Attributes:
        model: The Keras model.
        data: What it was given as ``x``, without what it holds out.
    """

    model: Any
    data: Any


def running_fit() -> RunningFit | None:
    """The innermost training or evaluation if it is the ``fit`` of a model that knows no gates."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in _CALLS:
            model = frame.f_locals.get("self")
            if isinstance(model, keras.Model) and "x" in frame.f_locals:
                knows = getattr(model, "counts_examples", False)
                fits = frame.f_code.co_name == "fit" and not knows
                return RunningFit(model, frame.f_locals["x"]) if fits else None
        frame = frame.f_back  # type: ignore[assignment]
    return None


def find_examples(gates: Iterable[Any]) -> None:
    """Gives gates that have no N of their own that of the ``fit`` under way, if it is theirs to do.

    Raises:
        ValueError: When the number cannot be known; it says what to pass.
    """
    if all(gate.given_examples is not None for gate in gates):
        return
    running = running_fit()
    if running is not None:
        _count(running)


def _count(running: RunningFit) -> bool:
    """Gives N of the data to every gate of the model; whether it is another one than before."""
    gates = (layer.drop_path for _, layer in layers_with_gates(running.model))
    waiting = [gate for gate in gates if gate.given_examples is None]
    if not any(gate.trainable for gate in waiting):
        return False
    examples = _counted_once(running.data)
    changed = [gate for gate in waiting if gate.counted_examples != examples]
    for gate in changed:
        gate.counted_examples = examples
    return bool(changed)


def _counted_once(x: Any) -> int:
    """``count_examples``, which reads a batch of a data set; a step that is not traced asks too."""
    if not isinstance(x, (tf.data.Dataset, keras.utils.PyDataset)):
        return count_examples(x)
    if x not in _COUNTED:
        with tf.init_scope():  # a data set has no size inside the graph of a step
            _COUNTED[x] = count_examples(x)
    return _COUNTED[x]


def count_examples(x: Any) -> int:
    """Training examples in what ``fit`` was given (whole batches, for a batched data set).

    Raises:
        ValueError: When the number cannot be known; it says what to pass.
    """
    if isinstance(x, tf.data.Dataset):
        batches = int(x.cardinality())
        if batches > 0:
            shape = tf.nest.flatten(x.element_spec)[0].shape
            if shape.rank and shape[0] is not None:
                return batches * shape[0]
            return batches * len(tf.nest.flatten(next(iter(x.take(1))))[0])
    elif isinstance(x, keras.utils.PyDataset) and x.num_batches:
        return x.num_batches * len(tf.nest.flatten(x[0])[0])
    elif isinstance(x, (list, tuple, dict)) and x:
        return count_examples(tf.nest.flatten(x)[0])
    elif isinstance(x, (np.ndarray, tf.Tensor)):
        return len(x)
    raise ValueError(
        "The KL of the gates needs N, the number of training examples (Eq. 5), and the size of "
        f"this {type(x).__name__} is not known. Pass num_train_examples= to fit or to the template "
        "(to the template, where fit is that of a Keras model of your own), or a data set of known "
        "size (tf.data: apply tf.data.experimental.assert_cardinality). N of a data set that "
        "repeats without end is the number of examples before it repeats."
    )


class ShownKL(keras.metrics.Metric):
    """The mean over the steps of an epoch of what gates added to the loss, which ``fit`` shows.

    Args:
        model: The Keras model that holds the gates.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="kl", dtype="float32")
        self.owner = weakref.ref(model)
        self.places: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.room = sum(1 for _ in layers_inside(model))
        self.sums = self.add_variable((self.room, 2), "zeros", name="sums")
        self.shown_by: Any = None  # the one gate that has it among its metrics

    def update_state(self, layer: Any, kl: tf.Tensor) -> None:
        """Adds what a layer added to the loss of this step."""
        place = self.places.setdefault(layer, len(self.places))
        one = tf.one_hot(place, self.room)[:, None]
        self.sums.assign_add(one * tf.stack([tf.cast(kl, tf.float32), 1.0]))

    def result(self) -> tf.Tensor:
        """The sum over layers of the mean over the steps of each."""
        total, steps = tf.unstack(tf.convert_to_tensor(self.sums), axis=1)
        return tf.reduce_sum(tf.math.divide_no_nan(total, steps))

    def reset_state(self) -> None:
        """Begins an epoch; with Keras' ``fit`` it is the first thing that an epoch does."""
        super().reset_state()
        running, model = running_fit(), self.owner()
        if model is not None and running is not None and running.model is model and _count(running):
            model.make_train_function(force=True)  # the one there is has another N


_SHOWN: weakref.WeakKeyDictionary[keras.Model, ShownKL] = weakref.WeakKeyDictionary()
_COUNTED: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


def show_kl(layer: Any, kl: tf.Tensor) -> None:
    """Adds what a layer adds to the loss to the ``kl`` that the ``fit`` under way shows.

    Raises:
        ValueError: If the loss of that model leaves it out.
    """
    running = running_fit()
    if running is None:
        return
    _check_kept(running.model)
    shown = _SHOWN.get(running.model)
    if shown is None:
        shown = _SHOWN[running.model] = ShownKL(running.model)
    if hasattr(layer, "drop_layer"):  # a gate; it comes before the convolutions of its D1
        shown.shown_by = shown.shown_by or weakref.ref(layer)
    shown.update_state(layer, kl)


def metrics_of(gate: Any) -> list[ShownKL]:
    """The metric of the ``fit`` under way, if this is the gate that has it."""
    running = running_fit()
    shown = None if running is None else _SHOWN.get(running.model)
    by = None if shown is None else shown.shown_by
    return [shown] if shown is not None and by is not None and by() is gate else []


def _check_kept(model: keras.Model) -> None:
    distiller = keras.distillation.Distiller
    if isinstance(model, distiller) and type(model).compute_loss is distiller.compute_loss:
        raise ValueError(
            "The loss of keras.distillation.Distiller leaves out what layers add to it, so the "
            "gates of the student would train without their KL (Eq. 5). Distil into a derived "
            "network, freeze the gates (freeze_gates), or add sum(self.student.losses) in a "
            "compute_loss of your own."
        )

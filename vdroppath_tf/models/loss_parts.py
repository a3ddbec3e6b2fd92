"""The loss of a template in its two parts, as ``fit`` shows them: the task's, and the KL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.gates import gates_of
from vdroppath_tf.layers.losses import is_marked, of_this_replica
from vdroppath_tf.layers.running_fit import ShownKL
from vdroppath_tf.models.steps import Steps, replicas

PARTS = ("task_loss", "kl")
"""The metrics that ``fit`` shows of a template next to Keras' ``loss``, which is their sum."""

_hiding = threading.local()  # replicas run as threads


class LossInParts(Steps):
    """A model whose ``fit`` shows the task's loss and the KL of its gates apart.

    ``loss`` stays what Keras users know: the total that is minimised. ``task_loss`` is the compiled
    loss (with the regularisers of other layers, if there are any), the cross-entropy say, and
    ``kl`` what the gates add. Neither is shown in validation: gates add nothing there, and the loss
    is the task's.
    """

    # stay so where Keras makes a model of layers, and knows no architecture
    _kl_tracker: Any = None
    _task_tracker: Any = None
    _validating = False

    counts_examples = True  # see ``layers.running_fit``

    def make_train_function(self, force: bool = False) -> Any:
        """``keras.Model.make_train_function``, which every kind of training begins with."""
        if self._kl_tracker is None and gates_of(self):  # a model that was made of a template
            with self.distribute_strategy.scope():
                self._track_parts(True)
        return super().make_train_function(force)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the model, its own ``kl`` among them."""
        return [metric for metric in super().metrics if not isinstance(metric, ShownKL)]

    def _track_parts(self, gated: bool) -> None:
        self._task_tracker = keras.metrics.Mean(name="task_loss") if gated else None
        self._kl_tracker = keras.metrics.Mean(name="kl") if gated else None

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        given = x, y, y_pred, sample_weight, training
        if self._kl_tracker is None or not training:
            return super().compute_loss(*given)
        count = replicas()
        kl = self._kl()
        if self.loss is None:  # nothing but what layers add
            total = super().compute_loss(*given)
            task = count * total - kl
        else:  # added up here: as total - kl, a cross-entropy would lose its digits to a large KL
            with _without_kl(self):
                share = super().compute_loss(*given)
            kl = tf.cast(kl, share.dtype)
            total, task = share + kl / count, count * share
        rows = tf.shape(tf.nest.flatten(y_pred)[0])[0]  # as Keras weighs its ``loss``
        self._task_tracker.update_state(task, sample_weight=rows)
        self._kl_tracker.update_state(kl, sample_weight=rows)
        return total

    def kl_terms(self) -> list[tf.Tensor]:
        """What the gates, and D1 at its convolutions, added to the loss of this call."""
        return [loss for loss in self.losses if is_marked(loss)]

    def _kl(self) -> tf.Tensor:
        terms = self.kl_terms()
        return tf.add_n(terms) if terms else tf.zeros(())

    @property
    def losses(self) -> list[Any]:
        """What was added to the loss, by this replica where there are several."""
        found = of_this_replica(super().losses)
        if getattr(_hiding, "model", None) is self:
            return [loss for loss in found if not is_marked(loss)]
        return found

    def get_metrics_result(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_metrics_result()
        if self._validating:
            return {name: value for name, value in found.items() if name not in PARTS}
        return found

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.evaluate``; the loss is the task's."""
        with self._validation():
            return super().evaluate(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.test_on_batch``; the loss is the task's."""
        with self._validation():
            return super().test_on_batch(*args, **kwargs)

    @contextmanager
    def _validation(self) -> Iterator[None]:
        """The parts are left out inside, of a template."""
        before, self._validating = self._validating, self._kl_tracker is not None
        try:
            yield
        finally:
            self._validating = before


@contextmanager
def _without_kl(model: keras.Model) -> Iterator[None]:
    """The model's ``losses`` lack the KL inside, for this thread."""
    _hiding.model = model
    try:
        yield
    finally:
        _hiding.model = None

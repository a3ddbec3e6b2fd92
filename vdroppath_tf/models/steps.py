"""Training steps under any strategy of ``tf.distribute``, a batch at a time or in parts.

Keras 3 makes one function of a step and its reduction over replicas. That function cannot be traced
on several workers (keras #20585), nor for several steps at a time on several replicas (#19246), and
it knows no batches in parts. There the functions below take its place; anywhere else it is Keras'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.models.step_variables import build_metrics, build_optimizer


class Steps(keras.Model):
    """A model whose ``fit`` works on several workers, and takes a batch in parts if it is told to.

    ``accumulate``: into how many parts a batch of training is cut. The gradient of the batch is the
    mean of theirs, and the optimizer sees it once; each part has gates and batch statistics of its
    own.
    """

    accumulate = 1
    _sums: Any = None  # of the gradients of a batch in parts, on each replica
    _in_parts = False  # while a step on a part is traced

    def train_step(self, data: Any) -> Any:
        notes = self.notes_gradients
        if not self._in_parts and not notes:
            return super().train_step(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        given: dict[str, Any] = {"y": y, "sample_weight": sample_weight}
        with tf.GradientTape(persistent=notes) as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y_pred=y_pred, training=True, **given)
            scaled = self.optimizer.scale_loss(loss)
        batch = tf.shape(tf.nest.flatten(x)[0])[0]
        self._loss_tracker.update_state(loss * replicas(), sample_weight=batch)
        gradients = tape.gradient(scaled, self.trainable_weights)
        self.apply_gradients(gradients)
        if notes:
            self.note_gradients(tape, gradients)
        return self.compute_metrics(x, y_pred=y_pred, **given)

    @property
    def notes_gradients(self) -> bool:
        """Whether a step calls ``note_gradients``."""
        return False

    def note_gradients(self, tape: tf.GradientTape, gradients: Sequence[Any]) -> None:
        """Looks at what a step, or a part of one, has found.

        Args:
            tape: It has recorded the forward pass, and gives other gradients too.
            gradients: Of the loss, for each of the trainable weights.
        """

    def apply_gradients(self, gradients: Iterable[Any]) -> None:
        """Hands the gradients of the trainable weights to the optimizer, or adds them up."""
        if not self._in_parts:
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            return
        for total, gradient in zip(self._sums, gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.cast(tf.convert_to_tensor(gradient), total.dtype))

    def _apply_sums(self) -> None:
        """Hands the mean over the parts to the optimizer, on each replica, and forgets it."""
        means = [tf.convert_to_tensor(total) / self.accumulate for total in self._sums]
        self.optimizer.apply_gradients(zip(means, self.trainable_weights, strict=True))
        with tf.control_dependencies(means):
            for total in self._sums:
                total.assign(tf.zeros(total.shape, total.dtype))

    def _prepare_sums(self) -> None:
        wanted = [(tuple(weight.shape), weight.dtype) for weight in self.trainable_weights]
        found = [(tuple(total.shape), total.dtype.name) for total in self._sums or ()]
        if self._sums is not None and found == wanted:
            return
        with self.distribute_strategy.scope():
            # a replica adds to its own, and the optimizer adds up replicas
            self._sums = [
                tf.Variable(
                    tf.zeros(shape, dtype),
                    trainable=False,
                    synchronization=tf.VariableSynchronization.ON_READ,
                    aggregation=tf.VariableAggregation.SUM,
                )
                for shape, dtype in wanted
            ]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_sums":  # no part of the model's state: it is empty between two steps
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def make_train_function(self, force: bool = False) -> Any:
        """``keras.Model.make_train_function``, after the optimizer has made its variables."""
        build_optimizer(self)
        return super().make_train_function(force)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Makes the variables of the metrics before the first step.

        Keras does so under a strategy only, and takes a batch to look at; workers would have to
        agree on its mean.
        """
        if self._distribute_strategy is None:
            spec = data_batch if iterator is None else iterator._get_iterator().element_spec
            build_metrics(self, spec)
            return
        if iterator is None or workers(self.distribute_strategy) == 1:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
            return
        spec = tf.nest.map_structure(_on_one_replica, iterator._get_iterator().element_spec)
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=spec)

    def _make_function(self, step_function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        strategy = self.distribute_strategy
        training = step_function == self.train_step
        parts = self.accumulate if training else 1
        in_sync = strategy.num_replicas_in_sync
        several = in_sync > 1 and self.steps_per_execution > 1
        if parts == 1 and workers(strategy) == 1 and not several:
            return super()._make_function(step_function)
        if self.jit_compile and (in_sync > 1 or parts > 1):
            raise ValueError(
                "jit_compile=True compiles steps of one replica that take a batch whole. Received: "
                f"{in_sync} replicas, accumulate={parts}. Compile the model with jit_compile=False."
            )
        if parts > 1:
            self._prepare_sums()

        @tf.autograph.experimental.do_not_convert
        def one_step(data: Any) -> Any:
            if parts > 1:
                self._run_parts(step_function, data, parts)
            step = (lambda _: self._finish_parts()) if parts > 1 else step_function
            step = _with_mean_logs(_after_its_data(step), workers(strategy))
            logs = strategy.run(step, args=(data,))
            return tf.nest.map_structure(lambda v: _mean(strategy, v), logs)

        @tf.autograph.experimental.do_not_convert
        def next_step(iterator: Any) -> Any:
            return one_step(next(iterator))

        if not self.run_eagerly:
            one_step = tf.function(one_step, reduce_retracing=True)
            # in the graph, batches have the shapes of their spec: workers whose batches differ
            # would trace at different times, and number their collective operations differently
            next_step = tf.function(next_step, reduce_retracing=True)

        def function(iterator: Any) -> Any:
            kinds = (tf.data.Iterator, tf.distribute.DistributedIterator)
            logs = None
            for _ in range(self.steps_per_execution):
                try:
                    known = isinstance(iterator, kinds)
                    logs = next_step(iterator) if known else one_step(next(iterator))
                except (StopIteration, tf.errors.OutOfRangeError):
                    if logs is None:
                        raise
                    break
            return logs

        return function

    def _run_parts(self, step_function: Callable[[Any], Any], data: Any, parts: int) -> None:
        """One part after another; at once, they would need the memory of the whole batch."""

        def on_replica(data: Any, part: tf.Tensor) -> None:
            step_function(tf.nest.map_structure(lambda x: _part(x, part, parts), data))

        def body(part: tf.Tensor) -> tuple[tf.Tensor]:
            self._in_parts = True  # here, as replicas are threads that end one after another
            try:
                self.distribute_strategy.run(on_replica, args=(data, part))
            finally:
                self._in_parts = False
            return (part + 1,)

        if self.run_eagerly:
            for part in range(parts):
                body(tf.constant(part))
            return
        start = (tf.constant(0),)
        tf.while_loop(lambda part: part < parts, body, start, parallel_iterations=1)

    def _finish_parts(self) -> dict[str, Any]:
        self._apply_sums()
        return self.get_metrics_result()


def replicas() -> int:
    """How many replicas train together."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def workers(strategy: tf.distribute.Strategy) -> int:
    """How many processes train together."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 1
    if not strategy.extended._in_multi_worker_mode():
        return 1
    cluster = strategy.cluster_resolver.cluster_spec().as_dict()
    return sum(len(cluster.get(kind, ())) for kind in ("chief", "worker"))


def _on_one_replica(spec: Any) -> Any:
    """Shape and dtype of the data of one replica."""
    return getattr(spec, "_value_specs", (spec,))[0]


def _part(x: Any, part: tf.Tensor, parts: int) -> Any:
    """The rows of one of the parts of a batch: every ``parts``-th one, from ``part`` on.

    So a clip of the global batch is in the same part on any number of replicas.
    """
    if not isinstance(x, tf.Tensor):
        return x
    known = x.shape[0]
    if known is not None and known % parts:
        raise ValueError(
            f"A batch of {known} clips (of each replica) cannot be cut into {parts} equal parts. "
            "Pass a batch_size that accumulate= divides, or another accumulate=."
        )
    rows = tf.shape(x)[0] // parts if known is None else known // parts
    cut = tf.reshape(x, tf.concat([[rows, parts], tf.shape(x)[1:]], 0))[:, part]
    cut.set_shape([None if known is None else rows, *x.shape[1:]])
    return cut


def _after_its_data(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A step that changes nothing if the data have ended: optimizers count without them."""

    def run(data: Any) -> Any:
        leaves = tf.nest.flatten(data, expand_composites=True)  # absent sample weights are None
        with tf.control_dependencies([leaf for leaf in leaves if isinstance(leaf, tf.Tensor)]):
            return step(data)

    return run


def _with_mean_logs(step: Callable[[Any], Any], count: int) -> Callable[[Any], Any]:
    """A step whose logs are the means over all replicas of all workers."""
    if count == 1:
        return step

    def run(data: Any) -> Any:
        logs = step(data)
        flat = [tf.cast(value, tf.float32) for value in tf.nest.flatten(logs)]
        context: Any = tf.distribute.get_replica_context()
        means = tf.unstack(context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.stack(flat)))
        return tf.nest.pack_sequence_as(logs, means)

    return run


def _mean(strategy: tf.distribute.Strategy, value: Any) -> tf.Tensor:
    """The mean over the replicas of this process."""
    own = strategy.experimental_local_results(value)
    return own[0] if len(own) == 1 else tf.reduce_mean(tf.stack(own), 0)

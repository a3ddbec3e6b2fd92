"""Communication between the processes that train together."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.models.steps import workers as count_workers
from vdroppath_tf.names import named

_CHUNK = 1 << 24  # the number of values sent at a time


_LOST = (
    *(tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError),
    *(tf.errors.CancelledError, tf.errors.DeadlineExceededError),
)


class LostWorkerError(OSError):
    """Another process of the run has ended, so this one cannot continue."""


@named
class Workers:
    """The processes that train a model together; only one, unless the strategy has several.

    All of them must call the same methods in the same order.

    Args:
        strategy: The distribution strategy of the model.

    Example:
    ```python
    workers = Workers(template.distribute_strategy)
    print(workers.chief, workers.total([3, 4]))
    ```
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self.strategy = strategy
        self.count = count_workers(strategy)
        self.local = strategy.num_replicas_in_sync // self.count
        self.index = 0
        self._total = tf.function(self._sum)
        if self.count > 1:
            resolver = strategy.cluster_resolver
            chiefs = len(resolver.cluster_spec().as_dict().get("chief", ()))
            self.index = resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)

    @property
    def chief(self) -> bool:
        """Whether this is the process that writes files."""
        return self.index == 0

    def total(self, numbers: Any) -> np.ndarray:
        """Returns the exact sum over the workers of integers."""
        own = np.asarray(numbers, "int32")
        if self.count == 1:
            return own

        return self._total(tf.constant(own)).numpy()

    def _sum(self, value: tf.Tensor) -> tf.Tensor:
        """Returns the sum over the workers of the value on their first replica."""

        def on_replica(value: tf.Tensor) -> tf.Tensor:
            context: Any = tf.distribute.get_replica_context()
            first = tf.equal(context.replica_id_in_sync_group % self.local, 0)
            mine = tf.where(first, value, tf.zeros_like(value))
            return context.all_reduce(tf.distribute.ReduceOp.SUM, mine)

        found = self.strategy.run(on_replica, args=(value,))
        return self.strategy.experimental_local_results(found)[0]

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Returns for each flag whether it is set on any worker."""
        if self.count == 1:
            return flags
        return tuple(bool(n) for n in self.total([int(flag) for flag in flags]))

    def from_chief(self, data: bytes) -> bytes:
        """Returns the bytes of the chief, on every worker."""
        if self.count == 1:
            return data
        (size,) = self.total([len(data) if self.chief else 0])
        own = np.frombuffer(data.ljust(-(-size // 4) * 4, b"\0"), "int32")
        parts = []
        for start in range(0, -(-int(size) // 4), _CHUNK):
            length = min(_CHUNK, -(-int(size) // 4) - start)
            mine = own[start : start + length] if self.chief else np.zeros(length, "int32")
            parts.append(self.total(mine).tobytes())
        return b"".join(parts)[: int(size)]

    def gather(self, value: Any) -> list[Any]:
        """Returns the JSON-able values of all workers, in their order."""
        if self.count == 1:
            return [value]
        text = json.dumps(value).encode()
        sizes = self.total([len(text) if n == self.index else 0 for n in range(self.count)])
        rows = np.zeros((self.count, max(int(sizes.max()), 1)), "int32")
        rows[self.index, : len(text)] = np.frombuffer(text, "uint8")
        found = self.total(rows).astype("uint8")
        pairs = zip(found, sizes, strict=True)
        return [json.loads(row[: int(size)].tobytes()) for row, size in pairs]

    def chief_first(self, do: Callable[[], Any]) -> Any:
        """Returns a function's JSON-able result on the chief; if it fails, all workers fail.

        Raises:
            ValueError: On the other workers, with the message of the chief's error.
        """
        if self.count == 1:
            return do()
        answer: dict[str, Any] = {}
        error: Exception | None = None
        if self.chief:
            try:
                answer = {"value": do()}
            except Exception as raised:
                error, answer = raised, {"error": str(raised)}
        answer = json.loads(self.from_chief(json.dumps(answer).encode()))
        if error is not None:
            raise error
        if "error" in answer:
            raise ValueError(f"The first worker has stopped: {answer['error']}")
        return answer["value"]

    def assign_from_chief(self, variables: Sequence[Any]) -> None:
        """Sets variables to their values on the chief, bit for bit."""
        if self.count == 1:
            return
        arrays = [variable.numpy() for variable in variables]
        joined = b"".join(array.tobytes() for array in arrays)
        found, start = self.from_chief(joined), 0
        for variable, array in zip(variables, arrays, strict=True):
            end = start + array.nbytes
            value = np.frombuffer(found[start:end], array.dtype).reshape(array.shape)
            variable.assign(value)
            start = end

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Turns TensorFlow's error about a lost worker into a one-line error.

        Raises:
            LostWorkerError: In place of TensorFlow's error.
        """
        try:
            yield
        except _LOST as error:
            if self.count == 1:
                raise
            raise LostWorkerError(
                f"Worker {self.index} of {self.count} has lost another one "
                f"({str(error).splitlines()[0][:200]}). Start all of them again: the run resumes "
                "from its last checkpoint."
            ) from None

    def barrier(self) -> None:
        """Waits for all workers."""
        self.total([0])

    def distributed(self, batches: tf.data.Dataset, batch_size: int, *, whole: bool) -> Any:
        """Returns this worker's parts of batches, distributed to its devices, for ``fit``.

        Args:
            batches: The worker's parts of the batches.
            batch_size: The number of clips in a whole batch, over all devices of all workers.
            whole: Whether all batches have this size.
        """
        if self.count == 1:
            return batches
        if not whole:  # of unknown number: otherwise Keras would stop at each worker's own end
            batches = batches.filter(lambda *_: True)

        def of_replicas(_: tf.distribute.InputContext) -> tf.data.Dataset:
            if self.local == 1:
                return batches
            each = batch_size // self.strategy.num_replicas_in_sync
            own = batches.unbatch().batch(each, drop_remainder=whole)
            return own.prefetch(2 * self.local)

        return self.strategy.distribute_datasets_from_function(of_replicas)

"""The order of training clips as data, from which a stopped run resumes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import SEEDS, Range, check_ranges, whole


@named
@dataclasses.dataclass(frozen=True)
class ClipOrder:
    """The order of training clips; a batch depends only on the seed, the epoch and the step.

    Attributes:
        seed: The seed of order, sampling and augmentation. Defaults to 0.
        epochs: The number of epochs in one pass over the data set. Defaults to 1; None makes an
            endless stream.
        first_epoch: The number of the first epoch. Defaults to 0.
        first_step: The number of steps of the first epoch to skip. Defaults to 0.
        shard: (i, n) selects the i-th of n equal parts of each batch, for one of n hosts that train
            together: the n parts in sequence are the batches of a single host. Defaults to (0, 1).

    Example:
        ```python
        order = ClipOrder(seed=7, first_epoch=3, epochs=None)
        ```

    Raises:
        ValueError: If a number is out of range.
    """

    seed: int = 0
    epochs: int | None = 1
    first_epoch: int = 0
    first_step: int = 0
    shard: tuple[int, int] = (0, 1)

    RANGES: ClassVar[Mapping[str, Range]] = {
        "seed": whole(0, SEEDS),
        "epochs": whole(1, 2**40, optional=True),
        "first_epoch": whole(0, 2**40),
        "first_step": whole(0, 2**40),
        "shard": whole(0, 1_000_000),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        index, count = self.shard
        if not 0 <= index < count:
            raise ValueError(f"shard must be (i, n) with 0 <= i < n. Received: {self.shard}.")

    def span(self, steps: int) -> tuple[int, int, int | None]:
        """Returns the positions of the first pass, for an epoch of this many steps.

        Returns:
            The first position (epoch * steps + step), the number of positions to skip in the first
            pass, and the number of positions in a whole pass (None: it is endless).

        Raises:
            ValueError: If the first epoch has no such step.
        """
        if not 0 <= self.first_step < steps:
            raise ValueError(
                f"first_step must be 0 to {steps - 1}, the last step of an epoch. Received: "
                f"{self.first_step}."
            )
        length = None if self.epochs is None else self.epochs * steps
        return self.first_epoch * steps, self.first_step, length

    def rows(self, batch_size: int) -> range:
        """Returns the rows of a batch that belong to this host.

        Raises:
            ValueError: If the batch cannot be divided evenly.
        """
        index, count = self.shard
        if batch_size % count:
            raise ValueError(
                f"batch_size must be a multiple of the {count} hosts of shard. Received: "
                f"{batch_size}."
            )
        each = batch_size // count
        return range(index * each, (index + 1) * each)

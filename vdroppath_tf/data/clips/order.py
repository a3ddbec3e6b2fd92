"""Which training clips come when, as data: a run that was stopped goes on from these numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import SEEDS, Range, check_ranges, whole


@named
@dataclasses.dataclass(frozen=True)
class ClipOrder:
    """Which clips come when; the batch at a step depends on the seed, the epoch and the step only.

    Attributes:
        seed: of order, sampling and augmentation.
        epochs: epochs in one pass over the data set; None for an endless stream.
        first_epoch: number of the first epoch.
        first_step: steps of the first epoch to leave out.
        shard: (i, n) makes the i-th of n equal parts of each batch, for one of n hosts that train
            together: the n parts in a row are the batches that one host would see.

    Example:
        ClipOrder(seed=7, first_epoch=3, epochs=None)

    Raises:
        ValueError: a number is out of range.
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
        """The positions of the first pass, where an epoch has this many steps.

        Returns:
            The first position (epoch * steps + step), how many to leave out of the first pass, and
            the positions of a whole one (None: it never ends).

        Raises:
            ValueError: the first epoch has no such step.
        """
        if not 0 <= self.first_step < steps:
            raise ValueError(
                f"first_step must be 0 to {steps - 1}, the last step of an epoch. Received: "
                f"{self.first_step}."
            )
        length = None if self.epochs is None else self.epochs * steps
        return self.first_epoch * steps, self.first_step, length

    def rows(self, batch_size: int) -> range:
        """The rows of a batch that are this host's.

        Raises:
            ValueError: the batch cannot be shared evenly.
        """
        index, count = self.shard
        if batch_size % count:
            raise ValueError(
                f"batch_size must be a multiple of the {count} hosts of shard. Received: "
                f"{batch_size}."
            )
        each = batch_size // count
        return range(index * each, (index + 1) * each)

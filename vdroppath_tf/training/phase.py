"""A phase: one stretch of training with one optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole


@named
@dataclass(frozen=True)
class Phase:
    """One stretch of training with one optimizer.

    Attributes:
        name: ``"warmup"``, ``"search"``, ``"stand-alone"`` or ``"finetune"``: in logs and
            checkpoints.
        epochs: The number of passes over the training videos.
        learning_rate: The learning rate at the start.
        drops: The epochs of this phase, in rising order, at which the rate is multiplied by 0.1.
        cosine: Whether the rate falls to 0 along a cosine instead, after a first epoch in which it
            rises linearly.
        gates: Whether the gates learn (v-DropPath, with the KL); otherwise they are frozen with all
            paths on.
        weight_decay: The weight decay. While gates learn the KL is the prior, so it must be 0.

    Raises:
        ValueError: If a value is out of range, or there is weight decay while gates learn.

    Example:
    ```python
    print(Phase("search", epochs=16, learning_rate=0.05, drops=(8, 12), gates=True).description)
    ```
    """

    name: str
    epochs: int
    learning_rate: float
    drops: tuple[int, ...] = ()
    cosine: bool = False
    gates: bool = False
    weight_decay: float = 0.0

    RANGES: ClassVar[Mapping[str, Range]] = {
        "epochs": whole(0, 1_000_000),
        "learning_rate": Range(0.0, 1e38, above=True),
        "drops": whole(0, 1_000_000),
        "weight_decay": Range(0.0, 1e6),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops must be epochs that rise. Received: {self.drops}")
        if self.gates and self.weight_decay:
            raise ValueError("weight_decay must be 0 while gates learn: the KL is the prior.")

    @property
    def description(self) -> str:
        """The phase in words, such as ``"16 epochs of search (the gates learn)"``."""
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        gates = "the gates learn" if self.gates else "no gate learns"
        return f"{epochs} of {self.name} ({gates})"

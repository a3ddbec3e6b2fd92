"""The position of a run, to the step: its state beyond weights, optimizer and seeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vdroppath_tf.names import named


@named
@dataclass(frozen=True)
class Position:
    """How far a run is.

    Attributes:
        phase: The number of the phase, from 0.
        epochs: The number of finished epochs of the phase.
        history: The logs of every epoch so far.
        steps: The number of finished steps of the current epoch; 0 between two epochs.
        metrics: The values of Keras' metrics over these steps, on each replica, by variable.
        bad_clips: The number of clips in these steps that could not be read and were replaced.
        logs: Keras' logs of these steps.
    """

    phase: int
    epochs: int
    history: tuple[dict[str, Any], ...] = ()
    steps: int = 0
    metrics: tuple[Any, ...] = ()
    bad_clips: int = 0
    logs: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the checkpoint; names sort in the order of positions."""
        steps = f"-{self.steps:08d}" if self.steps else ""
        return f"checkpoint-{self.phase}-{self.epochs:05d}{steps}"

    def __str__(self) -> str:
        kinds = {"epoch": self.epochs, "step": self.steps}
        done = [f"{n} {kind}{'s' * (n != 1)}" for kind, n in kinds.items() if n or kind == "epoch"]
        return f"in phase {self.phase + 1}, after {' and '.join(done)} of it"

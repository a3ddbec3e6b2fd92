"""Where a run stands, to the step: all that is not in the weights, the optimizer and the seeds."""

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
        epochs: The finished epochs of the phase.
        history: What was logged of every epoch up to there.
        steps: The finished steps of the epoch that is under way; 0 between two epochs.
        metrics: What Keras' metrics hold of these steps, on each replica, variable by variable.
        bad_clips: The clips of these steps that could not be read, and were replaced.
        logs: What Keras logged of these steps.
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
        """The name of its checkpoint; names sort as positions do."""
        steps = f"-{self.steps:08d}" if self.steps else ""
        return f"checkpoint-{self.phase}-{self.epochs:05d}{steps}"

    def __str__(self) -> str:
        place = f"phase {self.phase + 1}, {self.epochs} of its epochs"
        return f"{place} and {self.steps} steps" if self.steps else place

"""What a report is made of: plain data, checked when it is put together."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..gate_arrays import LayerArrays
from ..space import ProbabilitySpace, unit_table
from ..strategy import FusionStrategy

TRAINED_ALONE = "trained on its own"
DRAWN = "drawn from the template"
_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*")


@dataclass(frozen=True)
class Row:
    """One strategy of a table.

    Args:
        name: What to call it, such as `"S everywhere"` or `"best draw"`.
        strategy: Its text.
        top1: Share of held-out clips whose most probable class is right, in [0, 1].
        standard_error: Of `top1`.
        parameters: Of the derived network, gates excluded.
        macs: Multiply-adds of convolutions and dense layers for one clip.
        top5: Share of clips with the right class among the five most probable.
        note: How it was trained: `TRAINED_ALONE`, `DRAWN`, or other words.

    Raises:
        ValueError: If a share is not in [0, 1] or a count is negative.
    """

    name: str
    strategy: str
    top1: float
    standard_error: float
    parameters: int
    macs: int
    top5: float | None = None
    note: str = TRAINED_ALONE

    def __post_init__(self) -> None:
        where = f"of row {self.name!r}"
        _check_share(f"top-1 {where}", self.top1)
        _check_share(f"standard error {where}", self.standard_error)
        _check_share(f"top-5 {where}", 0.0 if self.top5 is None else self.top5)
        if min(self.parameters, self.macs) < 0:
            raise ValueError(
                f"Expected parameters and MACs {where} of at least 0. "
                f"Received: {self.parameters}, {self.macs}"
            )


@dataclass(frozen=True)
class Draw:
    """One strategy drawn from the space: its text, its top-1 in [0, 1] and its MACs a clip.

    ``standard_error`` is that of ``top1``; 0 where it is not known.
    """

    strategy: str
    top1: float
    macs: int
    standard_error: float = 0.0

    def __post_init__(self) -> None:
        _check_share(f"top-1 of draw {self.strategy!r}", self.top1)
        _check_share(f"standard error of draw {self.strategy!r}", self.standard_error)


@dataclass(frozen=True)
class Prediction:
    """The served network's answer to one held-out clip.

    Args:
        file: Name of the file.
        label: The true class.
        predicted: The most probable class.
        probability: Its probability, in [0, 1].
        frames: A few frames as a `data:image/png;base64,` address, from `frame_strip`.

    Raises:
        ValueError: If `probability` is none, or `frames` is another kind of address.
    """

    file: str
    label: str
    predicted: str
    probability: float
    frames: str | None = None

    def __post_init__(self) -> None:
        _check_share(f"probability for {self.file!r}", self.probability)
        if self.frames is not None and not _PNG.fullmatch(self.frames):
            raise ValueError(
                f"Expected the frames of {self.file!r} as 'data:image/png;base64,...', which "
                f"frame_strip writes. Received: {self.frames[:60]!r}"
            )


@dataclass(frozen=True, eq=False)
class TaskReport:
    """One task: the space that was learned, and what was measured with it.

    Args:
        name: Name of the task.
        description: What is in the clips and what the label says, in plain words.
        space: The learned space.
        rows: The table: uniform strategies, then what was chosen from the space.
        chosen: The strategy that was derived and served; one row must have it.
        classes: Number of classes; guessing is right once in so many.
        clips: Number of held-out clips that `top1` was measured on.
        chosen_on_same_clips: Whether the choice was made by the accuracy on these very clips.
        draws: Every strategy that was drawn and scored.
        history: Drop probabilities after each epoch, the starting values first: each like the
            space's `drop`, so `(epochs, layers, branches)` where that is not ragged.
        predictions: Answers of the served network.
        settings: What was chosen (sizes, epochs, seeds), name to text.
        timings: Seconds per step, name to number.

    Raises:
        ValueError: If parts do not fit each other.
    """

    name: str
    description: str
    space: ProbabilitySpace
    rows: Sequence[Row]
    chosen: FusionStrategy
    classes: int
    clips: int
    chosen_on_same_clips: bool = True
    draws: Sequence[Draw] = ()
    history: Sequence[LayerArrays] | None = None
    predictions: Sequence[Prediction] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chosen.check(len(self.space), self.space.architecture, self.space.branches)
        if self.classes < 1 or self.clips < 1:
            raise ValueError(
                f"Expected at least one class and one clip in task {self.name!r}. "
                f"Received: {self.classes} classes, {self.clips} clips"
            )
        if not any(row.strategy == str(self.chosen) for row in self.rows):
            raise ValueError(
                f"No row of task {self.name!r} has the chosen strategy {str(self.chosen)!r}. "
                f"Expected one. Received: {[row.strategy for row in self.rows]}"
            )
        wanted = [np.shape(layer) for layer in self.space.drop]
        for epoch, drop in enumerate([] if self.history is None else self.history):
            found = [np.shape(layer) for layer in drop]
            if found != wanted:
                raise ValueError(
                    f"Expected drop probabilities in the history of task {self.name!r} of shapes "
                    f"{wanted}, like its space. Received: {found} after epoch {epoch}"
                )

    @property
    def chance(self) -> float:
        """Top-1 of guessing among classes of equal size."""
        return 1 / self.classes

    @property
    def best(self) -> Row:
        """The row of the chosen strategy; of several, the one drawn from the template."""
        found = [row for row in self.rows if row.strategy == str(self.chosen)]
        return next((row for row in found if row.note == DRAWN), found[-1])

    def uniform(self, unit: str) -> Row | None:
        """The row that uses `unit` in every layer and was trained on its own, if there is one."""
        texts = (unit, f"{unit} " * (len(self.space) - 1) + unit)
        rows = [row for row in self.rows if row.note == TRAINED_ALONE]
        return next((row for row in rows if row.strategy in texts), None)

    def uniforms(self) -> dict[str, Row]:
        """All such rows by their unit: S, ST, S+ST, then the others."""
        units = [unit for unit in unit_table(self.space.branches)[0] if unit.branches]
        units.sort(key=lambda unit: ("T" in unit.branches, len(unit.branches)))
        found = {str(unit): self.uniform(unit) for unit in units}
        return {unit: row for unit, row in found.items() if row is not None}


@dataclass(frozen=True)
class Report:
    """A whole report.

    Args:
        title: Its title.
        subtitle: Date and machine, in a line.
        tasks: At least one task.
        command: The command that wrote it, if one did.

    Raises:
        ValueError: If there is no task.
    """

    title: str
    subtitle: str
    tasks: Sequence[TaskReport]
    command: str = ""

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError("A report needs at least one task. Received: none")


def _check_share(name: str, value: float) -> None:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(f"Expected {name} from 0 to 1. Received: {value}")

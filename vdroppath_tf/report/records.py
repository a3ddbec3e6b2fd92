"""What a report is made of: plain data, checked when it is put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vdroppath_tf.analysis.class_gains import ClassGains
from vdroppath_tf.analysis.compare import SpaceComparison, compare_spaces
from vdroppath_tf.analysis.worth import LayerWorth
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.report.explained import Explained
from vdroppath_tf.report.items import DataUsed, OtherSpace, Prediction, Tested
from vdroppath_tf.report.trials import TrialTable
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.listed import DRAWN, SCORED, STAND_ALONE, Draw, Row
from vdroppath_tf.scoring.selection import Selection
from vdroppath_tf.spaces.gate_arrays import Gates, gate_arrays
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

if TYPE_CHECKING:  # it imports Keras, which a report of plain data does not need
    from vdroppath_tf.budget.choices import Choice


@named
@dataclass(frozen=True, eq=False)
class TaskReport:
    """One task: the space that was learned, and what was measured with it.

    Only the first three are needed; a report leaves out what is not there.

    Args:
        name: str, the name of the task.
        description: str, what is in the clips and what the label says, in plain words.
        space: `ProbabilitySpace`, the learned space.
        rows: Sequence of `Row`, the table: uniform strategies, then what was chosen from the space.
            Defaults to `()`, as all sequences here.
        chosen: `FusionStrategy`, the one that was chosen; where there are rows, one must have it.
            Defaults to `None`: nothing was chosen, and the mode is shown.
        classes: int, the number of classes; guessing is right once in so many. Defaults to `None`,
            where it is not known.
        clips: int, the number of held-out clips that `top1` of the rows was measured on. Defaults
            to `None`; needed where there are rows.
        chosen_on_same_clips: bool, whether the choice was made by the accuracy on these very clips.
            Defaults to `True`.
        draws: Sequence of `Draw`, every strategy that was drawn and scored.
        history: Sequence of the drop probabilities after each epoch, the starting values first:
            each is what `ProbabilitySpace` takes as `drop`. Defaults to `None`.
        predictions: Sequence of `Prediction`, the answers of the served network.
        settings: Mapping of names to texts: what was chosen (sizes, epochs, seeds). Defaults to
            `{}`.
        timings: Mapping of the names of steps to seconds. Defaults to `{}`.
        selection: `Selection`, what `scoring.select()` gave. Defaults to `None`.
        tested: Sequence of `Tested`, the networks that `vdroppath test` has scored.
        front: Sequence of `Choice`, what `budget.pareto` gave, by MACs.
        data: Sequence of `DataUsed`, which videos were used.
        other: `OtherSpace`, a second space, for the paper's third observation. Defaults to `None`.
        answers: Mapping of the names of networks to `ClassAnswers`, what they answered clip by
            clip: each has a confusion matrix. Defaults to `{}`.
        gains: Sequence of `ClassGains`, which classes gain by looking in time.
        explained: Sequence of `Explained`, clips with what each branch looks at.
        worth: `LayerWorth`, what each layer's choice is worth. Defaults to `None`.
        chosen_as: str, what `chosen` is, such as `"the paper's choice"`. Defaults to
            `"the chosen strategy"`.
        kept: str, the name of the row of the network that is kept and exported. Defaults to
            `None`: the one derived from the template, or else the one trained stand-alone.
        trials: `TrialTable`, the strategies that were trained stand-alone to choose among them.
            Defaults to `None`.
        absent: Mapping of a part that has no data (`"history"`, `"accuracy"`, `"costs"`,
            `"other"`, `"tested"`, `"gains"`) to a sentence on how to get them. Defaults to `{}`.

    Raises:
        ValueError: If parts do not fit each other.
    """

    name: str
    description: str
    space: ProbabilitySpace
    rows: Sequence[Row] = ()
    chosen: FusionStrategy | None = None
    classes: int | None = None
    clips: int | None = None
    chosen_on_same_clips: bool = True
    draws: Sequence[Draw] = ()
    history: Sequence[Any] | None = None
    predictions: Sequence[Prediction] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    selection: Selection | None = None
    tested: Sequence[Tested] = ()
    front: Sequence[Choice] = ()
    data: Sequence[DataUsed] = ()
    other: OtherSpace | None = None
    answers: Mapping[str, ClassAnswers] = field(default_factory=dict)
    gains: Sequence[ClassGains] = ()
    explained: Sequence[Explained] = ()
    worth: LayerWorth | None = None
    chosen_as: str = "the chosen strategy"
    kept: str | None = None
    trials: TrialTable | None = None
    absent: Mapping[str, str] = field(default_factory=dict)

    __repr__ = brief

    def __post_init__(self) -> None:
        if self.chosen is not None:
            self.chosen.check(len(self.space), self.space.architecture, self.space.branches)
        numbers = (("classes", self.classes), ("clips", self.clips))
        short = [name for name, value in numbers if value is not None and value < 1]
        if short or (self.rows and self.clips is None):
            raise ValueError(
                f"Expected at least one class and one clip in task {self.name!r}. "
                f"Received: {self.classes} classes, {self.clips} clips"
            )
        if (self.rows or self.selection) and not self._rows_of_chosen():
            raise ValueError(
                f"No row of task {self.name!r} has the chosen strategy {self._chosen_row!r}. "
                f"Expected one. Received: {[row.strategy for row in self.rows]}"
            )
        if self.trials is not None:
            self.trials.check(self.space)
        if self.history is not None:
            self._check_history([gate_arrays("drop", drop) for drop in self.history])

    def _check_history(self, history: list[Gates]) -> None:
        object.__setattr__(self, "history", history)
        wanted = [layer.shape for layer in self.space.drop]
        for epoch, drop in enumerate(history):
            found = [layer.shape for layer in drop]
            if found != wanted:
                raise ValueError(
                    f"Expected drop probabilities in the history of task {self.name!r} of shapes "
                    f"{wanted}, like its space. Received: {found} after epoch {epoch}"
                )

    @property
    def chance(self) -> float | None:
        """Top-1 of guessing among classes of equal size; None where their number is unknown."""
        return None if self.classes is None else 1 / self.classes

    @property
    def shown(self) -> FusionStrategy:
        """The strategy that pictures name: the chosen one, or the mode."""
        return self.space.mode() if self.chosen is None else self.chosen

    @property
    def shown_as(self) -> str:
        """What it is, in words."""
        return "the most probable draw (the mode)" if self.chosen is None else self.chosen_as

    @property
    def best(self) -> Row | None:
        """The row of the chosen strategy; of several, the selected or one that was drawn."""
        found = self._rows_of_chosen()
        if self.selection is not None:
            return found[0]
        last = found[-1] if found else None
        return next((row for row in found if row.note == DRAWN), last)

    @property
    def trained(self) -> Row | None:
        """The row of the chosen strategy's own network: the one kept, derived, or stand-alone."""
        found = [row for row in self._rows_of_chosen() if not row.note.startswith((DRAWN, SCORED))]
        derived = [row for row in found if row.note != STAND_ALONE]
        kept = [row for row in found if row.name == self.kept]
        return next(iter((*kept, *derived[-1:], *found)), None)

    @property
    def retrained(self) -> Row | None:
        """The row of the chosen strategy trained stand-alone, where it is no uniform one."""
        found = [row for row in self._rows_of_chosen() if row.note == STAND_ALONE]
        return next((row for row in found if row not in self.uniforms().values()), None)

    @property
    def both(self) -> dict[str, ProbabilitySpace]:
        """The task's space and the other one, if there is one, by names that differ."""
        if self.other is None:
            return {self.name: self.space}
        name = self.other.name
        name = f"{name} (the other)" if name == self.name else name
        return {self.name: self.space, name: self.other.space}

    @property
    def comparison(self) -> SpaceComparison | None:
        """The two spaces compared, where there are two and both are of one kind of network."""
        if self.other is None:
            return None
        spaces = (self.space, self.other.space)
        first, second = (
            [s.architecture, s.branches, *(layer.shape for layer in s.drop)] for s in spaces
        )
        return compare_spaces(self.both) if first == second else None

    def uniform(self, unit: str) -> Row | None:
        """The row that uses `unit` in every layer and was trained stand-alone, if there is one."""
        texts = (unit, f"{unit} " * (len(self.space) - 1) + unit)
        rows = [row for row in self.rows if row.note == STAND_ALONE]
        return next((row for row in rows if row.strategy in texts), None)

    def uniforms(self) -> dict[str, Row]:
        """All such rows by their unit: S, ST, S+ST, then the others."""
        units = [unit for unit in unit_table(self.space.branches)[0] if unit.branches]
        units.sort(key=lambda unit: ("T" in unit.branches, len(unit.branches)))
        found = {str(unit): self.uniform(unit) for unit in units}
        return {unit: row for unit, row in found.items() if row is not None}

    @property
    def by_trials(self) -> bool:
        """Whether trials chose the strategy: the template's scores had no part in it."""
        return self.trials is not None and str(self.trials.chosen) == str(self.chosen)

    @property
    def _chosen_row(self) -> str:
        """The strategy that a row must have: what scores selected, whatever trials chose later."""
        return str(self.chosen if self.selection is None else self.selection.strategy)

    def _rows_of_chosen(self) -> list[Row]:
        return [row for row in self.rows if row.strategy == self._chosen_row]


@named
@dataclass(frozen=True)
class Report:
    """A whole report.

    Args:
        title: str, its title.
        subtitle: str, the date and the machine, in a line.
        tasks: Sequence of at least one `TaskReport`.
        command: str, the command that wrote it. Defaults to `""`, where none did.

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

"""The records of a report: plain data, checked on creation."""

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

if TYPE_CHECKING:  # budget imports Keras, which a report of plain data does not need
    from vdroppath_tf.budget.choices import Choice


@named
@dataclass(frozen=True, eq=False)
class TaskReport:
    """One task: the learned space, and the measurements made with it.

    Only the first three arguments are required; a report leaves out missing parts.

    Args:
        name: str, the name of the task.
        description: str, a description of the clips and the labels.
        space: `ProbabilitySpace`, the learned space.
        rows: Sequence of `Row`, the table: uniform strategies, then those chosen from the space.
            Defaults to `()`, as do all sequences here.
        chosen: `FusionStrategy`, the chosen strategy; if there are rows, one must have it. Defaults
            to `None`: nothing was chosen, and the mode is shown.
        classes: int, the number of classes, from which the accuracy of guessing follows. Defaults
            to `None`: unknown.
        clips: int, the number of held-out clips on which `top1` of the rows was measured. Defaults
            to `None`; required if there are rows.
        chosen_on_same_clips: bool, whether the choice was made by the accuracy on the same clips.
            Defaults to `True`.
        draws: Sequence of `Draw`, every strategy that was drawn and scored.
        history: Sequence of the drop probabilities after each epoch, initial values first; each has
            the form of `drop` of `ProbabilitySpace`. Defaults to `None`.
        predictions: Sequence of `Prediction`, the answers of the served network.
        settings: Mapping of names to texts: the settings of the run (sizes, epochs, seeds).
            Defaults to `{}`.
        timings: Mapping of the names of steps to seconds. Defaults to `{}`.
        selection: `Selection`, from `scoring.select()`. Defaults to `None`.
        tested: Sequence of `Tested`, the networks that `vdroppath test` has scored.
        front: Sequence of `Choice`, from `budget.pareto`, by MACs.
        data: Sequence of `DataUsed`, the videos that were used.
        other: `OtherSpace`, a second space, for the paper's third observation. Defaults to `None`.
        answers: Mapping of the names of networks to `ClassAnswers`, the answers for each clip, from
            which confusion matrices are drawn. Defaults to `{}`.
        gains: Sequence of `ClassGains`, the gains by class.
        explained: Sequence of `Explained`, the explained clips.
        worth: `LayerWorth`, the worth of each layer's choice. Defaults to `None`.
        chosen_as: str, the name of `chosen`, such as `"the paper's choice"`. Defaults to `"the
            chosen strategy"`.
        kept: str, the name of the row of the network that is kept and exported. Defaults to `None`:
            the one derived from the template, or else the one trained stand-alone.
        trials: `TrialTable`, the strategies that were trained stand-alone for the choice.
            Defaults to `None`.
        absent: Mapping of a part that has no data (`"history"`, `"accuracy"`, `"costs"`, `"other"`,
            `"tested"`, `"gains"`) to a sentence on how to get them. Defaults to `{}`.

    Raises:
        ValueError: If parts are inconsistent.

    Example:
    ```python
    row = vdroppath_tf.scoring.Row("the mode", str(space.mode()), 0.8, 0.02)
    task = TaskReport("motion", "The label is a direction.", space, [row], space.mode(), clips=400)
    print(task.best, task.shown_as)
    ```
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
        """The top-1 of guessing among classes of equal size; None if their number is unknown."""
        return None if self.classes is None else 1 / self.classes

    @property
    def shown(self) -> FusionStrategy:
        """The strategy in the pictures: the chosen one, or the mode."""
        return self.space.mode() if self.chosen is None else self.chosen

    @property
    def shown_as(self) -> str:
        """A description of ``shown``."""
        return "the most probable draw (the mode)" if self.chosen is None else self.chosen_as

    @property
    def best(self) -> Row | None:
        """The row of the chosen strategy; of several, the selected or a drawn one."""
        found = self._rows_of_chosen()
        if self.selection is not None:
            return found[0]
        last = found[-1] if found else None
        return next((row for row in found if row.note == DRAWN), last)

    @property
    def trained(self) -> Row | None:
        """The row of the chosen strategy's network: the kept, derived or stand-alone one."""
        found = [row for row in self._rows_of_chosen() if not row.note.startswith((DRAWN, SCORED))]
        derived = [row for row in found if row.note != STAND_ALONE]
        kept = [row for row in found if row.name == self.kept]
        return next(iter((*kept, *derived[-1:], *found)), None)

    @property
    def retrained(self) -> Row | None:
        """The row of the chosen strategy trained stand-alone, unless it is uniform."""
        found = [row for row in self._rows_of_chosen() if row.note == STAND_ALONE]
        return next((row for row in found if row not in self.uniforms().values()), None)

    @property
    def both(self) -> dict[str, ProbabilitySpace]:
        """The task's space and the other one, if any, by distinct names."""
        if self.other is None:
            return {self.name: self.space}
        name = self.other.name
        name = f"{name} (the other)" if name == self.name else name
        return {self.name: self.space, name: self.other.space}

    @property
    def comparison(self) -> SpaceComparison | None:
        """The comparison of the two spaces, if there are two of the same kind of network."""
        if self.other is None:
            return None
        spaces = (self.space, self.other.space)
        first, second = (
            [s.architecture, s.branches, *(layer.shape for layer in s.drop)] for s in spaces
        )
        return compare_spaces(self.both) if first == second else None

    def uniform(self, unit: str) -> Row | None:
        """Returns the stand-alone row with `unit` in every layer, if there is one."""
        texts = (unit, f"{unit} " * (len(self.space) - 1) + unit)
        rows = [row for row in self.rows if row.note == STAND_ALONE]
        return next((row for row in rows if row.strategy in texts), None)

    def uniforms(self) -> dict[str, Row]:
        """All such rows by unit: S, ST, S+ST, then others."""
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
        title: str, the title.
        subtitle: str, the date and the machine, in a line.
        tasks: Sequence of at least one `TaskReport`.
        command: str, the command that wrote it. Defaults to `""`: none.

    Raises:
        ValueError: If there is no task.

    Example:
    ```python
    task = TaskReport("motion", "The label is a direction.", space)
    write_report("report.html", Report("Motion", "2026-11-30, 2 cores", [task]))
    ```
    """

    title: str
    subtitle: str
    tasks: Sequence[TaskReport]
    command: str = ""

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError("A report needs at least one task. Received: none")

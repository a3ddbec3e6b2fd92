"""Trials as a report shows them: what was trained stand-alone, for how long, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vdroppath_tf.names import named
from vdroppath_tf.report.items import DataUsed, check_strategies
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import check_share
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

BY_TRIALS = "choosing by trials"
"""The use of the videos on which trials choose, in `DataUsed`."""
SPACE, PRIOR, UNIFORM = "space", "uniform prior", "uniform"
ORIGINS = {
    SPACE: "drawn from the space",
    PRIOR: "drawn from the uniform prior",
    UNIFORM: "with one unit everywhere",
}
"""Where a strategy of trials comes from, and how a page says it; a draw may be uniform too."""
CHOSEN, DROPPED, TRAINED, UNTRIED = "chosen", "dropped", "trained to the end", "not tried"
"""What became of a strategy."""


@named
@dataclass(frozen=True)
class TriedRow:
    """One strategy of trials.

    Args:
        strategy: str, its text.
        origin: str, one of `ORIGINS`.
        trial: float, top-1 on the validation videos after its trial. Defaults to `None`: it was
            not tried.
        end: float, top-1 after a whole training. Defaults to `None`: it was not trained so far.
        macs: int, multiply-adds for one clip. Defaults to `None`, where they are not known.

    Raises:
        ValueError: If a share is not in [0, 1], or there is no such origin.

    Example:
    ```python
    row = TriedRow("S ST S+ST", "space", trial=0.61, end=0.74, macs=1_200_000)
    ```
    """

    strategy: str
    origin: str
    trial: float | None = None
    end: float | None = None
    macs: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("after its trial", self.trial), ("at the end", self.end)):
            check_share(f"top-1 of {self.strategy!r} {name}", 0.0 if value is None else value)
        if self.origin not in ORIGINS:
            raise ValueError(
                f"Expected the origin of {self.strategy!r} to be one of {', '.join(ORIGINS)}. "
                f"Received: {self.origin!r}"
            )


@named
@dataclass(frozen=True)
class Rival:
    """A network that the chosen one is compared with before one of the two is kept.

    Args:
        name: str, its name.
        strategy: `FusionStrategy`, its strategy.
        top1: float, its top-1 on the validation videos.
        kept: bool, whether it is the one that is kept.
        derived: bool, whether it is known to be derived from a template. Defaults to `False`.

    Example:
    ```python
    rival = Rival.of("derived from the template", space.mode(), top1=0.72, against=0.75)
    rival.kept  # False
    ```
    """

    name: str
    strategy: FusionStrategy
    top1: float
    kept: bool
    derived: bool = False

    def __post_init__(self) -> None:
        check_share(f"top-1 of {self.name!r}", self.top1)

    def __str__(self) -> str:
        """The network in words, with no more about its origin than is known."""
        return "the derived network" if self.derived else f"the network {self.name}"

    @classmethod
    def of(
        cls,
        name: str,
        strategy: FusionStrategy,
        top1: float,
        *,
        against: float,
        derived: bool = False,
    ) -> Rival:
        """Returns a network that is kept if its top-1 is higher than that of the chosen one.

        Args:
            name: str, its name.
            strategy: `FusionStrategy`, its strategy.
            top1: float, its top-1 on the validation videos.
            against: float, the top-1 of the chosen network, which is kept if both are equal.
            derived: bool, whether it is known to be derived from a template. Defaults to `False`.
        """
        return cls(name, strategy, top1, top1 > against, derived)


@named
@dataclass(frozen=True)
class TrialTable:
    """What was trained stand-alone to choose among it.

    Args:
        rows: Sequence of `TriedRow`, each strategy once; the space's mode has one in any case.
        mode: str, the text of the space's mode.
        chosen: `FusionStrategy`, the one that was chosen.
        epochs: pair of float, the length of a trial and that of a whole training.
        videos: int, the number of validation videos.
        mode_rank: pair of int, the place of the mode by the template's scores and how many
            strategies were scored. Defaults to `None`, where the mode was not scored.
        rival: `Rival`, what the chosen network is compared with. Defaults to `None`.
        settings: Mapping, the fields of `experiments.Trials`. Defaults to `{}`.
        data: `DataUsed`, the validation videos. Defaults to `None`.

    Raises:
        ValueError: If the chosen strategy was not trained to the end, or the mode has no row.

    Example:
    ```python
    rows = [TriedRow("S S S", "uniform", 0.6, 0.7), TriedRow(str(space.mode()), "space", 0.5)]
    chosen = vdroppath_tf.FusionStrategy.parse("S S S")
    table = TrialTable(rows, str(space.mode()), chosen, epochs=(2.0, 10.0), videos=200)
    print([table.outcome(row) for row in table.ordered])
    ```
    """

    rows: Sequence[TriedRow]
    mode: str
    chosen: FusionStrategy
    epochs: tuple[float, float]
    videos: int
    mode_rank: tuple[int, int] | None = None
    rival: Rival | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: DataUsed | None = None

    def __post_init__(self) -> None:
        for name, strategy, rows in (
            ("chosen strategy", str(self.chosen), self.trained),
            ("space's mode", self.mode, self.rows),
        ):
            if strategy not in [row.strategy for row in rows]:
                raise ValueError(
                    f"Expected the {name} of trials among {[row.strategy for row in rows]}. "
                    f"Received: {strategy!r}"
                )
        if self.videos < 1:
            raise ValueError(f"Expected at least one validation video. Received: {self.videos}")

    @property
    def tried(self) -> list[TriedRow]:
        """Those of the first round."""
        return [row for row in self.rows if row.trial is not None]

    @property
    def trained(self) -> list[TriedRow]:
        """Those that were trained to the end."""
        return [row for row in self.rows if row.end is not None]

    @property
    def ordered(self) -> list[TriedRow]:
        """Those trained to the end, the best first; then those dropped; then what was not tried."""
        return sorted(
            self.rows,
            key=lambda row: (
                row.end is None,
                row.trial is None and row.end is None,
                -(row.end or 0.0),
                -(row.trial or 0.0),
            ),
        )

    @property
    def kept(self) -> FusionStrategy:
        """The strategy of the network that is kept."""
        return self.rival.strategy if self.rival is not None and self.rival.kept else self.chosen

    def outcome(self, row: TriedRow) -> str:
        """What became of a strategy."""
        if row.strategy == str(self.chosen):
            return CHOSEN
        if row.end is not None:
            return TRAINED
        return UNTRIED if row.trial is None else DROPPED

    def interval(self, share: float) -> Interval:
        """A share of the validation videos with its 95 % interval."""
        return Interval.of_share(share, self.videos)

    def check(self, space: ProbabilitySpace) -> None:
        """Raises where a strategy is another network's.

        Args:
            space: `ProbabilitySpace`, that of the template.

        Raises:
            ValueError: naming the first strategy that does not fit.
        """
        network = self.chosen.architecture
        rows = [FusionStrategy.parse(row.strategy, network) for row in self.rows]
        every = (self.chosen, self.kept, *rows)
        check_strategies(every, space, "The trials are another network's", "trials")

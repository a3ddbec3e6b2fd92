"""What trials found, in sentences, in the lines of a page and in those of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.names import named
from vdroppath_tf.report.trials import CHOSEN, ORIGINS, PRIOR, SPACE, Rival, TrialTable, TriedRow
from vdroppath_tf.scoring.intervals import Interval


@named
def trial_sentences(table: TrialTable) -> list[str]:
    """What trials found: how many were trained, which was chosen, where the space stands."""
    trial, whole = table.epochs
    counts = [
        f"{count} {ORIGINS[origin]}"
        for origin in ORIGINS
        if (count := sum(row.origin == origin for row in table.tried))
    ]
    best = max(table.trained, key=lambda row: row.end or 0.0)
    own = next(row for row in table.trained if row.strategy == str(table.chosen))
    on = f"on {table.videos:,} validation clips"
    said = [
        f"Trials trained {len(table.tried)} strategies stand-alone ({', '.join(counts)}) for "
        f"{trial:g} of {whole:g} epochs, and {len(table.trained)} networks to the end. Chosen, the "
        f"cheapest within one standard error of the best {on}: the one "
        f"{ORIGINS[own.origin]} with {percent(own.end or 0.0)} (the best: "
        f"{percent(best.end or 0.0)}). The choice was made on these clips, so this number has a "
        "selection bias."
    ]
    tops = {
        origin: max(tops)
        for origin in (SPACE, PRIOR)
        if (tops := [row.trial or 0.0 for row in table.tried if row.origin == origin])
    }
    if len(tops) == 2:
        said.append(
            f"After their trials the best strategy of the space had {percent(tops[SPACE])}, the "
            f"best uniform draw {percent(tops[PRIOR])}."
        )
    said.append(_of_mode(table))
    if table.rival is not None:
        said.append(_of_rival(table, table.rival, own))
    return said


def _of_mode(table: TrialTable) -> str:
    """Where the space's mode stands."""
    mode = next(row for row in table.rows if row.strategy == table.mode)
    if mode.strategy == str(table.chosen):
        return "The chosen strategy is the space's mode."
    if mode.end is not None:
        return f"The space's mode was trained to the end and has {percent(mode.end)}."
    if mode.trial is not None:
        ranked = sorted((row.trial or 0.0 for row in table.tried), reverse=True)
        place = ranked.index(mode.trial) + 1
        return (
            f"The space's mode had {percent(mode.trial)} after its trial, place {place} of "
            f"{len(ranked)}, and was dropped."
        )
    if table.mode_rank is None:
        return "The space's mode was not tried."
    place, of = table.mode_rank
    return f"The space's mode was not tried: it is number {place} of {of} by the template's scores."


def _of_rival(table: TrialTable, rival: Rival, own: TriedRow) -> str:
    kept = "it is kept" if rival.kept else "the chosen one is kept"
    what = str(rival)
    whose = (
        "of the same strategy"
        if str(rival.strategy) == str(table.chosen)
        else f"of {rival.strategy}"
    )
    return (
        f"{what[0].upper()}{what[1:]} ({whose}) has a top-1 of {percent(rival.top1)} on the same "
        f"clips, the chosen one, trained stand-alone, {percent(own.end or 0.0)}: {kept}."
    )


@named
def trial_rows(table: TrialTable) -> tuple[list[str], list[list[Any]]]:
    """Heads, and a line for each strategy, in the order of the page: what its CSV file holds."""
    heads = ["strategy", "from", "mode", "trial_epochs", "trial_top1", "trial_low", "trial_high"]
    heads += ["epochs", "top1", "low", "high", "macs", "clips", "outcome"]
    lines = []
    for row in table.ordered:
        ends: list[Any] = []
        for share, epochs in zip((row.trial, row.end), table.epochs, strict=True):
            if share is None:
                ends += [None] * 4
            else:
                found = table.interval(share)
                ends += [epochs, share, found.low, found.high]
        start = [row.strategy, row.origin, row.strategy == table.mode]
        lines.append([*start, *ends, row.macs, table.videos, table.outcome(row)])
    return heads, lines


@named
@dataclass(frozen=True)
class TrialLine:
    """A line of the table on a page."""

    row: TriedRow
    origin: str
    intervals: tuple[Interval | None, Interval | None]
    outcome: str
    chosen: bool


@named
@dataclass(frozen=True)
class TrialLines:
    """The table on a page: its caption, its heads and its lines."""

    caption: str
    heads: list[str]
    lines: list[TrialLine]


@named
def trial_lines(table: TrialTable) -> TrialLines:
    """The table as a page shows it."""
    trial, whole = table.epochs
    caption = (
        f"Top-1 on the {table.videos:,} validation clips that the choice was made on, in brackets "
        f"its 95 % interval: after a trial of {trial:g} epochs, and after a whole training of "
        f"{whole:g}. Both are trainings from scratch; a trial that goes on begins anew. Those with "
        "one unit everywhere are trained to the end in any case."
    )
    heads = ["Strategy", f"After {trial:g} epochs", f"After {whole:g} epochs", "MACs a clip"]
    return TrialLines(caption, [*heads, "Outcome"], [_line(table, row) for row in table.ordered])


def _line(table: TrialTable, row: TriedRow) -> TrialLine:
    trial, end = (None if one is None else table.interval(one) for one in (row.trial, row.end))
    outcome, origin = table.outcome(row), ORIGINS[row.origin]
    if row.strategy == table.mode:
        origin = "the space's mode" if row.origin == SPACE else f"{origin}, the space's mode"
    return TrialLine(row, origin, (trial, end), outcome, outcome == CHOSEN)

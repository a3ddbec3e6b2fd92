"""Prints and writes the result of ``vdroppath evaluate``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import logging

from vdroppath_tf import analysis, report, scoring, spaces

if TYPE_CHECKING:
    from vdroppath_tf.cost import UnitCosts


def show(
    result: scoring.Selection,
    chosen_on: scoring.StrategyScores,
    reported_on: scoring.StrategyScores,
    told: str,
    costs: UnitCosts,
    classes: int,
) -> None:
    """Prints all scores, the chosen strategy, and its scores on videos not used for the choice."""
    first, second = result.clips
    print(f"The {first} clips used for the choice; the best first, and of equals the cheapest:")
    print("\n".join(_aligned(_table_of_all(chosen_on, costs, classes))))
    interval = f"{100 * result.confidence:g} % interval"
    print(f"\nThe {second} clips of the report ({told});")
    print(f"top-1 and its difference to that of the selected, each with its {interval}:")
    maps = _maps(reported_on)
    heads = ["top-1", "interval", "difference", "interval", *(["mAP"] if maps else []), "strategy"]
    rows = [
        [
            *(*_cells(row.interval), *_cells(row.difference)),
            *([f"{maps[row.strategy]:.4f}" if row.strategy in maps else ""] if maps else []),
            f"{row.name}: {row.strategy}",
        ]
        for row in result.rows
    ]
    print("\n".join(_aligned([heads, *rows])))
    count, best = len(result.confidence_set), result.top1_chosen_on
    print(f"\nOn the clips used for the choice the selected has {best:.4f}; the best of ", end="")
    bias = round(result.optimism, 4) + 0.0  # never -0.0
    print(f"{len(chosen_on)} has a selection bias of about {bias:.4f}.")
    print(_chosen(result, chosen_on, costs))
    level = f"{100 * (1 - result.level):g} %"
    print(f"In the {level} confidence set of the best: {count} of {len(chosen_on)}.")


def _table_of_all(
    scores: scoring.StrategyScores, costs: UnitCosts, classes: int
) -> list[list[str]]:
    """Returns a line of cells for each strategy, below one of heads.

    Top-5 is left out if there are at most 5 classes, where it is 1 for every strategy.
    """
    macs = {score.strategy: costs.of(score.strategy)[1] for score in scores}
    ranked = sorted(scores, key=lambda one: (-one.clips, -one.top1, macs[one.strategy]))
    heads = ["top-1", "95 % interval"]
    heads += ["top-5"] if classes > 5 else []
    heads += ["mAP"] if scores[0].map is not None else []
    lines = [[*heads, "MACs", "strategy"]]
    for score in ranked:
        line = _cells(score.interval)
        line += [f"{score.top5:.4f}"] if classes > 5 else []
        line += [f"{score.map:.4f}"] if score.map is not None else []
        seen = "" if score in scores.finalists else f"  dropped after {score.clips} clips"
        lines.append([*line, f"{macs[score.strategy]:,}", f"{score.strategy}{seen}"])
    return lines


def _cells(interval: scoring.Interval | None) -> list[str]:
    """Returns an estimate, and the ends of its interval, without minus zeros."""
    if interval is None:
        return ["", ""]
    value, low, high = (round(each, 4) + 0.0 for each in dataclasses.astuple(interval))
    return [f"{value:.4f}", f"[{low:.4f}, {high:.4f}]"]


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Aligns all columns but the last, of strategies, to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join([*(c.rjust(w) for c, w in zip(line[:-1], widths, strict=False)), line[-1]])
        for line in lines
    ]


def _chosen(result: scoring.Selection, chosen_on: scoring.StrategyScores, costs: UnitCosts) -> str:
    """Describes the selected strategy, the reason, and the choice by the other rule."""
    macs, most = costs.of(result.strategy)[1], chosen_on.best.strategy
    if result.rule == "accurate":
        return f"Selected: the highest top-1 ({macs:,} MACs), whatever it costs."
    line = f"Selected: the cheapest of those that may be the best ({macs:,} MACs)"
    if most == result.strategy:
        return f"{line}, which is the most accurate too."
    fewer = 1 - macs / costs.of(most)[1]
    return f"{line}; {fewer:.0%} fewer than {most}, which --choose=accurate takes."


def _maps(scores: scoring.StrategyScores) -> dict[str, float]:
    """Returns the mean average precision by strategy, if clips have several classes."""
    return {str(score.strategy): score.map for score in scores if score.map is not None}


def write(
    path: Path,
    head: dict[str, Any],
    result: scoring.Selection,
    chosen_on: scoring.StrategyScores,
    reported_on: scoring.StrategyScores,
    labels: Sequence[str],
) -> None:
    """Writes the result as JSON, and the answers for each clip next to it."""
    for name, scores in (("chosen_on", chosen_on), ("reported_on", reported_on)):
        scores.save(path.with_suffix(f".{name}.npz"))
    recalibrated = chosen_on.recalibrated
    report.write_scores(
        path,
        head,
        result,
        chosen_on.ranked(),
        recalibrated=recalibrated,
        gains=gains_of(result, reported_on, labels),
        maps=_maps(reported_on),
    )
    logging.info("Wrote %s", path)


def gains_of(
    result: scoring.Selection, reported_on: scoring.StrategyScores, labels: Sequence[str]
) -> analysis.ClassGains | None:
    """Returns the selected strategy's gains over S everywhere, by class, on the reported clips.

    None if it is S everywhere, if S cannot be on in every layer, or if clips have several classes.
    """
    selected, *others = result.rows
    frames = next((row for row in others if row.name == "S everywhere"), None)
    truths = reported_on.labels
    if frames is None or frames.strategy == selected.strategy or truths is None:
        return None
    if _maps(reported_on):
        return None
    strategies = [spaces.FusionStrategy.parse(row.strategy) for row in (selected, frames)]
    pair = reported_on.answers(strategies)
    called = {"one": "the selected strategy", "other": "S everywhere"}
    return analysis.class_gains(labels, truths, *pair, **called)

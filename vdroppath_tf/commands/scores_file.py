"""Prints and writes the result of ``vdroppath evaluate``."""

from __future__ import annotations

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
) -> None:
    """Prints all scores, the chosen strategy, and its scores on videos not used for the choice."""
    for score in chosen_on.ranked():
        share = f"{score.interval}  top-5 {score.top5:.4f}"
        seen = "" if score in chosen_on.finalists else f"  dropped after {score.clips} clips"
        precision = "" if score.map is None else f"  mAP {score.map:.4f}"
        print(f"{share}{precision}  {score.strategy}{seen}")
    first, second = result.clips
    print(f"\nAbove: the {first} clips used for the choice. Below: {second} ({told}).")
    print(f"Top-1 and its difference to the selected, {100 * result.confidence:g} % intervals:")
    maps = _maps(reported_on)
    for row in result.rows:
        precision = f"  mAP {maps[row.strategy]:.4f}" if row.strategy in maps else ""
        print(f"{row.interval}  {row.difference}{precision}  {row.name}: {row.strategy}")
    count, best = len(result.confidence_set), result.top1_chosen_on
    print(f"\nOn the clips used for the choice the selected has {best:.4f}; the best of ", end="")
    print(f"{len(chosen_on)} has a selection bias of about {result.optimism:.4f}.")
    print(_chosen(result, chosen_on, costs))
    level = f"{100 * (1 - result.level):g} %"
    print(f"In the {level} confidence set of the best: {count} of {len(chosen_on)}.")


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

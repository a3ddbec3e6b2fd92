"""What ``vdroppath evaluate`` prints and writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import logging

from vdroppath_tf import analysis, report, scoring, spaces


def show(result: scoring.Selection, chosen_on: scoring.StrategyScores, told: str) -> None:
    """Prints who was chosen, on what, and what it scores on videos it was not chosen on."""
    for score in ranked(chosen_on):
        share = f"{score.interval}  top-5 {score.top5:.4f}"
        seen = "" if score in chosen_on.finalists else f"  dropped after {score.clips} clips"
        print(f"{share}  {score.strategy}{seen}")
    first, second = result.clips
    print(f"\nAbove: the {first} clips that were chosen on. Below: {second} ({told}).")
    print(f"Top-1 and its difference to the selected, {100 * result.confidence:g} % intervals:")
    for row in result.rows:
        print(f"{row.interval}  {row.difference}  {row.name}: {row.strategy}")
    count, best = len(result.confidence_set), result.top1_chosen_on
    print(f"\nOn the clips it was chosen on the selected scored {best:.4f}; the best of ", end="")
    print(f"{len(chosen_on)} has a selection bias of about {result.optimism:.4f}.")
    level = f"{100 * (1 - result.level):g} %"
    print(f"In the {level} confidence set of the best: {count} of {len(chosen_on)}.")


def ranked(scores: scoring.StrategyScores) -> list[Any]:
    """Best first; those dropped from a race last."""
    return sorted(scores, key=lambda score: (-score.clips, -score.top1))


def write(
    path: Path,
    head: dict[str, Any],
    result: scoring.Selection,
    chosen_on: scoring.StrategyScores,
    reported_on: scoring.StrategyScores,
    labels: Sequence[str],
) -> None:
    """Writes the result as JSON, and the answers clip by clip beside it."""
    for name, scores in (("chosen_on", chosen_on), ("reported_on", reported_on)):
        scores.save(path.with_suffix(f".{name}.npz"))
    recalibrated = chosen_on.recalibrated
    gains = gains_of(result, reported_on, labels)
    report.write_scores(
        path, head, result, ranked(chosen_on), recalibrated=recalibrated, gains=gains
    )
    logging.info("Wrote %s", path)


def gains_of(
    result: scoring.Selection, reported_on: scoring.StrategyScores, labels: Sequence[str]
) -> analysis.ClassGains | None:
    """What the selected strategy gains over S everywhere, class by class, on the clips reported on.

    None where it is S everywhere, where no layer's S can be on everywhere, or where clips have
    several classes.
    """
    selected, *others = result.rows
    frames = next((row for row in others if row.name == "S everywhere"), None)
    truths = reported_on.labels
    if frames is None or frames.strategy == selected.strategy or truths is None or truths.ndim > 1:
        return None
    strategies = [spaces.FusionStrategy.parse(row.strategy) for row in (selected, frames)]
    pair = reported_on.answers(strategies)
    return analysis.class_gains(labels, truths, *pair, one="the selected strategy")

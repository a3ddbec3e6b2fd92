"""What commands that score or derive do about batch norm."""

from __future__ import annotations

from typing import Any

from absl import logging

from vdroppath_tf import data, training


def say_not_recalibrated() -> None:
    """Warns that a template is scored as it was trained, as nobody gave training videos."""
    logging.warning(
        "No --train_data: batch norm keeps the statistics of all paths mixed, and single "
        "strategies score below what they can."
    )


def recalibration_clips(
    videos: data.Manifest, recipe: training.Recipe, faults: data.FaultLog
) -> Any:
    """Training clips to recalibrate batch norm on, however few there are."""
    batch = min(recipe.batch_size, len(videos))
    return data.training_clips(
        videos, recipe.sampling, batch_size=batch, seed=recipe.seed, faults=faults
    )

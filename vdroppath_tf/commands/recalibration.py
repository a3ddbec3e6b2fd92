"""What commands that score or derive do about batch norm."""

from __future__ import annotations

from absl import logging


def say_not_recalibrated() -> None:
    """Warns that a template is scored as it was trained, as nobody gave training videos."""
    logging.warning(
        "No --train_data: batch norm keeps the statistics of all paths mixed, and single "
        "strategies score below what they can."
    )

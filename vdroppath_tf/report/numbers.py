"""How a report writes its numbers."""

from __future__ import annotations

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.scoring.listed import Row


def score(row: Row) -> str:
    """A row's accuracy with its standard error, held together by no-break spaces."""
    return f"{row.top1 * 100:.1f} ± {percent(row.standard_error)}".replace(
        " ", "\N{NO-BREAK SPACE}"
    )

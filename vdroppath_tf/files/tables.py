"""Tables as CSV: numbers are kept exactly, and names are never taken for spreadsheet formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from vdroppath_tf.names import named

# Characters that start a formula in a spreadsheet, in half or full width. They match behind
# apostrophes too, so that the apostrophe that is added can be removed without doubt.
_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_STRATEGY = re.compile(r"-(?: [-ST+@01]+)*")  # a strategy that begins with "-": not a formula


@named
def csv_text(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    r"""Returns a table as the text of a CSV file.

    Numbers are written with all their digits, so that they are read back exactly, and None as an
    empty cell. An apostrophe is put before a text that a spreadsheet would calculate, such as the
    class name ``=cmd``: spreadsheets then take it for text. ``plain_cell`` removes it again.

    Args:
        heads: sequence of str, the names of the columns.
        lines: iterable of sequences, the cells of each line.

    Returns:
        The text, with ``\n`` at the end of each line.

    Example:
        ```python
        csv_text(["class", "videos"], [["=1+1", 3]])  # "class,videos\n'=1+1,3\n"
        ```
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_safe(cell) for cell in line] for line in (heads, *lines))
    return text.getvalue()


@named
def plain_cell(text: str) -> str:
    """Returns the original text of a cell that was written by ``csv_text``."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _safe(cell: Any) -> Any:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _STRATEGY.fullmatch(cell):
        return f"'{cell}"
    return cell

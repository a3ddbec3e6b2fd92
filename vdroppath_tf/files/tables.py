"""Tables as CSV: numbers come back exactly, and no spreadsheet takes a name for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from vdroppath_tf.names import named

# What spreadsheets calculate, in whatever width of letter; behind apostrophes too, so that the one
# that is put in front can be taken away again.
_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_STRATEGY = re.compile(r"-(?: [-ST+@01]+)*")  # text of ours that begins with "-", and is no formula


@named
def csv_text(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    r"""A table as the text of a CSV file.

    Numbers are written as Python writes them, so that they come back exactly, and None as nothing.
    A text that a spreadsheet would calculate, such as the name ``=cmd`` of a class, has an
    apostrophe in front, by which spreadsheets know a text; ``plain_cell`` takes it away.

    Args:
        heads: Sequence of str, the names of the columns.
        lines: Iterable of Sequence, the cells of each line.

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
    """The text that ``csv_text`` was given, of a cell that was read from its CSV."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _safe(cell: Any) -> Any:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _STRATEGY.fullmatch(cell):
        return f"'{cell}"
    return cell

"""Short tables of results: as text, as HTML in notebooks, and as a ``pandas.DataFrame``."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN = 10  # lines of a printed table


@dataclass(frozen=True)
class ShortTable:
    """A table of results.

    Attributes:
        title: str, the line above the table.
        heads: sequence of str, the names of the columns.
        lines: sequence of sequences, the cells of each line.
    """

    title: str
    heads: Sequence[str]
    lines: Sequence[Sequence[Any]]

    def text(self) -> str:
        """Returns the title and the first lines, in aligned columns."""
        rows = [list(self.heads), *self._cells()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(self.heads))]
        pairs = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
        return "\n".join([self.title, *(line.rstrip() for line in pairs), *self._rest()])

    def html(self) -> str:
        """Returns the first lines as an HTML table, in which all cells are escaped."""
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads)
        lines = (
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._cells()
        )
        below = "".join(f"<p>{html.escape(line)}</p>" for line in self._rest())
        return (
            f"<p>{html.escape(self.title)}</p><table><thead><tr>{heads}</tr></thead>"
            f"<tbody>{''.join(lines)}</tbody></table>{below}"
        )

    def frame(self) -> Any:
        """Returns all lines as a ``pandas.DataFrame``.

        Raises:
            ModuleNotFoundError: If pandas is not installed; the message says how to install it.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "A table as a DataFrame needs pandas, which is not installed: pip install pandas. "
                "print() and notebooks show a short table without it."
            ) from error
        return pandas.DataFrame([list(line) for line in self.lines], columns=list(self.heads))

    def _cells(self) -> list[list[str]]:
        return [[_cell(cell) for cell in line] for line in self.lines[:_SHOWN]]

    def _rest(self) -> list[str]:
        more = len(self.lines) - _SHOWN
        return [f"... and {more:,} more"] if more > 0 else []


class ShowsTable:
    """A mixin that shows an object's ``short_table`` in notebooks and gives it as a DataFrame."""

    def short_table(self) -> ShortTable:
        """Returns the table that is shown for this object."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self.short_table().html()

    def to_frame(self) -> Any:
        """Returns all lines as a ``pandas.DataFrame``; needs pandas."""
        return self.short_table().frame()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

"""A way to read a list, and the values that it gives for a line."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeAlias

from vdroppath_tf.data.lists.tables.classes import labels_of
from vdroppath_tf.data.lists.tables.contents import NUMBER, Columns, There, is_time
from vdroppath_tf.data.lists.tables.layout import CLASSES, SEPARATORS, shown
from vdroppath_tf.data.lists.tables.splitting import AnySplitter, Cell, Splitter

Answer: TypeAlias = tuple[Any, ...]
"""The path, the text of the classes, the classes, and the numbers (`ANSWERS`) of a line."""
ANSWERS = ("num_frames", "start_frame", "start_second", "end_frame", "end_second")
PLACE_OF_ANSWERS = 3
_TIMES = ANSWERS[1:]
_NUMBERS = ("class_number", "segment_frames", *ANSWERS)


@dataclasses.dataclass(frozen=True)
class Reading:
    """A way to read a list.

    Attributes:
        splitter: Splits the lines.
        columns: The meaning of the columns.
        header: Whether the first line is a header.
    """

    splitter: AnySplitter
    columns: Columns
    header: bool

    def __str__(self) -> str:
        after = ", after a header" if self.header and isinstance(self.splitter, Splitter) else ""
        return f"{shown(self.columns)}, {self.splitter}{after}"

    @property
    def flags(self) -> str:
        """The flags that select this reading."""
        columns = f"--columns={shown(self.columns)}"
        if not isinstance(self.splitter, Splitter):
            return columns
        name = next(name for name, text in SEPARATORS.items() if text == self.splitter.separator)
        return f"{columns} --separator={name}"

    @property
    def unit(self) -> str | None:
        """The unit of the segments, if there are any."""
        return next((u for u in ("frame", "second") if f"start_{u}" in self.columns), None)

    @property
    def column(self) -> str:
        """The column of the class."""
        return next(name for name in CLASSES[::-1] if name in self.columns)

    def answer(self, line: str, between: re.Pattern[str], there: There) -> Answer | None:
        """Returns the values of a line; None if it has no path or invalid numbers."""
        cells = self.splitter(line)
        if cells is None:
            return None
        found = dict(zip(self.columns, cells, strict=True))
        path = found["path"]
        numbers = all(_is_number(found[name], name) for name in _NUMBERS if name in found)
        if not numbers or not isinstance(path, str) or not path or not there(path):
            return None
        label = found[self.column]
        said = (found.get(name) for name in ANSWERS)
        return path, label, labels_of(label, self.column, between), *said


def _is_number(cell: Cell, column: str) -> bool:
    """Returns whether a cell may stand in a column of whole numbers, or of times."""
    if not isinstance(cell, str):
        return False
    if column in _TIMES:
        return is_time(cell)
    return not cell or NUMBER.fullmatch(cell) is not None

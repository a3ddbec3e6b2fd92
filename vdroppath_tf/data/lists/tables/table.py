"""The columns of a list: the values of every line, checked before any video is searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.parts import choose_part
from vdroppath_tf.data.lists.tables.classes import between_names, check_thousands, labels_of
from vdroppath_tf.data.lists.tables.contents import NUMBER, is_dense, whole
from vdroppath_tf.data.lists.tables.reading import Reading
from vdroppath_tf.data.lists.tables.splitting import Cell, Splitter
from vdroppath_tf.data.lists.text_files import whole_number
from vdroppath_tf.data.lists.times import seconds_of
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.segment import Span, Unit

_UNKNOWN = ("0", "-1", "")
_UNITS: tuple[tuple[Unit, str], ...] = (("frames", "frame"), ("seconds", "second"))


class _Part(NamedTuple):
    origin: str
    part: str
    number: int


class Table:
    """The lines of a list by columns, which take less memory than rows.

    Args:
        reading: The way to read the lines.
        lines: `(file:line, text)` of each line, including the header.

    Attributes:
        origins: The place of each line.
        paths: The path in each line.
        cells: The class cell of each line.
        counts: The number of frames in each line, None if unknown; empty without a column for it.
        spans: The segment of each line; empty without columns for it.
        names: The class name of each line, if there is also a column of class numbers.
        column: The column of classes, one of `layout.CLASSES`.
        named: Whether the list names its columns.
        labels: The labels in each distinct cell.

    Raises:
        ManifestError: If a line lacks a column, or has no number where one is expected.
    """

    def __init__(self, reading: Reading, lines: Iterable[tuple[str, str]]) -> None:
        self._reading = reading
        self.named = reading.header or not isinstance(reading.splitter, Splitter)
        self.column = reading.column
        self.origins: list[str] = []
        self.paths: list[str] = []
        self.cells: list[Cell] = []
        self.counts: list[int | None] = []
        self.spans: list[tuple[Span, ...]] = []
        self.names: list[str] = []
        self._parts: list[_Part] = []
        self._first: dict[Cell, str] = {}
        self._known: dict[Cell, int | None] = {}
        self._counted: dict[str, str] = {}
        self._unknown = 0
        self._notes: list[str] = []
        self._fill(lines)
        between = between_names(self._first)
        self.labels = {cell: labels_of(cell, self.column, between) for cell in self._first}

    def first_labels(self) -> dict[str, str]:
        """Returns the distinct labels in order, each with its first line."""
        found: dict[str, str] = {}
        for cell, origin in self._first.items():
            for label in self.labels[cell]:
                found.setdefault(label, origin)
        return found

    def check_commas(self) -> None:
        """Raises an error for a comma in class names that other characters separate.

        Raises:
            ManifestError: If the comma may separate classes too.
        """
        if self.column != "labels":
            return
        for cell, origin in self._first.items():
            commas = [label for label in self.labels[cell] if "," in label]
            if commas and isinstance(cell, str):
                raise ManifestError(
                    f"{origin}: {commas[0]!r} may be one class, or several, as other lines have "
                    "; or | between classes. Write the same separator everywhere; or if it is one "
                    "class, pass the names of all classes as labels=, or in a labels.txt "
                    "next to the list."
                )

    def chosen(self, split: str | int | None, source: str) -> Iterable[int]:
        """Returns the numbers of the lines of a split, or of all lines without a column for it.

        Raises:
            ManifestError: If there are several and none is chosen, or the chosen one is missing.
        """
        if not self._parts:
            if split is not None:
                raise ManifestError(
                    f"{source}: split does not go with the format 'table' without a column of "
                    "splits. Leave it out, or name the column: --columns=path,label,split."
                )
            return range(len(self.paths))
        part, rows = choose_part(self._parts, None if split is None else str(split), source)
        if len(rows) < len(self._parts):
            self._notes.append(f"the split is {part}: {len(rows):,} of {len(self._parts):,} lines")
        return [row.number for row in rows]

    def notes(self) -> list[str]:
        """Returns notes about what was assumed."""
        notes = list(self._notes)
        if self._unknown:
            notes.append(
                f"numbers of frames that are 0, -1 or empty are unknown ({self._unknown:,})"
            )
        if self._seem_counts():
            notes.append(
                f"labels may be numbers of frames: {len(self._first):,} different ones in "
                f"{len(self.paths):,} lines. If so, the list has no classes; if not, confirm it "
                "with --columns=path,class_number"
            )
        return notes

    def _seem_counts(self) -> bool:
        """Returns whether numbers in an unnamed class column are nearly all distinct, with gaps."""
        if self.named or self.column != "label" or self.counts or self.spans:
            return False
        cells = [cell for cell in self._first if isinstance(cell, str) and NUMBER.fullmatch(cell)]
        if len(cells) < len(self._first) or 10 * len(cells) <= 9 * len(self.paths):
            return False
        return len(cells) > 1 and not is_dense(map(whole, cells))

    def _fill(self, lines: Iterable[tuple[str, str]]) -> None:
        columns, splitter = self._reading.columns, self._reading.splitter
        path, place = columns.index("path"), columns.index(self.column)
        frames = columns.index("num_frames") if "num_frames" in columns else None
        name = (
            columns.index("class_name")
            if self.column == "class_number" and "class_name" in columns
            else None
        )
        spans = _span_columns(columns)
        ends = [k for each in spans if each.unit == "frames" for k in (each.start, each.end)]
        long: dict[str, str] = {}
        split = columns.index("split") if "split" in columns else None
        same: dict[Cell, Cell] = {}
        rows = iter(lines)
        if self._reading.header:
            next(rows, None)
        for origin, line in rows:
            cells = splitter(line)
            if cells is None:
                raise self._misfit(origin, line.strip())
            cell = cells[place]
            if cell not in same:
                same[cell], self._first[cell] = cell, origin
            self.origins.append(origin)
            self.paths.append(str(cells[path]))
            self.cells.append(same[cell])
            if frames is not None:
                self.counts.append(self._count(cells[frames], origin))
            if spans:
                self.spans.append(_spans(cells, spans, origin))
                for k in ends:
                    if len(cells[k]) > 4:  # numbers with a thousands separator are longer
                        long.setdefault(str(cells[k]), origin)
            if split is not None:
                self._parts.append(_Part(origin, str(cells[split]), len(self.paths) - 1))
            if name is not None:
                self.names.append(str(cells[name]))
        for found in (self._counted, long):
            check_thousands(found)

    def _misfit(self, origin: str, line: str) -> ManifestError:
        splitter = self._reading.splitter
        has = "does not fit"
        if not isinstance(splitter, Splitter):
            has = splitter.misfit(line)
        elif fields := splitter.split(line):
            has = f"has {len(fields)} of {splitter.fields} fields"
        start = line if len(line) <= 80 else f"{line[:77]}..."
        return ManifestError(f"{origin}: {has} ({start!r}). Expected {self._reading}.")

    def _count(self, cell: Cell, origin: str) -> int | None:
        """Returns the number of frames in a cell, None if it is unknown."""
        if cell not in self._known:
            text = str(cell)
            self._counted[text] = origin
            if NUMBER.fullmatch(text) is not None:
                text = str(whole(text))
            unknown = text in _UNKNOWN
            found = None if unknown else whole_number(text, "num_frames", origin, 1, MAX_FRAMES)
            self._known[cell] = found
        count = self._known[cell]
        self._unknown += count is None
        return count


class _Ends(NamedTuple):
    """The columns of the starts and ends of segments.

    Attributes:
        unit: The unit of both.
        start, end: The positions of the columns.
        counted: Whether the end is the number of frames from the start on. Defaults to False.
    """

    unit: Unit
    start: int
    end: int
    counted: bool = False


def _span_columns(columns: Sequence[str]) -> tuple[_Ends, ...]:
    """Returns the units of segments, and the columns of their starts and ends."""
    found = [
        _Ends(unit, columns.index(f"start_{name}"), columns.index(f"end_{name}"))
        for unit, name in _UNITS
        if f"start_{name}" in columns and f"end_{name}" in columns
    ]
    if "segment_frames" in columns:
        start, end = columns.index("start_frame"), columns.index("segment_frames")
        found.append(_Ends("frames", start, end, counted=True))
    return tuple(found)


def _spans(row: Sequence[Cell], columns: tuple[_Ends, ...], origin: str) -> tuple[Span, ...]:
    """Returns the segment of a row in each unit; some lists have it for some rows only."""
    found = []
    for unit, start, end, counted in columns:
        if len(columns) > 1 and row[start] == row[end] == "":
            continue
        try:
            first, last = (seconds_of(str(row[place])) for place in (start, end))
            found.append(Span(first, first + last if counted else last, unit))
        except ValueError:
            raise ManifestError(
                f"{origin}: its segment, from {row[start]!r} to {row[end]!r}, is neither in "
                "numbers nor in times such as 00:01:02.5."
            ) from None
    if not found:
        raise ManifestError(
            f"{origin}: the columns of its segment are empty. Expected a start and an end; list "
            "whole videos in a separate file."
        )
    return tuple(found)

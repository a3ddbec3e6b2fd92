"""Which layout a list has: every way to read its first lines is tried against what is there.

A reading is kept if its paths lead to something. If several that say different things are left,
the list is refused with the flags that tell them apart: nothing is guessed.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from vdroppath_tf.data.lists.tables.classes import labels_of
from vdroppath_tf.data.lists.tables.contents import (
    Columns,
    There,
    by_content,
    is_time,
    kind_of,
    some,
)
from vdroppath_tf.data.lists.tables.headers import by_header, meanings
from vdroppath_tf.data.lists.tables.layout import CLASSES, SEPARATORS, Layout, shown
from vdroppath_tf.data.lists.tables.splitting import (
    AnySplitter,
    Cell,
    ObjectSplitter,
    Rest,
    Splitter,
    load_object,
)
from vdroppath_tf.data.lists.times import seconds_of
from vdroppath_tf.data.manifest import ManifestError

Units: TypeAlias = Callable[[str, float, float], Sequence[str]]
"""The units in which a segment, from where to where, would lie inside the video of a path."""

_MAX_FIELDS = 64
_LOOK_AT = 20  # segments
_REGULAR = 0.8  # of lines with one number of columns: the others are mistakes
Answer: TypeAlias = tuple[Any, ...]
"""The path, the labels, and the numbers that a line gives."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """A way to read a list.

    Attributes:
        splitter: Splits its lines.
        columns: What they hold.
        header: Whether the first line is one.
    """

    splitter: AnySplitter
    columns: Columns
    header: bool

    def __str__(self) -> str:
        after = ", after a header" if self.header and isinstance(self.splitter, Splitter) else ""
        return f"{shown(self.columns)}, {self.splitter}{after}"

    @property
    def flags(self) -> str:
        """The flags that ask for it."""
        columns = f"--columns={shown(self.columns)}"
        if not isinstance(self.splitter, Splitter):
            return columns
        name = next(name for name, text in SEPARATORS.items() if text == self.splitter.separator)
        return f"{columns} --separator={name}"

    @property
    def unit(self) -> str | None:
        """What its segments are counted in, if it has any."""
        return next((u for u in ("frame", "second") if f"start_{u}" in self.columns), None)

    def answer(self, line: str, there: There) -> Answer | None:
        """What it says of a line; None if that cannot be: no path, or numbers that are none."""
        cells = self.splitter(line)
        if cells is None:
            return None
        found = dict(zip(self.columns, cells, strict=True))
        path = found["path"]
        numbers = all(_is_number(found[name]) for name in _NUMBERS if name in found)
        if not numbers or not isinstance(path, str) or not path or not there(path):
            return None
        column = next(name for name in CLASSES[::-1] if name in found)
        said = (found.get(name) for name in _ANSWERS)
        return path, labels_of(found[column], column), *said


_ANSWERS = ("num_frames", "start_frame", "start_second", "end_frame", "end_second")
_NUMBERS = ("class_number", *_ANSWERS)


@dataclasses.dataclass(frozen=True)
class Trial:
    """A reading, and how much speaks for it.

    Attributes:
        reading: The reading.
        answers: What it says of some lines, None of lines for which it cannot be meant.
        odd: Whether its classes look like something else: paths, or numbers of frames.
    """

    reading: Reading
    answers: tuple[Answer | None, ...]
    odd: bool

    @property
    def found(self) -> int:
        """For how many lines it may be meant."""
        return len(self.answers) - self.answers.count(None)


def sniff(
    lines: Sequence[str], layout: Layout, there: There, source: str, units: Units | None = None
) -> Reading:
    """The one way to read a list.

    Args:
        lines: Its first lines.
        layout: What is known of it.
        there: Whether a path leads to something.
        source: The list, for errors.
        units: In which units a segment of a video would lie inside it. It is asked where a list may
            be in several.

    Raises:
        ManifestError: If there is none, or several that say different things.
    """
    trials = [
        _tried(Reading(splitter, columns, header), lines, there)
        for splitter in _splitters(lines, layout)
        for columns, header in _columns(splitter, lines, layout, there)
    ]
    sound = [trial for trial in trials if not trial.odd] or trials
    if units is not None:
        sound = _of_units(sound, units)
    most = max((trial.found for trial in sound), default=0)
    best = [trial for trial in sound if trial.found == most]
    if not best:
        raise ManifestError(
            f"{source}: begins with {lines[0][:60]!r}, as no known data set or list does. Expected "
            "a path and a class a line. Name the columns with --columns=path,label and what "
            "separates them with --separator (format=Layout(columns=..., separator=...)), or name "
            "the data set with --format."
        )
    if most:
        _check_same(best[0], [trial for trial in sound if 2 * trial.found > most], lines, source)
    return best[0].reading


def _of_units(trials: list[Trial], units: Units) -> list[Trial]:
    """The readings whose segments lie inside their videos, where they may be in either unit."""
    by_unit = {unit: trial for trial in trials if (unit := trial.reading.unit) is not None}
    if len(by_unit) < 2:
        return trials
    fitting = set(by_unit)
    places = [_ANSWERS.index(name) + 2 for name in ("start_frame", "end_frame")]
    answers = [answer for answer in by_unit["frame"].answers if answer is not None]
    for answer in answers[:_LOOK_AT]:
        start, end = (seconds_of(str(answer[place])) for place in places)
        fitting &= {unit.removesuffix("s") for unit in units(answer[0], start, end)}
        if len(fitting) < 2:
            break
    return [t for t in trials if t.reading.unit in (None, *fitting)] if fitting else trials


def _check_same(first: Trial, others: Sequence[Trial], lines: Sequence[str], source: str) -> None:
    """Stops if another reading says something else of a line."""
    for other in others:
        for line, *answers in zip(some(lines), first.answers, other.answers, strict=True):
            if None not in answers and answers[0] != answers[1]:
                one, two = first.reading, other.reading
                raise ManifestError(
                    f"{source}: its lines, such as {line.strip()[:80]!r}, can be read in two ways: "
                    f"as {one}, or as {two}. Pass {one.flags}, or {two.flags} "
                    "(format=Layout(columns=..., separator=...))."
                )


def _tried(reading: Reading, lines: Sequence[str], there: There) -> Trial:
    answers = [reading.answer(line, there) for line in some(lines)]
    if reading.header:
        answers[0] = None
    labels = [answer[1] for answer in answers if answer is not None]
    odd = any("." in label and there(label) for each in labels for label in each)
    return Trial(reading, tuple(answers), odd or _hold_numbers(reading, labels))


def _is_number(cell: Cell) -> bool:
    return not cell or kind_of([cell]) in ("int", "float")


def _hold_numbers(reading: Reading, labels: Sequence[Sequence[str]]) -> bool:
    """Whether what should be classes, with separators in them, seem to be numbers of frames too.

    So it is if all have several words, and the first or the last ones are all numbers.
    """
    rest = getattr(reading.splitter, "rest", "none")
    words = [each if len(each) > 1 else each[0].split() for each in labels if each]
    if rest not in ("last", "suffix") or not words or any(len(each) < 2 for each in words):
        return False
    return any(all(is_time(each[k]) for each in words) for k in (0, -1))


def _splitters(lines: Sequence[str], layout: Layout) -> Iterator[AnySplitter]:
    """Ways to split that fit at least half of the lines."""
    for splitter in _all_splitters(lines, layout):
        fitting = sum(splitter(line) is not None for line in some(lines))
        if 2 * fitting >= len(some(lines)):
            yield splitter


def _all_splitters(lines: Sequence[str], layout: Layout) -> Iterator[AnySplitter]:
    first = load_object(lines[0]) if layout.separator is None else None
    if first is not None:
        yield ObjectSplitter(tuple(first))
        return
    given = None if layout.columns is None else len(layout.columns)
    rests: tuple[Rest, ...] = ("first", "last", "suffix")
    separators = (
        [layout.separator] if layout.separator else ["tab", "comma", "semicolon", "pipe", "space"]
    )
    for separator in (SEPARATORS[name] for name in separators):
        quotes = [True, False] if any('"' in line or "'" in line for line in lines) else [False]
        counts: set[int] = set()
        regular = False
        for quoted in quotes:
            splitter = Splitter(separator, 0, quotes=quoted)
            most, share = _usual_count(splitter, lines)
            if given or 2 <= most <= _MAX_FIELDS:
                counts.add(given or most)
                regular |= share >= _REGULAR and most == (given or most)
                yield dataclasses.replace(splitter, fields=given or most)
        if separator == " " or (not regular and any(separator in line for line in lines)):
            for fields in [given] if given else sorted({2, 3, 4} | {n for n in counts if n <= 5}):
                for rest in rests if separator == " " else rests[:2]:
                    yield Splitter(separator, fields, rest)


def _usual_count(splitter: Splitter, lines: Sequence[str]) -> tuple[int, float]:
    """How many columns most lines have, and how many lines have as many."""
    counts = Counter(len(splitter.split(line) or ()) for line in some(lines))
    most, number = counts.most_common(1)[0]
    return most, number / sum(counts.values())


def _columns(
    splitter: AnySplitter, lines: Sequence[str], layout: Layout, there: There
) -> Iterator[tuple[Columns, bool]]:
    """What the columns may hold, and whether the first line is a header."""
    rows = [splitter(line) for line in lines]
    if isinstance(splitter, ObjectSplitter):
        names, data = meanings(splitter.names), [row for row in rows if row is not None]
        if layout.columns is not None and len(layout.columns) == len(splitter.names):
            yield layout.columns, False
        elif layout.columns is None and names is not None:
            yield from ((columns, False) for columns in by_header(splitter.names, data, there))
        return
    first, data = rows[0], [row for row in rows[1:] if row is not None]
    names = None if first is None else meanings(first)
    header = (
        names is not None
        and first is not None
        and not any(
            isinstance(cell, str) and cell != "" and there(cell)
            for cell, name in zip(first, names, strict=True)
            if name == "path"
        )
    )
    if layout.columns is not None:
        yield layout.columns, header or _is_header(layout.columns, first, data)
    elif header and first is not None:
        yield from ((columns, True) for columns in by_header(first, data, there))
    else:
        yield from (
            (columns, False)
            for columns in by_content([row for row in rows if row is not None], there)
        )


def _is_header(
    columns: Columns, first: Sequence[Cell] | None, rows: Sequence[Sequence[Cell]]
) -> bool:
    """Whether the first row has words where those below it have numbers."""
    if first is None or not rows:
        return False
    below = [kind_of(column) for column in zip(*rows, strict=True)]
    return any(
        kind in ("int", "float") and kind_of([cell]) == "text"
        for cell, kind, column in zip(first, below, columns, strict=True)
        if column != "-"
    )

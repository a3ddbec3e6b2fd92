"""Infers the layout of a list: every way to read its first lines is tried on the existing files.

A reading is kept if its paths lead to something. If several readings that give different values
are left, the list is refused, with the flags that select each of them.
"""

from __future__ import annotations

import dataclasses
import operator
import os
from collections.abc import Callable, Sequence
from typing import TypeAlias

from vdroppath_tf.data.lists.tables.classes import between_names
from vdroppath_tf.data.lists.tables.contents import There, is_time, some
from vdroppath_tf.data.lists.tables.headers import SegmentColumnError
from vdroppath_tf.data.lists.tables.layout import Layout
from vdroppath_tf.data.lists.tables.reading import ANSWERS, PLACE_OF_ANSWERS, Answer, Reading
from vdroppath_tf.data.lists.tables.ways import columns_of, splitters
from vdroppath_tf.data.lists.times import seconds_of
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES

Units: TypeAlias = Callable[[str, float, float], Sequence[str]]
"""Returns the units in which a segment (start, end) would lie inside the video of a path."""

_LOOK_AT = 20  # segments that are checked


@dataclasses.dataclass(frozen=True)
class Trial:
    """A reading, and the evidence for it.

    Attributes:
        reading: The reading.
        answers: The values that it gives for some lines, None for lines that it does not fit.
        fits: The number of lines that have its columns.
        odd: Whether its classes look like something else: paths, or numbers of frames.
    """

    reading: Reading
    answers: tuple[Answer | None, ...]
    fits: int
    odd: bool

    @property
    def found(self) -> int:
        """The number of lines that it fits."""
        return len(self.answers) - self.answers.count(None)


def sniff(
    lines: Sequence[str],
    layout: Layout,
    exactly: There,
    there: There,
    source: str,
    units: Units,
) -> Reading:
    """Returns the only way to read a list.

    Args:
        lines: The first lines.
        layout: The known part of the layout.
        exactly: Returns whether a path leads to something as it is written.
        there: Returns whether a path leads to something with tolerance; it is used if no path
            does exactly.
        source: The list, for errors.
        units: Returns the units in which a segment would lie inside a video. It is called if the
            unit of a list is uncertain.

    Raises:
        ManifestError: If there is none, or several that give different values.
    """
    try:
        trials = _trials(lines, layout, exactly)
        if not any(trial.found for trial in trials):
            trials = _trials(lines, layout, there)
    except SegmentColumnError as error:
        raise ManifestError(f"{source}: {error}") from None
    sound = _with_header([trial for trial in trials if not trial.odd] or trials)
    sound = _of_units(sound, units)
    most = max((trial.found for trial in sound), default=0)
    best = [trial for trial in sound if trial.found == most]
    best.sort(key=lambda trial: -trial.fits)
    if not best and any(there(line.strip(" \t,;|\"'")) for line in some(lines)):
        raise ManifestError(
            f"{source}: its lines, such as {lines[0].strip()[:80]!r}, are paths without a class. "
            "Expected a path and a class a line."
        )
    if not best:
        raise ManifestError(
            f"{source}: begins with {lines[0][:60]!r}, as no known data set or list does. Expected "
            "a path and a class a line. Name the columns with --columns=path,label and their "
            "separator with --separator (format=Layout(columns=..., separator=...)), or name "
            "the data set with --format."
        )
    if not most and (advice := _of_offsets(lines, there)):
        raise ManifestError(f"{source}: {advice}")
    if not most:  # an error will follow: take the reading whose paths look most like paths
        best.sort(key=lambda trial: -_video_names(trial.reading, lines))
    if most:
        _check_same(best[0], [trial for trial in sound if 2 * trial.found > most], lines, source)
    return best[0].reading


def _of_offsets(lines: Sequence[str], there: There) -> str:
    """Returns advice for lines that may be MMAction's folders of frames with an offset."""
    fields = [line.split() for line in some(lines)]
    if not all(len(each) == 4 and all(map(str.isdecimal, each[1:])) for each in fields):
        return ""
    if not any(there(path) for path, *_ in fields):
        return ""
    return (
        f"its lines, such as {lines[0].strip()[:80]!r}, have a path and three numbers, and no "
        "way to read them is certain. Lines of a path, an offset, a number of frames and a class, "
        "as MMAction has them, are read with --columns=path,start_frame,segment_frames,label "
        "(format=Layout(columns=...))."
    )


def _with_header(trials: list[Trial]) -> list[Trial]:
    """Returns readings that fit the first line: one that skips it does not know the header."""
    most = max((trial.found for trial in trials), default=0)
    if not any(trial.reading.header and 2 * trial.found > most for trial in trials):
        return trials
    return [each for each in trials if each.reading.header or each.answers[0] is not None]


def _of_units(trials: list[Trial], units: Units) -> list[Trial]:
    """Returns the readings whose segments lie inside their videos, if the unit is uncertain.

    A unit is excluded if most segments do not fit: a few may be mistakes, or belong to videos that
    were cut short.
    """
    by_unit = {unit: trial for trial in trials if (unit := trial.reading.unit) is not None}
    if len(by_unit) < 2:
        return trials
    places = [ANSWERS.index(name) + PLACE_OF_ANSWERS for name in ("start_frame", "end_frame")]
    found = [answer for answer in by_unit["frame"].answers if answer is not None]
    segments = [
        (answer[0], *map(seconds_of, ends))
        for answer in found
        if all(map(is_time, ends := [str(answer[place]) for place in places]))
    ]  # the other lines are refused later
    segments = segments[:: max(1, len(segments) // _LOOK_AT)][:_LOOK_AT]
    fitting = [{unit.removesuffix("s") for unit in units(*segment)} for segment in segments]
    out = {unit for unit in by_unit if 2 * sum(unit not in each for each in fitting) > len(fitting)}
    if len(out) == len(by_unit):
        return trials
    return [trial for trial in trials if trial.reading.unit not in out]


def _trials(lines: Sequence[str], layout: Layout, there: There) -> list[Trial]:
    return [
        _tried(Reading(splitter, columns, header), lines, there)
        for splitter in splitters(lines, layout)
        for columns, header in columns_of(splitter, lines, layout, there)
    ]


def _check_same(first: Trial, others: Sequence[Trial], lines: Sequence[str], source: str) -> None:
    """Raises an error if another reading gives different values for a line."""
    for other in others:
        differ = operator.ne if other.found == first.found else _differ_in_text
        for line, said, says in zip(some(lines), first.answers, other.answers, strict=True):
            if said is not None and says is not None and differ(said, says):
                one, two = first.reading, other.reading
                raise ManifestError(
                    f"{source}: its lines, such as {line.strip()[:80]!r}, can be read in two ways: "
                    f"as {one}, or as {two}. Pass {one.flags}, or {two.flags} "
                    "(format=Layout(columns=..., separator=...))."
                    f"{_only_in_one(first, other, lines)}"
                )


def _only_in_one(first: Trial, other: Trial, lines: Sequence[str]) -> str:
    """Returns a sentence about a line that only one reading fits, which may be the mistake."""
    answers = zip(some(lines), first.answers, other.answers, strict=True)
    odd = [line for line, said, says in answers if (said is None) != (says is None)]
    if not odd or 2 * len(odd) > len(first.answers):
        return ""
    return f" The line {odd[0].strip()[:80]!r} fits only one of them: correct it if it is wrong."


def _video_names(reading: Reading, lines: Sequence[str]) -> int:
    """Counts the lines whose path ends in the suffix of a video."""
    found = [reading.splitter(line) for line in some(lines)]
    paths = [str(cells[reading.columns.index("path")]) for cells in found if cells is not None]
    return sum(os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES for path in paths)


def _differ_in_text(one: Answer, other: Answer) -> bool:
    """Returns whether answers differ, apart from a text being one class or several."""
    return one[:2] + one[3:] != other[:2] + other[3:]


def _tried(reading: Reading, lines: Sequence[str], there: There) -> Trial:
    rows = [row for line in some(lines) if (row := reading.splitter(line)) is not None]
    place = reading.columns.index(reading.column)
    between = between_names(row[place] for row in rows[reading.header :])
    answers = [reading.answer(line, between, there) for line in some(lines)]
    if reading.header:
        answers[0] = None
    labels = [answer[2] for answer in answers if answer is not None]
    odd = any("." in label and there(label) for each in labels for label in each)
    return Trial(reading, tuple(answers), len(rows), odd or _hold_numbers(reading, labels))


def _hold_numbers(reading: Reading, labels: Sequence[Sequence[str]]) -> bool:
    """Returns whether classes that contain separators seem to include numbers of frames.

    They do if all have several words, and the first or the last words are all numbers.
    """
    rest = getattr(reading.splitter, "rest", "none")
    words = [each if len(each) > 1 else each[0].split() for each in labels if each]
    if rest == "none" or not words or any(len(each) < 2 for each in words):
        return False
    return any(all(is_time(each[k]) for each in words) for k in (0, -1))

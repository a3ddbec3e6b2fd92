"""Converts the rows of a list with a known layout to a manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.class_spelling import spelling
from vdroppath_tf.data.lists.collector import FRAMES_NOTE, Collector
from vdroppath_tf.data.lists.tables.classes import Classes, check_first, classes_of
from vdroppath_tf.data.lists.tables.first_row import check_first_row
from vdroppath_tf.data.lists.tables.places import Places
from vdroppath_tf.data.lists.tables.reading import Reading
from vdroppath_tf.data.lists.tables.splitting import Cell
from vdroppath_tf.data.lists.tables.table import Table
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import Lookup, VideoTree
from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.segment import Segment


class Lines(NamedTuple):
    """The lines of a list with their places, and the options for reading it.

    Attributes:
        source: The list.
        rows: `(file:line, text)` of each line.
        root: The folder of the videos.
        labels: The names of the classes, if they were passed.
        label_base: The number of the first class, if it was passed.
        lookup: How names become videos.
        split: The chosen part, if several are listed.
    """

    source: PathLike
    rows: Iterable[tuple[str, str]]
    root: PathLike | None
    labels: Sequence[str] | None
    label_base: int | None
    lookup: Lookup | None
    split: str | int | None = None


def collect(reading: Reading, lines: Lines, notes: Sequence[str] = ()) -> Manifest:
    """Makes the manifest of a list that is read in a given way.

    Args:
        reading: The way to read it.
        lines: The list.
        notes: What was assumed.

    Raises:
        ManifestError: See `read_list`.
    """
    table = Table(reading, lines.rows)
    places = places_of(lines)
    if lines.lookup is not None and lines.lookup.allow_missing:
        check_first_row(table, places.there)
    classes = _classes(table, lines)
    videos = Collector(lines.source, lines.root, lines.lookup, classes.names)
    numbers = classes.numbers
    if numbers is None:
        numbers = {name: videos.number(name, at) for name, at in table.first_labels().items()}
    uncounted = lines.labels is None and lines.label_base is None and classes.numbers is not None
    several = table.column == "labels"
    label_of: dict[Cell, int | list[int]] = {}
    for cell, labels in table.labels.items():
        found = [numbers[label] for label in labels]
        label_of[cell] = found if several else found[0]
    videos.elsewhere = places.name
    for k in table.chosen(lines.split, os.fspath(lines.source)):
        origin, path = table.origins[k], table.paths[k]
        name = path if places.is_plain(path) else places.name(path)
        count = table.counts[k] if table.counts else None
        span = table.spans[k] if table.spans else ()
        videos.add(name, label_of[table.cells[k]], count, origin, span)
    if uncounted:
        check_first(table.first_labels(), numbers)
    if table.spans and any(map(_is_in_frames, videos.entries)):
        videos.note(FRAMES_NOTE)
    if several:
        videos.note("a video may have several classes: labels are several, not one")
    for note in (*notes, *classes.notes, *table.notes(), *places.notes()):
        videos.note(note)
    return videos.manifest(f"lines of {reading}")


def _is_in_frames(entry: VideoEntry) -> bool:
    """Returns whether an entry is a segment in frames."""
    return isinstance(entry.source, Segment) and entry.source.span.unit == "frames"


def places_of(lines: Lines) -> Places:
    """Returns the object that resolves the paths of a list."""
    folder = os.path.dirname(os.path.abspath(lines.source))
    root = folder if lines.root is None else os.fspath(lines.root)
    return Places(VideoTree(root, lines.lookup or Lookup(), os.fspath(lines.source)), root, folder)


def _classes(table: Table, lines: Lines) -> Classes:
    """Returns the classes, from the labels and, if there is one, the column of their names."""
    source = os.fspath(lines.source)
    if lines.labels is None:
        table.check_commas()
    classes = classes_of(table.first_labels(), table.column, lines.labels, lines.label_base, source)
    if not table.names or classes.numbers is None:
        return classes
    names: dict[int, str] = {}
    for origin, cell, name in zip(table.origins, table.cells, table.names, strict=True):
        number = classes.numbers[table.labels[cell][0]]
        given = lines.labels[number : number + 1] if lines.labels is not None else ()
        other = names.setdefault(number, given[0] if given else name)
        if other != name and spelling(other) != spelling(name):
            raise ManifestError(
                f"{origin}: class {cell} has the name {name!r}, but {other!r} elsewhere. Expected "
                "one name for each number. Correct it, or leave one of the columns out: --columns."
            )
    if lines.labels is not None:
        return classes
    own = [names.get(number, str(number)) for number in range(1 + max(names, default=0))]
    return classes._replace(names=own)

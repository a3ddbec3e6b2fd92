"""Reads lists of any layout into a manifest."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence

from vdroppath_tf.data.lists.tables.collect import Lines, collect, places_of
from vdroppath_tf.data.lists.tables.comments import without_comments
from vdroppath_tf.data.lists.tables.layout import Layout
from vdroppath_tf.data.lists.tables.one_hot import one_hot
from vdroppath_tf.data.lists.tables.reading import Reading
from vdroppath_tf.data.lists.tables.sniff import sniff
from vdroppath_tf.data.lists.tables.splitting import Cell, ObjectSplitter, Splitter
from vdroppath_tf.data.lists.tables.words import MEANING, plain_name
from vdroppath_tf.data.lists.text_files import PathLike, encoding_of, load_json, read_lines
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.names import named

_HEAD = 1000  # lines from which the layout is inferred
_EXPECTED = "a path and a class a line"
_OTHER_ENCODING = (
    "Save it as UTF-8, or name its encoding, such as --encoding=cp1252 (format=Layout("
    "encoding='cp1252'))."
)
_SEPARATOR = re.compile(r'"?sep=(?:.|\\t)"?', re.IGNORECASE)
_USUAL = Reading(Splitter(" ", 3, "first"), ("path", "num_frames", "label"), False)


@named
def read_table(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    label_base: int | None = None,
    lookup: Lookup | None = None,
    layout: Layout | None = None,
    split: str | int | None = None,
) -> Manifest:
    """Reads a list of videos and classes of any layout, without decoding videos.

    The separators are spaces, tabs, commas, semicolons or pipes, or each line is a JSON object.
    Quotes, a header, an index, comments that start with `#` and further columns are allowed. A
    class is a name or a number. The meaning of the columns is inferred from the header, from their
    contents, and from the files that exist. A list that can be read in two ways is refused until
    `layout` makes the choice.

    Args:
        path: The list file, in UTF-8, or in UTF-16 as spreadsheets write it.
        root: The folder from which paths start, and which they must not leave. Defaults to the
            folder of the list.
        labels: The names of the classes. Defaults to the names in the list, sorted, or to the
            numbers from 0 to the largest.
        label_base: The number of the first class, 0 or 1. Defaults to None, which means 0.
        lookup: How paths become videos. Defaults to `Lookup()`.
        layout: The known part of the layout. Defaults to `Layout()`, nothing.
        split: The part to read, such as `"train"`, of a list with a column for it.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the layout is ambiguous, or a line does not fit it; or see `read_list`.
            The message names the file, the line and the value.

    Example:
        ```python
        layout = vdroppath_tf.data.Layout(columns=("path", "label"))
        manifest = read_table("train.csv", "videos", layout=layout)
        ```
    """
    layout = layout or Layout()
    path = _metadata(path) or path
    lines = Lines(path, (), root, labels, label_base, lookup, split)
    places = places_of(lines)
    notes: list[str] = []
    comments: list[str] = []
    rows = without_comments(_lines(path, layout), places, comments, header=True)
    head = list(itertools.islice(rows, _HEAD))
    if not head:
        raise ManifestError(f"{path}: lists no video. Expected {_EXPECTED}.")
    if layout.columns is None and (hot := one_hot([text for _, text in head])) is not None:
        rows = iter(hot.objects(itertools.chain(head, rows)))
        head = list(itertools.islice(rows, _HEAD))
        names = tuple(hot.classes.values())
        lines = lines._replace(labels=names if labels is None else labels)
        notes = [f"columns of 0 and 1 are classes: {len(names)}, in their order"]
    reading = sniff(
        [text for _, text in head],
        layout,
        places.there_exactly,
        places.there,
        os.fspath(path),
        places.units,
    )
    if not notes and str(reading) != str(_USUAL):
        notes = [f"columns: {reading}"]
    if layout.columns is None and (unread := _unread(reading, head[0][1])):
        notes.append(f"columns that are not read: {', '.join(map(repr, unread))}")
    if (encoding := layout.encoding or encoding_of(path)).startswith("utf-16"):
        notes.append(f"the text is {encoding.upper()}")
    manifest = collect(reading, lines._replace(rows=itertools.chain(head, rows)), notes)
    if not comments:
        return manifest
    note = f"lines that start with # are comments ({len(comments):,}, the first: {comments[0]})"
    return dataclasses.replace(manifest, notes=(*manifest.notes, note))


def _unread(reading: Reading, first: str) -> list[str]:
    """Returns the names of columns that are not read, except an index of the rows."""
    splitter = reading.splitter
    if isinstance(splitter, ObjectSplitter):
        names: Sequence[Cell] = splitter.names
    else:
        names = (splitter(first) or ()) if reading.header else ()
    pairs = zip(names, reading.columns, strict=False)
    found = [str(name) for name, column in pairs if column == "-" and plain_name(name)]
    return [name for name in found if MEANING.get(plain_name(name)) != "-"]


def has_metadata(folder: PathLike) -> bool:
    """Returns whether a folder has a list `metadata.csv`, as on the Hugging Face Hub.

    Raises:
        ManifestError: If it also has class folders.
    """
    found = _metadata(folder)
    if found is None:
        return False
    with os.scandir(folder) as items:
        folders = sorted(f.name for f in items if f.is_dir() and not is_leftover(f.name))
    if len(folders) > 1:
        raise ManifestError(
            f"{folder}: has {os.path.basename(found)}, and the folders {', '.join(folders[:3])}, "
            "which may be classes. Pass the file for the classes that it lists, or "
            "format='folders' (--format=folders)."
        )
    return True


def _metadata(folder: PathLike) -> str | None:
    paths = (os.path.join(folder, f"metadata.{suffix}") for suffix in ("csv", "jsonl"))
    return next((path for path in paths if os.path.isfile(path)), None)


def _lines(path: PathLike, layout: Layout) -> Iterator[tuple[str, str]]:
    lines = read_lines(
        path, _EXPECTED, encoding=layout.encoding, strip=False, way_out=_OTHER_ENCODING
    )
    first = next(lines, None)
    if first is None:
        return
    if first[1].lstrip().startswith("[") and os.fspath(path).lower().endswith(".json"):
        for number, item in enumerate(load_json(path, list, "a list of objects")):
            yield f"{path}: item {number}", json.dumps(item)
        return
    if _SEPARATOR.fullmatch(first[1].strip()) is None:  # Excel's line with the separator
        yield first
    yield from lines

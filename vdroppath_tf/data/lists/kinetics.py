"""Kinetics: `label,youtube_id,time_start,time_end,split`, or the same as DeepMind's JSON."""

from __future__ import annotations

from collections.abc import Sequence

from vdroppath_tf.data.lists.class_order import order_note
from vdroppath_tf.data.lists.class_spelling import ordered_classes
from vdroppath_tf.data.lists.clip_names import LOOK_AT, ClipNames, Times, segments_of
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.kinetics_rows import EXPECTED, KineticsRow, read_kinetics_rows
from vdroppath_tf.data.lists.parts import choose_part
from vdroppath_tf.data.lists.repeats import two_labels_error
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named


@named
def read_kinetics(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    split: str | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads the CSV (or TSV) or the JSON of Kinetics-400, 600 or 700.

    Videos are named `id_000001_000011`, `id_1_11` or `id`: files of any suffix, or folders or zip
    files of frames. They may lie in class folders (`riding a bike` or `riding_a_bike`), in a folder
    named like the part (`val`, `validate`, `val_256`), or in one of replacements. A file named by
    its id only that is longer than the listed times is the whole video: its segment is read.
    Videos that were never downloaded are left out and counted (`Manifest.missing`), unless
    `lookup.allow_missing` is False. A row that is listed twice is used once.

    Args:
        path: The CSV, TSV or JSON file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The classes. Defaults to the sorted labels of the file (numbers sorted by value).
        split: The part to read, such as "train", if the file lists several.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a column is missing, as the labels are in the test part; a row is damaged;
            there are several parts and none is chosen; a class is not among `labels`; a video has
            two labels; or no video exists.

    Example:
        ```python
        manifest = read_kinetics("kinetics400/train.csv", "kinetics400/videos")
        ```
    """
    lookup = (lookup or Lookup()).for_downloads()
    rows = read_kinetics_rows(path)
    own = ((row.label, row.origin) for row in rows if row.label)
    names = labels if labels is not None else ordered_classes(own)
    part, rows = choose_part(rows, split, path)
    if unlabelled := next((row for row in rows if not row.label), None):
        raise ManifestError(
            f"{unlabelled.origin}: has no label. Expected {EXPECTED}; the test part has no labels."
        )
    videos = Collector(path, root, lookup, names)
    if labels is None and (said := order_note(names)):
        videos.note(said)
    clips = ClipNames(videos, part, str(path))
    found = [(row, clips.find(row.label, row.key, row.times)) for row in _once(rows, videos)]
    _check_labels(found, lookup.allow_two_labels)
    by_id = sum(f is not None and f[1] for _, f in found)
    alone = [(f[0], row.times) for row, f in found if f is not None and f[1] and row.times]
    segments = dict(zip(alone, segments_of(videos.tree, alone, str(path)), strict=True))
    for row, place in found:
        label = videos.number(row.label, row.origin)
        if place is None:
            videos.add_missing(_stem(row), row.origin)
            continue
        spans = segments.get((place[0], row.times), ()) if row.times else ()
        videos.add(place[0], label, None, row.origin, spans)
    clips.add_notes()
    whole = sum(map(bool, segments.values()))
    if whole:
        videos.note(f"{whole:,} files are whole videos, named by their id: a segment is read")
    if count := by_id - whole:
        why = f", as those inspected are (up to {LOOK_AT})" if alone else ""
        videos.note(f"{count:,} files are named by their id only, and used as the clips{why}")
    return videos.manifest(f"rows {EXPECTED}")


def _check_labels(
    found: Sequence[tuple[KineticsRow, tuple[str, bool] | None]], two_labels: bool
) -> None:
    """Raises an error for an existing clip with two labels, in one file or in two."""
    if two_labels or len({(row.key, row.times) for row, _ in found}) == len(found):
        return
    there = {(row.key, row.times) for row, place in found if place is not None}
    first: dict[tuple[str, Times], KineticsRow] = {}
    for row, _ in found:
        clip = (row.key, row.times)
        before = first.setdefault(clip, row)
        if before.label != row.label and clip in there:
            raise two_labels_error(
                row.origin, repr(_stem(row)), row.label, before.origin, before.label
            )


def _once(rows: Sequence[KineticsRow], videos: Collector) -> list[KineticsRow]:
    """Returns the rows without repetitions."""
    seen: set[tuple[str, Times, str]] = set()
    kept: list[KineticsRow] = []
    for row in rows:
        clip = (row.key, row.times, row.label)
        if clip not in seen:
            seen.add(clip)
            kept.append(row)
    if twice := len(rows) - len(kept):
        videos.note(f"{twice:,} rows are listed twice, and used once")
    return kept


def _stem(row: KineticsRow) -> str:
    """Returns the expected name of a row's video."""
    return (
        row.key
        if row.times is None
        else f"{row.key}_{int(row.times[0]):06d}_{int(row.times[1]):06d}"
    )

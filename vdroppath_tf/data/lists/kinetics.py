"""Kinetics: `label,youtube_id,time_start,time_end,split`, or DeepMind's JSON of the same."""

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

    The videos are called `id_000001_000011`, `id_1_11` or `id`: files of any suffix or folders or
    zip files of frames, in class folders (`riding a bike` or `riding_a_bike`) or not, in a folder
    called like the part (`val`, `validate`, `val_256`) or not, or in one of replacements. A file
    called by its id alone that is longer than its times is the whole video: the segment is taken.
    Videos that were never downloaded are left out and counted (`Manifest.missing`), unless
    `lookup.allow_missing` is False. A row that is there twice is taken once.

    Args:
        path: the file.
        root: folder of the videos; default the file's own.
        labels: the classes; default the sorted labels of the file (numbers by value).
        split: which of several parts that are in one file, such as "train".
        lookup: how names become videos.

    Raises:
        ManifestError: a column is missing, as are the labels of the test part; a row is damaged;
            there are several parts and none is chosen; a class is not among `labels`; a video has
            two labels; or none is there.
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
        videos.note(f"{whole:,} files are whole videos, called by their id: a segment is taken")
    if count := by_id - whole:
        why = f", as those are that were looked at (up to {LOOK_AT})" if alone else ""
        videos.note(f"{count:,} files are called by their id alone, and taken for the clips{why}")
    return videos.manifest(f"rows {EXPECTED}")


def _check_labels(
    found: Sequence[tuple[KineticsRow, tuple[str, bool] | None]], two_labels: bool
) -> None:
    """Stops at a clip that is there and has two labels, whether its files are one or two."""
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
    """The rows without those that are there already."""
    seen: set[tuple[str, Times, str]] = set()
    kept: list[KineticsRow] = []
    for row in rows:
        clip = (row.key, row.times, row.label)
        if clip not in seen:
            seen.add(clip)
            kept.append(row)
    if twice := len(rows) - len(kept):
        videos.note(f"{twice:,} rows are listed twice, and taken once")
    return kept


def _stem(row: KineticsRow) -> str:
    """What a row's video should be called."""
    return (
        row.key
        if row.times is None
        else f"{row.key}_{int(row.times[0]):06d}_{int(row.times[1]):06d}"
    )

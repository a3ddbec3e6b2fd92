"""Kinetics' CSV files: `label,youtube_id,time_start,time_end,split`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import PathLike, read_rows, whole_number
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

KEY = "youtube_id"
_COLUMNS = ("label", KEY, "time_start", "time_end")
_EXPECTED = "'label,youtube_id,time_start,time_end,split'"
_MAX_SECONDS = 999_999  # six digits in a file's name


@named
def read_kinetics(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads the CSV of one part of Kinetics-400, 600 or 700.

    The videos are called `id_000001_000011`, files of any suffix or folders or zip files of
    frames, in class folders (`riding a bike` or `riding_a_bike`) or not, in a folder called like
    the part or not. Those that were never downloaded are left out and counted
    (`Manifest.missing`), unless `lookup.allow_missing` is False.

    Args:
        path: the CSV file.
        root: folder of the videos; default the CSV file's own.
        labels: the classes; default the sorted labels of the file.
        lookup: how names become videos.

    Raises:
        ManifestError: a column is missing, as are the labels of the test part; a row is damaged or
            of another part than the first; a class is not among `labels`; one video has two files;
            or none is there.
    """
    lookup = lookup or Lookup()
    if lookup.allow_missing is None:
        lookup = dataclasses.replace(lookup, allow_missing=True)
    rows = list(_rows(path))
    names = labels if labels is not None else sorted({name for _, (name, *_) in rows})
    videos = Collector(path, root, lookup, names)
    for origin, (name, key, start, end, part) in rows:
        label = videos.number(name, origin)
        times = [whole_number(text, "time", origin, 0, _MAX_SECONDS) for text in (start, end)]
        classes = (name, name.replace(" ", "_"))
        folders = (*classes, "", part, *(f"{part}/{each}" for each in classes))
        videos.add_named(folders, f"{key}_{times[0]:06d}_{times[1]:06d}", label, origin)
    return videos.manifest(f"rows {_EXPECTED}")


def _rows(path: PathLike) -> list[tuple[str, list[str]]]:
    """`(file:line, [label, id, start, end, part])`, all of one part."""
    lines = read_rows(path, ",", _EXPECTED)
    origin, header = next(lines, (f"{path}:1", []))
    if lacking := [name for name in _COLUMNS if name not in header]:
        raise ManifestError(
            f"{origin}: has no column {lacking[0]!r}. Expected {_EXPECTED}; the files of the test "
            "part have no labels."
        )
    places = [header.index(name) for name in _COLUMNS]
    part_place = header.index("split") if "split" in header else None
    rows: list[tuple[str, list[str]]] = []
    for origin, row in lines:
        if len(row) != len(header):
            raise ManifestError(
                f"{origin}: has {len(row)} of {len(header)} fields ({row}). Expected {_EXPECTED}."
            )
        part = "" if part_place is None else row[part_place]
        if rows and rows[0][1][-1] != part:
            raise ManifestError(
                f"{origin}: is of the split {part!r}, but {rows[0][0]} is of {rows[0][1][-1]!r}. "
                "Expected one file for each."
            )
        rows.append((origin, [*(row[k] for k in places), part]))
    if not rows:
        raise ManifestError(f"{path}: lists no video. Expected rows {_EXPECTED}.")
    return rows

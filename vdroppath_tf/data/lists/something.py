"""Something-Something V1 and V2, and Jester: ids with a class name each.

What they show has a direction ("from left to right"), so their manifests are `directional`.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import (
    MAX_CLASSES,
    PathLike,
    check_names,
    load_json,
    read_names,
    read_rows,
    same_names,
    whole_number,
)
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

_LABELS = "labels"
_ROW = "'id;label'"
_ITEM = 'objects {"id": ..., "template": ...}'


@named
def read_something_v1(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `something-something-v1-train.csv` or `jester-v1-train.csv`: rows `id;label`.

    Args:
        path: the CSV file; the file with `labels` in place of its part (`...-v1-labels.csv`), one
            class a line, must lie beside it, or pass `labels`. If its name ends in no part, the
            only file beside it whose name holds `label` is that list.
        root: folder of the videos, each a folder of frames (`100218/00001.jpg`), a zip or a video
            file; default the CSV file's own.
        labels: the classes; default those of the file beside.
        lookup: how names become videos.

    Raises:
        ManifestError: a file is missing or damaged, as is a test part, which has no labels; a row
            names an unknown class, or a video that is not there or there twice.
    """
    rows = []
    for origin, row in read_rows(path, ";", _ROW):
        if len(row) != 2:
            raise ManifestError(
                f"{origin}: has {len(row)} of 2 fields ({row}). Expected {_ROW}; the test part has "
                "no labels."
            )
        rows.append((origin, row[0], row[1]))
    beside = _labels_file(path)
    names = read_names(beside) if beside.is_file() else None
    return _collect(path, root, _classes(names, labels, beside), lookup, rows, beside)


@named
def read_something_v2(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `train.json` or `validation.json`: a list of objects with `id` and `template`.

    The class is the template without its brackets. Videos are `1234.webm`, or folders or zip files
    of frames; `labels.json` (`{"class": "0", ...}`) must lie beside. Else as `read_something_v1`.
    """
    what = f"a list of {_ITEM}"
    rows = []
    for number, item in enumerate(load_json(path, list, what)):
        origin = f"{path}: item {number}"
        match item:
            case {"id": str(key), "template": str(template)}:
                rows.append((origin, key, re.sub(r"[\[\]]", "", template)))
            case _:
                raise ManifestError(
                    f"{origin}: is {str(item)[:80]}. Expected {what}; the test part has no labels."
                )
    beside = _labels_file(path)
    names = _numbered(beside) if beside.is_file() else None
    return _collect(path, root, _classes(names, labels, beside), lookup, rows, beside)


def _collect(
    path: PathLike,
    root: PathLike | None,
    names: Sequence[str],
    lookup: Lookup | None,
    rows: Iterable[tuple[str, str, str]],
    beside: Path,
) -> Manifest:
    videos = Collector(path, root, lookup, names)
    if beside.is_file():
        videos.note(f"classes are those of {beside.name}")
    for origin, key, name in rows:
        videos.add_named([""], key, videos.number(name, origin), origin)
    return videos.manifest("ids with a class each", directional=True)


def _labels_file(path: PathLike) -> Path:
    """`...-labels.csv` for `...-train.csv`, `labels.json` for `train.json`.

    A list of another name has the one list of classes that lies beside it. It is never its own.

    Raises:
        ManifestError: several may be that list.
    """
    path = Path(path)
    name = re.sub(r"(train|validation|val|test)$", _LABELS, path.stem)
    official = path.with_name((_LABELS if name == path.stem else name) + path.suffix)
    if official.name == path.name:
        official = path.with_name(f"{path.stem}-{_LABELS}{path.suffix}")
    if official.is_file():
        return official
    others = sorted(path.parent.glob(f"*label*{glob.escape(path.suffix)}"))
    others = [other for other in others if other.is_file() and other.name != path.name]
    if len(others) > 1:
        raise ManifestError(
            f"{path}: its classes may be those of {' or '.join(each.name for each in others[:3])}. "
            f"Expected one list of classes beside it: call it {official.name}."
        )
    return others[0] if others else official


def _classes(
    own: Sequence[str] | None, labels: Sequence[str] | None, beside: Path
) -> tuple[str, ...]:
    if own is not None:
        return same_names(own, labels, str(beside))
    if labels is None:
        raise ManifestError(
            f"{beside}: is missing, and names the classes. Put it there, or pass the names as "
            "labels=, or in a labels.txt beside the list (--data)."
        )
    return tuple(labels)


def _numbered(path: Path) -> tuple[str, ...]:
    """Class names by number, out of `{"class": "0", ...}`."""
    numbers = {
        name: whole_number(str(number), f"number of {name!r}", str(path), 0, MAX_CLASSES - 1)
        for name, number in load_json(path, dict, '{"class": "0", ...}').items()
    }
    if sorted(numbers.values()) != list(range(len(numbers))):
        raise ManifestError(
            f"{path}: numbers {sorted(numbers.values())[:9]}... Expected each of 0 to "
            f"{len(numbers) - 1} once."
        )
    return check_names(sorted(numbers, key=lambda name: numbers[name]), str(path))

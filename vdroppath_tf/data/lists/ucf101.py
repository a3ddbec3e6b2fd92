"""UCF101's split files: `trainlist01.txt`, `testlist01.txt`, with `classInd.txt` next to them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import (
    PathLike,
    check_names,
    read_lines,
    same_names,
    whole_number,
)
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

_CLASSES = "classInd.txt"
_EXPECTED = "'Class/v_Class_g01_c01.avi 1', or without number in a test list"


@named
def read_ucf101(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `trainlist01.txt` (`Class/v_X.avi 1`) or `testlist01.txt` (`Class/v_X.avi`).

    The label is the number of the class folder in `classInd.txt`; a number in the line must agree.
    Videos may also be folders or zip files of frames that are named like the video file.

    Args:
        path: The split file; `classInd.txt` must lie next to it.
        root: The folder of the class folders. Defaults to the folder of the split file.
        labels: The classes that `classInd.txt` must name. Defaults to None, any.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a file is missing or damaged, or a line names an unknown class, another
            number than that of its class, or a video that does not exist.

    Example:
        ```python
        manifest = read_ucf101("ucf101/ucfTrainTestlist/trainlist01.txt", "ucf101/UCF-101")
        ```
    """
    names = same_names(_class_index(Path(path).with_name(_CLASSES)), labels, f"{path}: {_CLASSES}")
    videos = Collector(path, root, lookup, names)
    for origin, line in read_lines(path, _EXPECTED):
        name, _, number = line.rpartition(" ")
        if not name:
            name, number = line, ""
        folder, _, file = name.strip().rpartition("/")
        label = videos.number(folder, origin)
        if number and whole_number(number, "label", origin, 1, len(names)) != label + 1:
            raise ManifestError(
                f"{origin}: label is {number}, but {folder!r} is number {label + 1} in {_CLASSES}. "
                "Take both files from one download."
            )
        videos.add_named([folder], posixpath.splitext(file)[0], label, origin)
    return videos.manifest(f"lines {_EXPECTED}")


def _class_index(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for origin, line in read_lines(path, "'1 ApplyEyeMakeup'"):
        number, _, name = line.partition(" ")
        if whole_number(number, "class", origin, 1, 1 << 20) != len(names) + 1:
            raise ManifestError(f"{origin}: class is {number}, expected {len(names) + 1}.")
        names.append(name.strip())
    return check_names(names, str(path))

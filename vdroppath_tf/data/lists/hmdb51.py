"""HMDB51's split files: `brush_hair_test_split1.txt`, one for each class and split."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.parts import part_of
from vdroppath_tf.data.lists.text_files import PathLike, read_lines, same_names, whole_number
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.names import named

_PARTS = {"train": 1, "test": 2}  # the numbers in the lines; 0 means neither
SPLITS = (1, 2, 3)
_EXPECTED = "'name.avi 1' (1 training, 2 test, 0 neither)"


def is_hmdb51(folder: PathLike) -> bool:
    """Returns whether a folder, or the only folder of splits in it, holds HMDB51's split files."""
    return bool(_classes(_lists_in(folder), "_test_split1.txt"))


@named
def read_hmdb51(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    part: str | None = None,
    split: int = 1,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads one part of one split; the classes are the sorted names of the split files.

    Videos may also be folders or zip files of frames named like the video file, and so may the
    stabilised videos (`name.avi.avi`). Class folders may lie in folders of the same name, which
    happens if each archive was unpacked into a separate folder.

    Args:
        path: The folder of the split files, or its parent (`testTrainMulti_7030_splits`).
        root: The folder of the class folders. Defaults to `path`.
        labels: The classes that the split files must have. Defaults to None, any.
        part: "train" or "test"; each file lists both.
        split: The number of the split: 1, 2 or 3. Defaults to 1.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the part or the split is missing or unknown, a file is missing or damaged,
            or a video does not exist.

    Example:
        ```python
        splits = "hmdb51/testTrainMulti_7030_splits"
        manifest = read_hmdb51(splits, "hmdb51/hmdb51", part="train", split=1)
        ```
    """
    wanted = _PARTS.get(part_of(part or "") or "")
    if wanted is None:
        raise ManifestError(f"{path}: part is {part!r}. Pass part='train' or part='test'.")
    if split not in SPLITS:
        raise ManifestError(f"{path}: split is {split!r}, expected 1, 2 or 3.")
    if not os.path.isdir(path):
        raise ManifestError(f"{path}: is not a folder. Expected the folder of the split files.")
    ending = f"_test_split{split}.txt"
    lists = _lists_in(path)
    own = _classes(lists, ending)
    if not own:
        raise ManifestError(f"{path}: holds no files '*{ending}'. Expected one for each class.")
    names = same_names(own, labels, f"{path}: *{ending}")
    videos = Collector(path, path if root is None else root, lookup, names)
    for name in names:
        if os.path.isfile(packed := os.path.join(videos.tree.root, f"{name}.rar")) and (
            not os.path.isdir(os.path.join(videos.tree.root, name))
        ):
            raise ManifestError(f"{packed}: is packed. Unpack it there, such as with 'unrar x'.")
    for label, name in enumerate(names):
        folders = [name, f"{name}/{name}"]
        for origin, line in read_lines(os.path.join(lists, name + ending), _EXPECTED):
            file, _, number = line.rpartition(" ")
            if not file:
                raise ManifestError(f"{origin}: has 1 of 2 fields ({line!r}). Expected {_EXPECTED}")
            if whole_number(number, "part", origin, 0, 2) == wanted:
                file = file.strip()
                stem = videos.stem_there(folders, (posixpath.splitext(file)[0], file), origin)
                videos.add_named(folders, stem, label, origin)
    return videos.manifest(f"lines {_EXPECTED}")


def _lists_in(folder: PathLike) -> str:
    """Returns the folder of the split files: the folder itself, or the only such sub-folder."""
    folder = os.fspath(folder)
    if _classes(folder, ".txt"):
        return folder
    below = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if "split" in name]
    found = [each for each in below if os.path.isdir(each) and _classes(each, "_test_split1.txt")]
    return found[0] if len(found) == 1 else folder


def _classes(folder: PathLike, ending: str) -> list[str]:
    names = (name for name in os.listdir(folder) if name.endswith(ending))
    return sorted(name[: -len(ending)] for name in names if not is_leftover(name))

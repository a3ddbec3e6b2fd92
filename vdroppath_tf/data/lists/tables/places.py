"""Resolves the paths of a list below the root, in each of the ways in which people write them."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from typing import Any

from vdroppath_tf.data.lists.members import split_member
from vdroppath_tf.data.lists.video_tree import VideoTree
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES
from vdroppath_tf.data.sources.hdf5_items import open_hdf5, resolve
from vdroppath_tf.data.sources.segment import UNITS, fitting_units
from vdroppath_tf.data.sources.zip import holds_folder

_HOW = {
    "backslashes": "backslashes in paths are read as slashes",
    "root": "paths that start with a slash are relative to the root",
    "list": "paths that start with .. are relative to the folder of the list",
    "suffix": "names without a suffix are completed to those of existing videos",
}
_ARCHIVES = (".zip", ".h5", ".hdf5")


class Places:
    """The videos below a root, by the paths in a list.

    Args:
        tree: The videos below the root.
        root: The root as it was passed, without resolving its links.
        folder: The folder of the list.
    """

    def __init__(self, tree: VideoTree, root: str, folder: str) -> None:
        self._tree = tree
        self._root = tree.root.rstrip("/") + "/"
        self._given = os.path.abspath(root).rstrip("/") + "/"
        self._folder = os.path.realpath(folder)
        self._counts: Counter[str] = Counter()
        self._out: dict[str, bool] = {}

    def there(self, path: str) -> bool:
        """Returns whether a path leads to something."""
        return self._find(path) is not None

    def there_exactly(self, path: str) -> bool:
        """Returns whether a path leads to something as it is written."""
        return self._exists(path)

    def name(self, path: str) -> str:
        """Returns the name below the root that a path leads to, or the path if it leads nowhere."""
        found = self._find(path)
        if found is None:
            return path
        if found[1]:
            self._counts[found[1]] += 1
        return found[0]

    def units(self, path: str, start: float, end: float) -> tuple[str, ...]:
        """Returns the units in which a segment of the video would lie inside it."""
        found = self._find(path)
        try:
            name = self._tree.clean(path if found is None else found[0], path)
            return fitting_units(self._tree.entry(name, path), start, end)
        except ManifestError:
            return UNITS

    def is_plain(self, path: str) -> bool:
        """Returns whether a path is in the form that `VideoTree.clean` expects."""
        below = path[:1] != "/" or path.startswith(self._root)
        return below and "\\" not in path and ".." not in path

    def notes(self) -> list[str]:
        """Returns notes about the paths that are not plain names below the root."""
        return [f"{_HOW[how]} ({count:,})" for how, count in self._counts.items()]

    def _find(self, path: str) -> tuple[str, str] | None:
        """Returns a name below the root, with one of `_HOW` or ""."""
        if self._exists(path):
            return self._below(path), ""
        slashes = path.replace("\\", "/")
        if slashes != path and self._exists(slashes):
            return self._below(slashes), "backslashes"
        if slashes.startswith("/") and not os.path.lexists(slashes) and self._exists(slashes[1:]):
            return slashes.lstrip("/"), "root"
        if slashes.startswith("../") and "\0" not in slashes:
            beside = posixpath.normpath(posixpath.join(self._folder, slashes))
            if beside.startswith(self._root) and self._exists(beside):
                return beside, "list"
        return self._without_suffix(slashes)

    def _exists(self, path: str) -> bool:
        name = self._below(path)
        if not name or "\0" in name or name[0] == "/" or ".." in name.split("/"):
            return False
        if os.path.lexists(self._root + name):
            return True
        member = split_member(name)
        if member is None or not member.inside:
            return False
        if member.zipped:
            archive = self._root + member.file
            if self._leads_out(archive):
                return " " not in member.inside
            return os.path.isfile(archive) and holds_folder(archive, member.inside)
        return self._holds(member.file, member.inside)

    def _holds(self, name: str, key: str) -> bool:
        """Returns whether an HDF5 file has a member; if it cannot be read, any word may be one."""
        file = self._root + name
        if self._leads_out(file):
            return " " not in key
        if not os.path.isfile(file):
            return False
        try:
            with open_hdf5(file, name) as root:
                return _is_member(root, key)
        except VideoError:
            return " " not in key

    def _leads_out(self, archive: str) -> bool:
        """Returns whether an archive is reached through a link that is refused: do not open it."""
        if archive not in self._out:
            self._out[archive] = not self._tree.stays(archive)
        return self._out[archive]

    def _below(self, path: str) -> str:
        return path.removeprefix(self._root).removeprefix(self._given)

    def _without_suffix(self, path: str) -> tuple[str, str] | None:
        folder, stem = posixpath.split(posixpath.normpath(self._below(path)))
        known = posixpath.splitext(stem)[1].lower()
        if (
            not stem
            or stem[0] == "."
            or folder[:1] == "/"
            or known in (*VIDEO_SUFFIXES, *_ARCHIVES)
        ):
            return None
        try:
            found = self._tree.named(folder, stem, "")
        except (ManifestError, ValueError, OSError):
            return None
        return (found[0], "suffix") if len(found) == 1 else None


def _is_member(root: Any, key: str) -> bool:
    try:
        resolve(root, key, "")
    except VideoError:
        return False
    return True

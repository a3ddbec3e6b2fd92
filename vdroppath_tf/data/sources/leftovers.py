"""Names of files that systems, archivers and tools leave next to videos, ignored everywhere."""

from __future__ import annotations

import re

_NAMES = frozenset(
    (
        # archives made on a Mac, and what Macs leave on the disks of others
        *("__macosx", "icon\r", "network trash folder", "temporary items"),
        # Windows
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin"),
        *("recycler", "system volume information", "wpsettings.dat", "indexervolumeguid"),
        # Linux, and boxes that share disks
        *("lost+found", "@eadir", "@__thumb", "@tmp", "@recycle", "@recently-snapshot"),
        *("#recycle", "#snapshot", "@sharebin", "@sharesnap"),
        # programs
        *("__pycache__", "_vti_cnf", "picasa.ini", "albumartsmall.jpg"),
        # MATLAB, in HDF5 files
        *("#refs#", "#subsystem#", "#specs#"),
    )
)
# Hidden names are leftovers too: .DS_Store, .Trash-1000, .ipynb_checkpoints, ._video.mp4, .git.
_STARTS = (".", "~$", "synofile_thumb_", "synoindex_media_info")
_REPAIRED = re.compile(r"found\.[0-9]{3}")  # written by Windows when it repairs a disk


def is_leftover(name: str) -> bool:
    """Returns whether a file or folder of this name was left by a program, not put by the user.

    Args:
        name: The bare name, such as `__MACOSX`, `.ipynb_checkpoints`, `@eaDir`, `lost+found`,
            `Thumbs.db` or `._video.mp4`, in upper or lower case.
    """
    small = name.lower()
    if small in _NAMES or small.startswith(_STARTS):
        return True
    return small.startswith("found.") and _REPAIRED.fullmatch(small) is not None


def in_leftover(path: str) -> bool:
    """Returns whether a part of a path, separated by slashes, is a leftover."""
    return any(map(is_leftover, filter(None, path.split("/"))))

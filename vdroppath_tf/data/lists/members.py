"""Names of videos inside other files: `a.h5/key`, `a.zip!folder`, `a.zip!b.mp4`."""

from __future__ import annotations

import re
from typing import NamedTuple

_IN_HDF5 = re.compile(r"(.+?\.(?:h5|hdf5))(?:/(.+))?", re.IGNORECASE | re.DOTALL)
_IN_ZIP = re.compile(r"(.+?\.zip)!(.+)", re.IGNORECASE | re.DOTALL)


class Member(NamedTuple):
    """A video inside a file.

    Attributes:
        file: The name of the file.
        inside: The name inside the file; "" for an HDF5 file that is one video.
        zipped: Whether the file is a zip file; if not, it is an HDF5 file.
    """

    file: str
    inside: str
    zipped: bool


def split_member(name: str) -> Member | None:
    """Splits a name into file and member; None if the name has no member."""
    if "!" in name and (match := _IN_ZIP.fullmatch(name)) is not None:
        return Member(match[1], match[2], True)
    if ".h" in name.lower() and (match := _IN_HDF5.fullmatch(name)) is not None:
        return Member(match[1], match[2] or "", False)
    return None

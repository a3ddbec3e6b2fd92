"""Reads and writes small ``.npz`` files without pickles, atomically and with a bound on size."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence

import numpy as np

from vdroppath_tf.files import open_regular, write_bytes

MAX_BYTES = 2**31  # for all arrays of a file together


def write_arrays(path: str | os.PathLike[str], format: str, **arrays: np.ndarray) -> None:
    """Writes arrays of numbers and text to a file; ``format`` is its format's name and version."""
    held = io.BytesIO()
    np.savez(held, format=np.array(format), **arrays)
    write_bytes(path, held.getvalue())


def read_arrays(
    path: str | os.PathLike[str],
    format: str,
    names: Sequence[str],
    *,
    optional: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Reads the arrays of a file that ``write_arrays`` wrote.

    Raises:
        ValueError: If the file has another format or is damaged; the message names the file.
        OSError: If the file cannot be read.
    """
    try:
        with open_regular(path) as opened:
            with zipfile.ZipFile(opened) as archive:
                held = sum(one.file_size for one in archive.infolist())
            if held > MAX_BYTES:
                raise ValueError(f"it holds {held} bytes, more than {MAX_BYTES}")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                there = [name for name in optional if name in file.files]
                found = {name: file[name] for name in ("format", *names, *there)}
    except (KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a file of {format!r}, or damaged ({error}).") from None
    if str(found["format"]) != format:
        raise ValueError(f"{path}: expected the format {format!r}. Found {str(found['format'])!r}.")
    return {name: found[name] for name in (*names, *there)}

"""Folders that belong to one job each, described by a file in the folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vdroppath_tf.files.differences import what_differs
from vdroppath_tf.files.formats import parse_json
from vdroppath_tf.files.whole import read_bytes, write_text
from vdroppath_tf.names import named


@named
def create_or_verify(mark: Path, fields: Mapping[str, Any], *, holds: str) -> None:
    """Creates the folder of a job, or verifies that an existing folder belongs to this job.

    Args:
        mark: The file in the folder that describes its job.
        fields: Everything that determines the result of the job, as plain JSON values.
        holds: What such a folder holds, for the error messages.

    Raises:
        ValueError: If the folder belongs to another job, or holds anything else.
    """
    folder = mark.parent
    if not mark.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder}: is not empty and holds no {holds}. Pass a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(mark, json.dumps(fields, indent=1) + "\n")
        return
    try:
        found = parse_json(read_bytes(mark))
    except ValueError:
        found = None
    if found != fields:
        raise ValueError(
            f"{mark}: the folder holds another {holds}: {what_differs(found, fields)}. Pass a new "
            "folder, or remove the old one."
        )

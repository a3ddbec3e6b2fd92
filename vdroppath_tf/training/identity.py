"""Identifies the run in a folder by its description, kept in a file and in each checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import logging

from vdroppath_tf.files import read_text, what_differs, write_text
from vdroppath_tf.names import named

FORMAT = "vdroppath_tf.run/7"
"""The format of ``run.json`` and of each checkpoint's state."""
RUN_FILE = "run.json"


@named
def claim_folder(folder: Path, run: str, newest: Mapping[str, Any] | None) -> None:
    """Marks a folder as that of a run; checkpoints have precedence over the mark.

    Args:
        folder: The folder of the run.
        run: The description, JSON text, of the run that is to start or resume.
        newest: The state of the last complete checkpoint, or None if there is none.

    Raises:
        ValueError: If the folder holds another run.
    """
    mark = folder / RUN_FILE
    if newest is not None:
        check_same(f"{folder / str(newest['name'])}", str(newest["run"]), run)
        if mark.exists() and _text(mark) != run:
            logging.warning("%s: was changed; it is rewritten from the checkpoints.", mark)
    elif mark.exists():
        check_same(str(mark), _text(mark), run)
    if not mark.exists() or _text(mark) != run:
        write_text(mark, run)


def _text(mark: Path) -> str:
    """Returns the text of a mark; one that matches no run if it is not text."""
    try:
        return read_text(mark)
    except ValueError:
        return ""


@named
def check_same(mark: str, found: str, run: str) -> None:
    """Raises if a mark describes another run.

    Args:
        mark: The file or checkpoint that holds the text, for the error message.
        found: The text.
        run: The description, JSON text, of the run that is to resume.

    Raises:
        ValueError: If they differ; the message names the differences.
    """
    if found == run:
        return
    new = json.loads(run)
    try:
        old = json.loads(found)
        other = what_differs(old, new)
    except (RecursionError, ValueError):
        old = None
    if not isinstance(old, dict):
        old, other = {}, "everything: this is not a run of vdroppath_tf"
    if old.get("format") != new.get("format") and "recipe" in old:
        raise ValueError(
            f"{mark}: another version of vdroppath_tf began this run (format {old.get('format')}; "
            f"expected {FORMAT!r}). Finish it with that version, or pass a new folder to start "
            "again. The models and spaces of a finished run remain readable."
        )
    raise ValueError(
        f"{mark}: the folder holds another run; what differs: {other}. Pass a new "
        "folder to start again, or the same settings and videos (and initial weights) to go "
        "on."
    )

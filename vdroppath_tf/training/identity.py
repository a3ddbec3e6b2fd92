"""Which run a folder holds: the text that describes it, beside the checkpoints and in each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import logging

from vdroppath_tf.files import read_text, what_differs, write_text
from vdroppath_tf.names import named

FORMAT = "vdroppath_tf.run/7"
"""Of ``run.json`` and of each checkpoint's state."""
RUN_FILE = "run.json"


@named
def claim_folder(folder: Path, run: str, newest: Mapping[str, Any] | None) -> None:
    """Marks a folder as that of a run; what its checkpoints say counts for more than the mark.

    Args:
        folder: The folder of the run.
        run: JSON text that describes the run that is to begin or to go on.
        newest: The state of the last whole checkpoint, or None where there is none.

    Raises:
        ValueError: If the folder holds another run.
    """
    mark = folder / RUN_FILE
    if newest is not None:
        check_same(f"{folder / str(newest['name'])}", str(newest["run"]), run)
        if mark.exists() and _text(mark) != run:
            logging.warning("%s: was changed; it is written anew as the checkpoints say.", mark)
    elif mark.exists():
        check_same(str(mark), _text(mark), run)
    if not mark.exists() or _text(mark) != run:
        write_text(mark, run)


def _text(mark: Path) -> str:
    """What a mark holds; nothing that is a run where it is no text."""
    try:
        return read_text(mark)
    except ValueError:
        return ""


@named
def check_same(mark: str, found: str, run: str) -> None:
    """Raises where the text found at a mark describes another run.

    Args:
        mark: The file or checkpoint the text was found in, for the error.
        found: The text.
        run: JSON text that describes the run that is to go on.

    Raises:
        ValueError: If they differ, naming what differs.
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
        old, other = {}, "everything: this is no run of vdroppath_tf"
    if old.get("format") != new.get("format") and "recipe" in old:
        raise ValueError(
            f"{mark}: another version of vdroppath_tf began this run (format {old.get('format')}; "
            f"expected {FORMAT!r}). Finish it with that version, or pass a new folder to start "
            "anew. The models and spaces of a finished run can be read all the same."
        )
    raise ValueError(
        f"{mark}: the folder holds another run; what differs: {other}. Pass a new "
        "folder to start anew, or the same settings and videos (and a model as new as then) to go "
        "on."
    )

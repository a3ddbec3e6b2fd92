"""The files that the steps of ``vdroppath run`` write, and whether they are still there."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from vdroppath_tf.files import parse_json, read_text

TEST_OF_UNIFORM = "test of the best uniform network"
FILES = {
    "warm-up and search": (
        *("template.keras", "space.json", "history.json"),
        *("recipe.json", "labels.txt"),
    ),
    "scoring and selection": ("scores.json",),
    "derive and fine-tune": ("derived.keras",),
    "trials": ("trials/trials.json", "trials/network.keras"),
    "test": ("result.json",),
    TEST_OF_UNIFORM: ("uniform.json",),
    "export": ("served/1/saved_model.pb", "served/1/variables/variables.index"),
    "report": ("report.html",),
    "answer": ("plan/answer.txt",),
}
"""The files that each step writes, below the folder of the run; the first is its result."""


def done_steps(out: Path, state: dict[str, Any], names: Collection[str]) -> dict[str, str]:
    """Returns the steps that were done, each with what is missing or damaged of its files, or "".

    Args:
        out: The folder of the run.
        state: The state of its steps, see ``read_state``.
        names: The names of all steps of its plan.
    """
    done = [name for name in names if state.get(name, {}).get("state") == "done"]
    return {name: lost_of_step(out, name, names) for name in done}


def lost_of_step(out: Path, name: str, names: Collection[str]) -> str:
    """Returns what is missing or damaged of the files of one step; "" if nothing is.

    Args:
        out: The folder of the run.
        name: The name of the step.
        names: The names of all steps of its plan.
    """
    files = list(FILES.get(name, ()))
    if name == "trials" and TEST_OF_UNIFORM in names:
        files.append("trials/uniform.keras")
    return ", ".join(f"{file} {wrong}" for file in files if (wrong := _wrong(out / file)))


def _wrong(file: Path) -> str:
    """Returns what is wrong with a file, as far as a cheap check shows; "" if nothing is."""
    if not file.is_file():
        return "is missing"
    if not file.stat().st_size:
        return "is empty"
    if file.suffix == ".keras" and not zipfile.is_zipfile(file):
        return "is damaged"
    if file.suffix == ".json":
        try:
            parse_json(read_text(file))
        except ValueError:
            return "is damaged"
    return ""

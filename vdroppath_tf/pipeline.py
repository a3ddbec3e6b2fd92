"""run_pipeline: ``vdroppath run`` in Python, from videos to a served network in one call."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absl import flags as absl_flags

from vdroppath_tf import training
from vdroppath_tf.commands import run as command
from vdroppath_tf.commands.flag_checks import check_values
from vdroppath_tf.commands.next_step import saying_nothing
from vdroppath_tf.commands.places import check_places
from vdroppath_tf.commands.progress import showing
from vdroppath_tf.commands.recipe_flags import recipe_of_flags
from vdroppath_tf.commands.run_plan import FOLDER, read_state
from vdroppath_tf.commands.status import lines_of, status_of
from vdroppath_tf.files import load_text, read_json
from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.names import named, nearest
from vdroppath_tf.scoring.video_scores import TEST_FORMAT

PARTS = {"train": "data", "validation": "validation", "test": "test"}
_OUTPUTS = {
    "template": "template.keras",
    "space": "space.json",
    "scores": "scores.json",
    "derived": "derived.keras",
    "trials": "trials/trials.json",
    "result": "result.json",
    "served": "served/1",
    "report": "report.html",
}


@named
@dataclass(frozen=True)
class PipelineRun(ShowsTable):
    """A run of ``run_pipeline`` or ``vdroppath run``, which another process may execute.

    Printing it shows the progress of the run; a notebook shows a table of its steps.

    Attributes:
        folder: str or path, the folder of the run.

    Raises:
        ValueError: If the folder holds no run.

    Example:
    ```python
    run = PipelineRun("run")
    print(run)  # the steps, the phase, the time left, warnings
    run.status["steps"]
    ```
    """

    folder: str | os.PathLike[str]

    def __post_init__(self) -> None:
        _ = self.status

    @property
    def status(self) -> dict[str, Any]:
        """The current progress as plain values, the same as from ``vdroppath status --json``."""
        return status_of(Path(self.folder))

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return all(state == "done" for state in self.status.get("steps", {"": ""}).values())

    @property
    def paths(self) -> dict[str, Path]:
        """The outputs of the run so far: ``"template"``, ``"space"``, ``"scores"``, ``"derived"``,
        ``"trials"``, ``"result"``, ``"served"`` and ``"report"``.
        """
        places = {name: Path(self.folder) / place for name, place in _OUTPUTS.items()}
        return {name: place for name, place in places.items() if place.exists()}

    @property
    def result(self) -> dict[str, Any]:
        """The result of testing the network that is kept, the fields of ``result.json``.

        Raises:
            ValueError: If the network has not been tested yet.
        """
        if "result" not in self.paths:
            raise ValueError(
                f"{self.folder}: nothing was tested yet. print(run) shows the next step."
            )
        return load_text(self.paths["result"], lambda text: read_json(text, TEST_FORMAT))

    def short_table(self) -> ShortTable:
        """Returns a table of the steps with their states."""
        status = self.status
        seconds = {name: one.get("seconds") for name, one in read_state(Path(self.folder)).items()}
        steps = status.get("steps", {})
        lines = [(name, state, seconds.get(name)) for name, state in steps.items()]
        title = next(lines_of(status), str(self.folder))
        return ShortTable(title, ("step", "state", "seconds"), lines)

    def __str__(self) -> str:
        return "\n".join(lines_of(self.status))


@named
def run_pipeline(
    data: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    recipe: str | os.PathLike[str] | training.Recipe = "small",
    changes: Mapping[str, Any] | None = None,
    draws: int = 50,
    init: str | os.PathLike[str] | None = None,
    flags: Mapping[str, Any] | None = None,
    verbose: int = 1,
) -> PipelineRun:
    """Goes from a folder of videos to a served network, with the steps of ``vdroppath run``.

    Videos are checked and split, a template is trained, strategies are drawn and scored and one is
    selected, its network is derived, fine-tuned, tested and exported, and a report is written. If
    called again with the same arguments, a stopped run resumes, and a finished one does nothing.
    The command can also resume a run of this function.

    Args:
        data: str, path or mapping, a folder or list of videos, which are split; or one for each
            part, ``{"train": ..., "validation": ..., "test": ...}``.
        out: str or path, the folder of the run.
        recipe: str, path or ``Recipe``: a name, the ``recipe.json`` of a run, or a recipe. Clips,
            batch size and epochs of ``"small"`` are fitted to the videos. Defaults to ``"small"``.
        changes: mapping of dotted names of the recipe's fields to values, such as
            ``{"search.epochs": 30}``. Defaults to None.
        draws: int, the number of strategies drawn from the space and scored. Defaults to 50.
        init: str or path, the initial weights of the template, see ``training.start_from``.
            Defaults to None, random weights.
        flags: mapping, further flags of ``vdroppath run`` by their names, such as
            ``{"max_bad_fraction": 0.1}`` or ``{"trials": True}``. Defaults to None.
        verbose: int, 1 prints the progress, 0 nothing. Defaults to 1.

    Returns:
        ``PipelineRun``, the finished run.

    Example:
    ```python
    run = vdroppath_tf.run_pipeline("videos", "run", changes={"search.epochs": 30})
    print(run.result["top1"], run.paths["served"])
    ```

    Raises:
        ValueError: If an argument or a video does not fit, or the folder holds another run.
        OSError: If the disk is full.
    """
    given: dict[str, Any] = {**_parts(data), "out": out, "draws": draws, "init": init}
    if isinstance(recipe, training.Recipe):
        given["recipe"] = Path(out) / FOLDER / "recipe.json"  # the run writes it there
    else:
        given["recipe"] = recipe
    given["set"] = [f"{name}={_text(value)}" for name, value in (changes or {}).items()]
    printing = contextlib.nullcontext() if verbose else contextlib.redirect_stdout(io.StringIO())
    try:
        values = _parsed({**given, **(flags or {})})
        check_places(values, ())
        command.take_source(values, ())
        if isinstance(recipe, training.Recipe):
            chosen = training.override(recipe, given["set"])
        else:
            chosen = recipe_of_flags(values)
        with saying_nothing(), showing(verbose), printing:
            command.go(values, chosen)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise ValueError(in_arguments(str(error))) from None
    return PipelineRun(out)


def _parts(data: Any) -> dict[str, Any]:
    """Returns the flags for the videos."""
    if not isinstance(data, Mapping):
        return {"data": data}
    for name in data:
        if name not in PARTS:
            raise ValueError(
                f"data={name!r}: there is no such part. {nearest(name, PARTS)}Expected some of "
                f"{', '.join(PARTS)}."
            )
    return {PARTS[name]: place for name, place in data.items()}


def _parsed(given: Mapping[str, Any]) -> absl_flags.FlagValues:
    """Returns the flags of the command with these values."""
    values = absl_flags.FlagValues()
    command.define(values)
    arguments: list[str] = []
    for name, value in given.items():
        if name not in values:
            raise ValueError(
                f"flags={{{name!r}: ...}}: vdroppath run has no such flag. {nearest(name, values)}"
            )
        arguments += _arguments(name, value)
    try:
        values(["vdroppath", *arguments])
        check_values(values)
    except absl_flags.Error as error:
        raise ValueError(str(error)) from None
    return values


def _arguments(name: str, value: Any) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (f"--{name}" if value else f"--no{name}",)
    if name == "set":
        return [f"--set={one}" for one in value]
    return (f"--{name}={_text(value)}",)


def _text(value: Any) -> str:
    """Formats a value for a flag."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def in_arguments(text: str) -> str:
    """Rewrites a command's message for Python: ``--out`` becomes ``out=``.

    Args:
        text: The message.
    """
    text = re.sub(r" \(--[^()]*\)", "", text)  # messages of the library contain both
    return re.sub(r"--([a-z]+(?:_[a-z]+)*)=?", r"\1=", text)

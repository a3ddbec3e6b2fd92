"""Show how far a run is: steps, phase, time left, last metrics, warnings, the next command."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from vdroppath_tf import training
from vdroppath_tf.commands.next_step import command_line
from vdroppath_tf.commands.run_outputs import done_steps
from vdroppath_tf.commands.run_plan import FOLDER, read_plan, read_state
from vdroppath_tf.files import parse_json, read_text
from vdroppath_tf.training.identity import RUN_FILE

EXAMPLE = "vdroppath status run"
_SHOWN = ("loss", "task_loss", "kl", "top1", "accuracy", "val_loss", "val_top1", "val_accuracy")


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "print a JSON object for each folder"
    flags.DEFINE_boolean("json", False, text, flag_values=values)


def run(values: flags.FlagValues, folders: Sequence[str]) -> None:
    """Prints the progress of the run in each folder."""
    if not folders:
        raise ValueError("Name at least one folder of vdroppath run or vdroppath train.")
    for folder in folders:
        found = status_of(Path(folder))
        print(json.dumps(found) if values.json else "\n".join(lines_of(found)), flush=True)


def status_of(folder: Path) -> dict[str, Any]:
    """Returns the progress of a run as plain values.

    Raises:
        ValueError: If the folder holds no run.
    """
    plan = read_plan(folder) if folder.is_dir() else None
    places = _trainings(folder)
    if plan is None and not places:
        raise ValueError(
            f"{folder}: holds no run. Expected a folder of vdroppath run or of vdroppath train."
        )
    trainings = {str(place): _training(place) for place in places}
    found: dict[str, Any] = {"folder": str(folder), "trainings": trainings}
    if plan is None:
        return found
    state, names = read_state(folder), [step["name"] for step in plan["steps"]]
    states = {name: state.get(name, {}).get("state", "to come") for name in names}
    alive = training.is_locked(folder / FOLDER)
    if not alive:
        states = {n: "stopped" if each == "running" else each for n, each in states.items()}
    lost = {n: each for n, each in done_steps(folder, state, names).items() if each}
    states |= dict.fromkeys(lost, "incomplete")
    over = ("done", "running") if alive else ("done",)
    todo = [step for step in plan["steps"] if states[step["name"]] not in over]
    errors = [each["error"] for each in state.values() if "error" in each]
    return {
        **found,
        "running": alive,
        "steps": states,
        "lost": lost,
        "errors": errors,
        "next": todo[0]["command"] if todo else "",
        "again": f"{plan['command']} --out={shlex.quote(str(folder))}",
    }


def _trainings(folder: Path) -> list[Path]:
    """Returns the folders with trainings: the run's, those of fine-tuning, seeds and trials."""
    if not folder.is_dir():
        return []
    inside = [folder, *sorted(folder.glob("*.run")), *sorted(folder.glob("seed-*"))]
    for runs in ("runs", "trials/runs"):
        inside += sorted(folder.glob(f"{runs}/*"))
    return [place for place in inside if (place / RUN_FILE).is_file()]


def _training(place: Path) -> dict[str, Any]:
    progress, alive = training.read_progress(place), training.is_locked(place)
    if progress is None:
        return {"state": "running" if alive else "unknown", "phases": _phases(place)}
    state = progress.state
    if state == "running" and not alive:
        state = "killed"
    fields = {**progress.__dict__, "state": state, "next": _next(place, progress)}
    return {name: value for name, value in fields.items() if name not in ("process", "host")}


def _next(place: Path, progress: training.Progress) -> str:
    """Returns the next phase, or the next command."""
    if progress.number + 1 < len(progress.phases):
        name, epochs = progress.phases[progress.number + 1]
        return f"{name}, {epochs} epochs"
    template, scores = place / "template.keras", place / "scores.json"
    if not template.is_file() or scores.is_file():
        return ""
    return command_line(
        "evaluate", model=str(template), data="VALIDATION", train_data="TRAIN", out=str(scores)
    )


def _phases(place: Path) -> list[tuple[str, int]]:
    """Reads the phases of a run by an older version, which has no progress file."""
    file = place / RUN_FILE
    try:
        phases = parse_json(read_text(file))["phases"]
        return [(str(phase["name"]), int(phase["epochs"])) for phase in phases]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: was not written by vdroppath train ({error}).") from None


def lines_of(found: dict[str, Any]) -> Iterator[str]:
    """Formats a status as lines."""
    folder = found["folder"]
    if "steps" in found:
        done = sum(state == "done" for state in found["steps"].values())
        going = "running" if found["running"] else "not running"
        yield f"{folder}: {done} of {len(found['steps'])} steps done, {going}"
        for n, (name, state) in enumerate(found["steps"].items(), 1):
            if name in found["lost"]:
                state = f"done, but {found['lost'][name]}: vdroppath run repeats the step"
            yield f"  {n} {name}: {state}"
    for place, each in found["trainings"].items():
        of_run = "steps" in found  # whose folder's name begins the first line
        name = "template" if of_run and place == folder else place
        yield from _lines_of_training(name, each, whole=not of_run)
    for error in found.get("errors", ()):
        yield f"  bad: {error}"
    if found.get("next") and not found["running"]:
        yield f"  to resume: {found['again']}"


def _lines_of_training(name: str, each: dict[str, Any], *, whole: bool) -> Iterator[str]:
    from vdroppath_tf.report.formats import duration

    phases = each["phases"]
    if "number" not in each:
        yield f"{name}: {each['state']}; " + ", ".join(f"{n} {e} epochs" for n, e in phases)
        return
    phase, epochs = phases[each["number"]] if phases else ("", 0)
    where = f"{phase} (phase {each['number'] + 1} of {len(phases)}), {each['epoch']} of {epochs} "
    where += f"epochs{_step(each)}"
    ago = duration(max(0.0, time.time() - each["written"]))
    yield f"{name}: {each['state']}, {where}; noted {ago} ago"
    if each["clips_per_second"] is not None:
        waits = each["wait_share"]
        waiting = "" if waits is None else f", {waits:.0%} of the time waiting for clips"
        memory = f"{each['memory_bytes'] / 1e9:.1f} GB of memory"
        yield f"  speed: {each['clips_per_second']:.3g} clips/s{waiting}; {memory}"
    if each["seconds_left"]:
        yield f"  left: about {duration(each['seconds_left'])} of training"
    shown = [f"{key} {each['metrics'][key]:.4g}" for key in _SHOWN if key in each["metrics"]]
    if shown:
        yield f"  last epoch: {', '.join(shown)}"
    if each["next"] and whole:
        yield f"  next: {each['next']}"
    for line in (*each["bad"], *([each["error"]] if each["error"] else [])):
        yield f"  bad: {line}"
    if each["state"] == "killed":
        yield "  no process is running, so nothing more happens by itself"
    if each["state"] in ("killed", "stopped", "failed") and whole:
        if each["command"]:
            yield f"  to resume from the last checkpoint: {each['command']}"
        else:
            yield "  to resume: give the same command again; it continues from the last checkpoint"


def _step(each: dict[str, Any]) -> str:
    return f" and {each['step']} of {each['steps']} steps" if each["step"] else ""

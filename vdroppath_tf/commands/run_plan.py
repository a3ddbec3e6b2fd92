"""The plan of ``vdroppath run``: its commands in order, and all settings to repeat it."""

from __future__ import annotations

import dataclasses
import json
import platform
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vdroppath_tf.commands.next_step import flag_list
from vdroppath_tf.commands.run_outputs import FILES, TEST_OF_UNIFORM
from vdroppath_tf.files import load_text, read_json, read_text, what_differs, write_json
from vdroppath_tf.startup import VERSION

FORMAT = "vdroppath_tf.plan/1"
FOLDER, PLAN_FILE, STATE_FILE = "plan", "plan.json", "state.json"
STATE_FORMAT = "vdroppath_tf.steps/1"
KEPT = ("template.keras", "derived.keras", "served", "run.json", f"{FOLDER}/{STATE_FILE}")
"""What shows that steps of a run were done."""
SIDES = ("the folder's run", "this call")
_PACKAGES = ("tensorflow", "keras", "numpy", "av")


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of the plan.

    Attributes:
        name: The name of the step in the plan and in ``vdroppath status``.
        command: The command.
        arguments: The flags and arguments.
    """

    name: str
    command: str
    arguments: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command line."""
        return shlex.join(["vdroppath", self.command, *self.arguments])


def steps_of(
    out: Path,
    root: str | None,
    *,
    draws: int,
    init: str | None,
    more: list[str],
    shown: str | None,
    trials: Sequence[str] | None = None,
) -> list[Step]:
    """Returns the commands from manifests and a recipe in ``plan/`` to a served network.

    Args:
        out: The folder of the run.
        root: The folder of the videos in the manifests.
        draws: The number of strategies that are drawn and scored.
        init: The initial weights of the template, or None.
        more: The flags for every command that reads videos.
        shown: A video to classify with the served network, or None.
        trials: The flags of ``vdroppath trials``, to also train strategies stand-alone. The best
            of these networks is kept unless the derived one has a higher validation top-1, and the
            best network of one unit is tested too. Defaults to None: no trials.
    """
    plan = out / FOLDER

    def result(step: str) -> str:
        return str(out / FILES[step][0])

    template, scores, derived = (
        result(step)
        for step in ("warm-up and search", "scoring and selection", "derive and fine-tune")
    )
    tested, page = result("test"), result("report")
    served, tried = Path(result("export")).parent, Path(result("trials"))
    kept = derived if trials is None else str(tried.with_name("network.keras"))
    shown_too = flag_list(result=tested)

    def videos(name: str, part: str) -> list[str]:
        return flag_list(**{name: str(plan / f"{part}.manifest"), f"{name}_root": root})

    def testing(model: str, to: str) -> list[str]:
        return [*flag_list(model=model, out=to), *videos("data", "test"), *more]

    train, test = videos("train_data", "train"), videos("test_data", "test")
    wide = [*videos("data", "validation"), *train, *test, *more]
    start = flag_list(recipe=str(plan / "recipe.json"), init=init, out=str(out))
    seen = [*videos("data", "train"), *videos("validation", "validation"), *more]
    of_trials, of_uniform = [], []
    if trials is not None:
        given = flag_list(model=template, scores=scores, against=derived, out=str(tried.parent))
        of_trials.append(("trials", "trials", [*given, *trials, *seen]))
        uniform = result(TEST_OF_UNIFORM)
        given = testing(str(tried.with_name("uniform.keras")), uniform)
        of_uniform.append((TEST_OF_UNIFORM, "test", given))
        shown_too += flag_list(result=uniform)
        shown_too += flag_list(trials=str(tried))
    lines: list[tuple[str, str, list[str]]] = [
        ("warm-up and search", "train", [*start, *seen]),
        (
            "scoring and selection",
            "evaluate",
            [*flag_list(model=template, draws=str(draws), out=scores), *wide],
        ),
        (
            "derive and fine-tune",
            "derive",
            [
                *flag_list(model=template, scores=scores, finetune=True, out=derived),
                *train,
                *videos("validation", "validation"),
                *more,
            ],
        ),
        *of_trials,
        ("test", "test", testing(kept, tested)),
        *of_uniform,
        ("export", "export", flag_list(model=kept, out=str(served), overwrite=True)),
        (
            "report",
            "report",
            [*flag_list(run=str(out), scores=scores), *shown_too, *flag_list(out=page)],
        ),
    ]
    if shown is not None:
        taken = [flag for flag in more if flag.startswith("--allow_open_end")]
        lines.append(("answer", "predict", [f"--model={served}", *taken, shown]))
    return [Step(name, command, tuple(args)) for name, command, args in lines]


def fields_of(
    arguments: list[str],
    recipe: Any,
    data: dict[str, Any],
    settings: dict[str, Any],
    steps: list[Step],
) -> dict[str, Any]:
    """Returns all settings that are needed to repeat the run, as plain values."""
    from importlib import metadata  # slow to import, and not needed for --help

    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {
        "format": FORMAT,
        "command": shlex.join(["vdroppath", "run", *arguments]),
        "arguments": arguments,
        "recipe": json.loads(recipe.to_json()),
        "seed": recipe.seed,
        "data": data,
        "settings": settings,
        "steps": [{"name": step.name, "command": step.line} for step in steps],
        "versions": {**versions, "vdroppath_tf": VERSION, "python": platform.python_version()},
    }


def read_plan(out: Path) -> dict[str, Any] | None:
    """Reads the plan in the folder of a run; None if there is none.

    Raises:
        ValueError: If the file has another format.
    """
    file = out / FOLDER / PLAN_FILE
    return load_text(file, lambda text: read_json(text, FORMAT)) if file.is_file() else None


def check_has_plan(out: Path) -> None:
    """Raises a ValueError if a folder holds what the steps of a run wrote, but no plan."""
    held = [name for name in KEPT if (out / name).exists()]
    if held and not (out / FOLDER / PLAN_FILE).is_file():
        raise ValueError(
            f"{out}: {FOLDER}/{PLAN_FILE} is missing, without which a run cannot be resumed. The "
            f"folder holds {', '.join(held)}. Copy {FOLDER}/ back if you have it, use these files "
            "with the single commands, or pass a new folder to start again."
        )


def check_same_plan(out: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raises a ValueError if a folder holds a run with other settings or videos."""
    parts = ("data", "settings", "recipe")
    before, now = ({part: fields.get(part) for part in parts} for fields in (old, new))
    if before == now:
        return
    before["data"], videos_before = _apart(before["data"] or {})
    now["data"], videos_now = _apart(now["data"] or {})
    differ = []
    if videos_before != videos_now:
        counts = [
            sum(each["videos"] for each in one.values()) for one in (videos_before, videos_now)
        ]
        if counts[0] == counts[1]:
            differ.append(f"{SIDES[0]} has other videos than {SIDES[1]}")
        else:
            differ.append(f"{SIDES[0]} has {counts[0]:,} videos, {SIDES[1]} {counts[1]:,}")
    if before != now:
        also = "as a consequence or besides, " if differ else ""
        differ.append(also + what_differs(before, now, sides=SIDES))
    raise ValueError(
        f"{out}: holds another run; what differs: {'; '.join(differ)}. Pass a new "
        "folder to start again, or the same settings and videos to resume."
    )


def _apart(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separates the parts of the split from the other fields of the videos."""
    videos = {name: value for name, value in data.items() if isinstance(value, dict)}
    return {name: value for name, value in data.items() if name not in videos}, videos


def read_state(out: Path) -> dict[str, Any]:
    """Reads the state of each step, by name: ``state``, ``seconds`` and ``error``."""
    file = out / FOLDER / STATE_FILE
    if not file.is_file():
        return {}
    try:
        found = read_json(read_text(file), STATE_FORMAT)["steps"]
        return {str(name): dict(each) for name, each in found.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file}: is not the state of a run's steps ({error}).") from None


def write_state(out: Path, steps: dict[str, Any]) -> None:
    """Writes the state of each step."""
    write_json(out / FOLDER / STATE_FILE, {"format": STATE_FORMAT, "steps": steps})

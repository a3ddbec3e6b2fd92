"""Go from a folder of videos to a served network: runs the commands below in order."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, training
from vdroppath_tf.commands import derive, evaluate, export, predict, report, test, train, trials
from vdroppath_tf.commands.choices import TRIALS
from vdroppath_tf.commands.flag_kinds import arguments_of, define_string, no_effect
from vdroppath_tf.commands.next_step import say_next, say_or_serve, saying_nothing
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import verbosity_of_training
from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags
from vdroppath_tf.commands.run_data import (
    described,
    look_over,
    open_parts,
    root_of,
    write_parts,
)
from vdroppath_tf.commands.run_outputs import FILES, done_steps, lost_of_step
from vdroppath_tf.commands.run_plan import (
    FOLDER,
    KEPT,
    PLAN_FILE,
    Step,
    check_has_plan,
    check_same_plan,
    fields_of,
    read_plan,
    read_state,
    steps_of,
    write_state,
)
from vdroppath_tf.commands.run_recipe import FITTED, fitted
from vdroppath_tf.commands.run_table import plan_table, time_table
from vdroppath_tf.commands.sources import define_faults, define_formats, define_source
from vdroppath_tf.data.remote import urls
from vdroppath_tf.files import write_json, write_text
from vdroppath_tf.training.signals import TERMINATED

EXAMPLE = "vdroppath run videos --out=run"
_STEPS: dict[str, Any] = {
    "train": train,
    "evaluate": evaluate,
    "derive": derive,
    "trials": trials,
    "test": test,
    "export": export,
    "report": report,
    "predict": predict,
}
_OWN = ("out", "verbosity", "dry_run")
# to commands that read videos
_PASSED = ("frame_template", "first_frame", "allow_open_end", "max_bad_fraction")


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_source(values, "data", "videos; may also be the first argument")
    define_source(
        values, "validation", "validation videos; default: split from --data", in_data=True
    )
    text = "test videos; default: split from --validation or --data"
    define_source(values, "test", text, in_data=True)
    define_formats(values)
    define_faults(values)
    text = "folder for everything; the same command continues a stopped run"
    mark = f"{FOLDER}/{PLAN_FILE}|{FOLDER}/{training.LOCK_FILE}|" + "|".join(KEPT)
    define_output(values, "out", text, mark=mark, folder=True, needed=True)
    define_recipe(values, FITTED)
    text = "initial weights of the template: imagenet, a file of weights, a model or a run's folder"
    define_string(values, "init", text)
    text = "number of strategies drawn from the space and scored"
    flags.DEFINE_integer("draws", 50, text, lower_bound=1, flag_values=values)
    text = "also train strategies stand-alone and keep the best network: see vdroppath trials"
    flags.DEFINE_boolean("trials", False, text, flag_values=values)
    trials.define_trials(values, "with --trials: ")
    text = (
        "regular expression for the names of videos; videos with the same match stay in one part "
        "of the split (default: that of UCF101, for names of its form)"
    )
    define_string(values, "group", text)
    text = "print the plan, rehearse the training to estimate its time, and write nothing"
    flags.DEFINE_boolean("dry_run", False, text, flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Makes or reads the plan, then runs the steps that are not done."""
    take_source(values, arguments)
    go(values, recipe_of_flags(values))
    if not values.dry_run:
        served = str(Path(values.out) / "served" / "1")
        say_next("predict", "VIDEO ...", model=served)
        say_or_serve(served)


def go(values: flags.FlagValues, recipe: training.Recipe) -> None:
    """Makes the plan, then runs its steps.

    Args:
        values: The flags of the command.
        recipe: The recipe of the flags, or another one at the place that they name.
    """
    out, tried = Path(values.out), _trials(values)
    check_has_plan(out)
    parts = open_parts(values, recipe.modality, recipe.seed)
    about = described(parts)
    by_number = recipe.sampling.fps is None  # of frames, so that rates matter
    sizes = functools.cache(lambda: data.frame_sizes(list(parts.values()), rates=by_number))
    recipe = fitted(values, recipe, len(parts["train"]), sizes)
    root = root_of(values)
    steps = _steps(values, out, root, parts, tried)
    chosen = {"draws": values.draws, "init": values.init}
    if tried is not None:  # plans from before this flag remain valid without it
        chosen["trials"] = dataclasses.asdict(trials.trials_of(values))
    fields = fields_of(_given(values), recipe, about, chosen, steps)
    old = read_plan(out)
    if old is not None:
        check_same_plan(out, old, fields)
    found = sizes() if by_number else None
    rates = None if found is None else found.rates
    lost = done_steps(out, read_state(out), [step.name for step in steps])
    print(plan_table(out, recipe, parts, steps, lost, rates, values.draws), flush=True)
    if values.dry_run:
        if lost.get(steps[0].name) != "":
            print(time_table(recipe, parts, values.max_bad_fraction), flush=True)
        return
    with training.run_lock(out / FOLDER):
        if old is None:
            write_parts(out, look_over(values, parts), root)
            write_text(out / FOLDER / "recipe.json", recipe.to_json() + "\n")
            write_json(out / FOLDER / PLAN_FILE, fields)
        elif old["versions"] != fields["versions"]:
            logging.warning("%s: was started with other versions: %s", out, old["versions"])
        _run_steps(out, steps)


def take_source(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Sets --data to the first argument, if given."""
    if len(arguments) > 1 or (arguments and values.data is not None):
        raise ValueError(f"Expected one folder or list of videos. Received: {' '.join(arguments)}")
    if arguments:
        values.data = arguments[0]
    if values.data is None:
        raise ValueError("Pass a folder or a list of videos: vdroppath run VIDEOS --out=DIR.")
    for name in ("data", "validation", "test"):
        if (given := values[name].value) is not None and urls.is_remote(given):
            raise ValueError(
                f"--{name}={urls.shown(given)}: is a URL. Expected videos on this machine: copy "
                "them here, or use vdroppath train and the other commands, which read records at a "
                "URL."
            )
    source, out = os.path.realpath(values.data), os.path.realpath(values.out)
    if os.path.isdir(source) and os.path.commonpath([source, out]) == source:
        raise ValueError(
            f"--out={values.out}: is inside the folder of videos, {values.data}, and would be read "
            "as one of its classes. Pass another folder."
        )


def _given(values: flags.FlagValues) -> list[str]:
    """Returns the given flags, so that they can be given again."""
    names = [name for name in values if values[name].present or name == "data"]
    return arguments_of(values, [name for name in names if name not in _OWN])


def _trials(values: flags.FlagValues) -> list[str] | None:
    """How strategies are tried; None where they are not.

    Raises:
        ValueError: If a flag says how, and none that they are.
    """
    given = [name for name in TRIALS if values[name].present]
    if not values.trials:
        if given:
            raise no_effect(given[0], "trials")
        return None
    trials.trials_of(values)
    return arguments_of(values, given)


def _steps(
    values: flags.FlagValues,
    out: Path,
    root: str | None,
    parts: dict[str, data.Manifest],
    tried: list[str] | None,
) -> list[Step]:
    more = arguments_of(values, [name for name in _PASSED if values[name].present])
    paths = [entry.path for entry in parts["test"] if os.path.isfile(entry.path)]
    shown = os.path.abspath(paths[0]) if paths else None
    given: dict[str, Any] = {"draws": values.draws, "init": values.init, "trials": tried}
    return steps_of(out, root, **given, more=more, shown=shown)


def _run_steps(out: Path, steps: list[Step]) -> None:
    from vdroppath_tf.training.shown import show  # Keras, not needed for --help

    state, names = read_state(out), [step.name for step in steps]
    for n, step in enumerate(steps, 1):
        lost = lost_of_step(out, step.name, names)
        if not lost and state.get(step.name, {}).get("state") == "done":
            continue
        if verbosity_of_training():
            show(f"[{n}/{len(steps)}] {step.name}: {step.line}")
        began = time.time()
        state[step.name] = {"state": "running", "began": began}
        write_state(out, state)
        try:
            if lost or step.command in ("train", "trials", "export", "report"):
                _call(out, step)
        except BaseException as error:
            said = words_of(error)
            failed = "failed" if isinstance(error, Exception) else "stopped"
            state[step.name] = {"state": failed, "error": said}
            write_state(out, state)
            raise
        state[step.name] = {"state": "done", "seconds": time.time() - began}
        write_state(out, state)


def words_of(error: BaseException) -> str:
    """What stopped a step, in words that are no exit code."""
    if isinstance(error, SystemExit) and error.code == TERMINATED:
        return "stopped by SIGTERM"
    if isinstance(error, BrokenPipeError):
        return "stopped, as the pipe that its output went to was closed"
    return str(error) or type(error).__name__


def _call(out: Path, step: Step) -> None:
    """Runs a command as the command line does, without a suggestion of the next one."""
    module = _STEPS[step.command]
    values = flags.FlagValues()
    module.define(values)
    positional = values(["vdroppath", *step.arguments])[1:]
    kept = step.command == "predict"
    with saying_nothing(), _copied(kept) as text:
        module.run(values, positional)
    if kept:
        write_text(out / FILES[step.name][0], text.getvalue())


@contextlib.contextmanager
def _copied(wanted: bool) -> Iterator[io.StringIO]:
    """Captures what is printed while also printing it."""
    text = io.StringIO()
    if not wanted:
        yield text
        return
    with contextlib.redirect_stdout(text):
        yield text
    sys.stdout.write(text.getvalue())

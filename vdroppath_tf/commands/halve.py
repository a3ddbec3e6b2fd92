"""Halve the temporal resolution on a known-answer task: does the space shift (Fig. 6)?"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags, logging

from vdroppath_tf import experiments, figures
from vdroppath_tf.commands.choices import QUICKSTART_CLIPS, TASKS
from vdroppath_tf.commands.flag_kinds import define_processes, processes_of
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags
from vdroppath_tf.files import write_json

if TYPE_CHECKING:
    import numpy as np

EXAMPLE = "vdroppath halve --task=motion --speed=4 --seeds=3 --out=halve"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "folder for clips, runs, spaces, shift.json, shift.svg"
    define_output(values, "out", text, "halve", mark="clips/*/task.json", folder=True)
    flags.DEFINE_enum("task", "motion", TASKS, "known-answer task", flag_values=values)
    text = "number of trainings at each resolution, with seeds from --seed on"
    flags.DEFINE_integer("seeds", 3, text, lower_bound=1, flag_values=values)
    text = "motion of a shape from one frame to the next, in pixels, at full resolution"
    flags.DEFINE_float("speed", 4.0, text, flag_values=values)
    text = "numbers of clips for training, validation and test"
    flags.DEFINE_list("clips", [str(n) for n in QUICKSTART_CLIPS], text, flag_values=values)
    define_processes(values, "trainings")
    define_recipe(values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains at both resolutions, and writes the spaces and their shift as numbers and a figure."""
    setting, out = _setting(values), Path(values.out)
    where = {"processes": processes_of(values), "cluster": values.cluster}
    found = experiments.run_halving(setting, out, **where, log=logging.info)
    print("\n".join(table(found)))
    write_json(out / "shift.json", fields(found))
    figures.figure_shift(found.shift).savefig(out / "shift.svg")
    logging.info("Wrote %s and %s", out / "shift.json", out / "shift.svg")


def _setting(values: flags.FlagValues) -> experiments.Setting:
    try:
        clips = tuple(int(n) for n in values.clips)
    except ValueError:
        raise ValueError(f"--clips={','.join(values.clips)}: expected three numbers.") from None
    recipe = recipe_of_flags(values)

    from vdroppath_tf.experiments.quickstart import DIFFICULTY

    difficulty = dataclasses.replace(DIFFICULTY, speed=values.speed)
    return experiments.Setting(values.task, recipe, values.seeds, clips, difficulty)


def table(found: experiments.Halving) -> list[str]:
    """Returns lines: each seed, each layer's shift, and the distance relative to the seeds'."""
    shift, setting = found.shift, found.setting
    before, after = shift.names
    lines = [
        f"{setting.task}, {setting.recipe.sampling.frames} frames, {setting.difficulty.speed:g} "
        f"pixels a frame. P(S on) - P(ST on), mean over layers (Eq. 7's form); top-1 of the mode:"
    ]
    for n, seed in enumerate(setting.all_seeds):
        leans = ", ".join(
            f"{name} {shift.lean[k, n]:+.3f} (top-1 {found.learned[name][n].top1:.3f})"
            for k, name in enumerate(shift.names)
        )
        lines.append(f"  seed {seed}: {leans}, shift {shift.shift[n]:+.3f}")
    lines += [shift.verdict, "", f"layer, means over seeds, {before} -> {after}"]
    units = {unit: shift.unit(unit).mean(axis=1) for unit in ("S", "ST")}
    lean = shift.lean_by_layer.mean(axis=1)
    width = max(map(len, shift.comparison.layers))
    for n, layer in enumerate(shift.comparison.layers):
        cells = [_change(f"P({unit})", values[:, n]) for unit, values in units.items()]
        cells.append(_change("P(S on)-P(ST on)", lean[:, n], sign="+"))
        lines.append(f"  {layer:{width}s}  {'  '.join(cells)}")
    return [*lines, "", *_distances(found)]


def _change(name: str, values: np.ndarray, sign: str = "") -> str:
    before, after = values
    return f"{name} {before:{sign}.3f} -> {after:{sign}.3f} ({after - before:+.3f})"


def _distances(found: experiments.Halving) -> list[str]:
    comparison = found.shift.comparison
    before, after = comparison.names
    distance = comparison.distance
    lines = [f"distance of the spaces, {before} to {after}: {distance[0, 1]:.3f}"]
    if found.setting.seeds > 1:
        lines[0] += f"; between seeds: {before} {distance[0, 0]:.3f}, {after} {distance[1, 1]:.3f}"
    return lines


def fields(found: experiments.Halving) -> dict[str, object]:
    """Returns the result as plain values."""
    shift, setting = found.shift, found.setting
    distance = shift.comparison.distance
    return {
        "format": "vdroppath_tf.shift/1",
        "task": setting.task,
        "difficulty": dataclasses.asdict(setting.difficulty),
        "recipe": json.loads(setting.recipe.to_json()),
        "seeds": list(setting.all_seeds),
        "names": list(shift.names),
        "layers": list(shift.comparison.layers),
        "top1": [[one.top1 for one in found.learned[name]] for name in shift.names],
        "lean by seed and layer": shift.lean_by_layer.tolist(),
        "P(S) by seed and layer": shift.unit("S").tolist(),
        "shift": shift.shift.tolist(),
        "interval": None if setting.seeds < 2 else list(shift.interval),
        "distance": [[None if math.isnan(x) else float(x) for x in row] for row in distance],
        "verdict": shift.verdict,
    }

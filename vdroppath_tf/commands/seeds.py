"""Runs a training for each of several seeds in parallel: ``vdroppath train --seeds=3``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from absl import flags, logging

from vdroppath_tf import analysis, spaces
from vdroppath_tf.commands import stability
from vdroppath_tf.commands.flag_kinds import arguments_of, define_processes, no_effect, processes_of
from vdroppath_tf.files import write_json

_OWN = ("seeds", "seed", "out", "backup", "processes", "cluster", "verbosity")


def define_seeds(values: flags.FlagValues) -> None:
    """Defines the flag ``--seeds``, and those for where its trainings run."""
    text = "number of trainings, with seeds from --seed on, each in a folder seed-N of --out"
    flags.DEFINE_integer("seeds", 1, text, lower_bound=1, flag_values=values)
    define_processes(values, "trainings of --seeds")


def check_seeds(values: flags.FlagValues) -> None:
    """Refuses the flags for the processes of several trainings if there is only one.

    Raises:
        ValueError: Naming the flag.
    """
    given = [name for name in ("processes", "cluster") if values[name].value is not None]
    if given and values.seeds == 1:
        raise no_effect(given[0], "seeds=2", note="or more seeds")


def train_seeds(values: flags.FlagValues, train: Callable[..., None]) -> None:
    """Trains with every seed; for templates, then compares their spaces.

    Args:
        values: The flags of the command.
        train: Called in a process with a name, and the arguments of the command with one seed.
    """
    from vdroppath_tf.experiments.processes import in_processes

    names = [name for name in values if values[name].present and name not in _OWN]
    given = arguments_of(values, names)
    seeds = range(values.seed or 0, (values.seed or 0) + values.seeds)
    jobs = [(f"seed {seed}", [*given, *_of_seed(values, seed)]) for seed in seeds]
    where = {"processes": processes_of(values), "cluster": values.cluster}
    in_processes(train, jobs, **where, log=logging.info)
    if values.strategy is None:
        out = Path(values.out)
        files = [out / f"seed-{seed}" / "space.json" for seed in seeds]
        found = analysis.stability([spaces.ProbabilitySpace.load(file) for file in files])
        print("\n".join(stability.table(found)))
        write_json(out / "stability.json", stability.fields(found))
        logging.info("Wrote %s", out / "stability.json")


def _of_seed(values: flags.FlagValues, seed: int) -> list[str]:
    """Returns the flags for one seed, with a separate folder and backup."""
    own = [f"--seed={seed}", f"--out={values.out}/seed-{seed}"]
    return own if values.backup is None else [*own, f"--backup={values.backup}/seed-{seed}"]

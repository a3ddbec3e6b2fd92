"""Run the whole loop on small known-answer tasks and write a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from absl import flags, logging

from vdroppath_tf import experiments
from vdroppath_tf.commands.flag_kinds import define_processes, processes_of
from vdroppath_tf.commands.places import define_output

EXAMPLE = "vdroppath quickstart --out=quickstart"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "folder for clips, runs and the report"
    define_output(values, "out", text, "quickstart", mark="clips/*/task.json", folder=True)
    define_processes(values, "tasks")
    flags.DEFINE_integer("seed", 0, "seed of clips, weights and noise", flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Runs the known-answer tasks and writes a report."""
    experiments.run_quickstart(
        Path(values.out),
        seed=values.seed,
        processes=processes_of(values),
        cluster=values.cluster,
        log=logging.info,
    )

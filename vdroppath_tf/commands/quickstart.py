"""Run the whole loop on two small known-answer tasks and write a report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from absl import flags, logging

from vdroppath_tf.commands.files import define_string
from vdroppath_tf.experiments.quickstart import run_quickstart

EXAMPLE = "vdroppath quickstart --out=quickstart"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "out", "folder for clips, runs and the report", "quickstart")
    text = "tasks at a time, each in a process of its own; default: one for each core"
    flags.DEFINE_integer("processes", None, text, lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "of clips, weights and noise", flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Motion and appearance through the whole loop, and a report."""
    processes = values.processes or len(os.sched_getaffinity(0))
    run_quickstart(Path(values.out), seed=values.seed, processes=processes, say=logging.info)

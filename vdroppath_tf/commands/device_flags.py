"""The flags for where a training runs: devices, worker processes, restarts."""

from __future__ import annotations

from typing import Any

from absl import flags

from vdroppath_tf import training
from vdroppath_tf.commands.flag_kinds import define_string


def define_devices(values: flags.FlagValues) -> None:
    """Defines ``--devices``, its older name ``--mirrored``, ``--workers`` and ``--restarts``."""
    text = (
        "devices to train on: 1, all (GPUs of this machine), a number of them, or multiworker: "
        "those of all machines in TF_CONFIG or the SLURM job"
    )
    define_string(values, "devices", text, "1")
    text = "older name of --devices=all"
    flags.DEFINE_boolean("mirrored", False, text, flag_values=values)
    text = "number of processes on this machine that train together and share its GPUs"
    flags.DEFINE_integer("workers", None, text, lower_bound=1, flag_values=values)
    text = "how often to restart a training whose process died, from its last checkpoint"
    flags.DEFINE_integer("restarts", None, text, lower_bound=0, flag_values=values)


def supervised(values: flags.FlagValues) -> bool:
    """Whether the training runs in separate processes, which this one monitors."""
    return values.workers is not None or values.restarts is not None


def check_devices(values: flags.FlagValues, batch_size: int) -> None:
    """Raises a ValueError if the flags contradict each other, before anything starts.

    Raises:
        ValueError: If they contradict each other.
    """
    if values.mirrored and values.devices not in ("1", "all"):
        raise ValueError(f"--mirrored is --devices=all, but --devices={values.devices} is given.")
    if values.workers and values.workers > 1 and (values.mirrored or values.devices != "1"):
        raise ValueError(
            "--workers=N starts processes of this machine that share its devices. Leave out "
            "--devices and --mirrored."
        )
    if supervised(values) and values.seeds > 1:
        raise ValueError("--workers and --restarts are for one training. Leave out --seeds.")
    if values.workers and batch_size % values.workers:
        raise ValueError(
            f"--workers={values.workers} cannot share a batch of {batch_size} clips evenly. Pass a "
            f"--batch_size that is a multiple of {values.workers}."
        )


def strategy_of(values: flags.FlagValues, batch_size: int) -> Any:
    """Returns the ``tf.distribute`` strategy for the flags."""
    devices = "all" if values.mirrored else values.devices
    return training.strategy_for(devices, batch_size=batch_size)

"""Selects the devices of a run: one, some or all of a machine, or of several machines."""

from __future__ import annotations

import os

import tensorflow as tf

from vdroppath_tf.names import named
from vdroppath_tf.training.cluster import TF_CONFIG, cluster_of_environment

MULTIWORKER = "multiworker"


@named
def strategy_for(
    devices: int | str = 1, *, batch_size: int | None = None
) -> tf.distribute.Strategy:
    """Returns the ``tf.distribute`` strategy in whose scope a model must be built.

    Args:
        devices: ``1``, ``"all"`` GPUs of this machine, a number of them (or of the CPU's logical
            devices if there is no GPU), or ``"multiworker"``: those of all machines that
            ``TF_CONFIG`` or SLURM lists. ``"multiworker"`` must be selected before TensorFlow has
            computed anything.
        batch_size: The number of clips in a step, which all devices share. Defaults to None, if it
            is not yet known.

    Returns:
        A ``MirroredStrategy``, a ``MultiWorkerMirroredStrategy`` or, for one device, the current
        strategy.

    Raises:
        ValueError: If the devices do not exist, or the batch cannot be divided evenly among them.

    Example:
    ```python
    with strategy_for("all", batch_size=recipe.batch_size).scope():
        model = build_template(recipe, videos)
    ```
    """
    if devices == MULTIWORKER:
        cluster = cluster_of_environment()
        _check_batch(batch_size, len(cluster.workers), f"{len(cluster.workers)} workers")
        os.environ[TF_CONFIG] = cluster.tf_config()
        strategy: tf.distribute.Strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif devices in (1, "1"):
        return tf.distribute.get_strategy()
    else:
        strategy = tf.distribute.MirroredStrategy(_local_devices(devices))
    count = strategy.num_replicas_in_sync
    _check_batch(batch_size, count, f"{count} devices")
    return strategy


def _check_batch(batch_size: int | None, count: int, what: str) -> None:
    if batch_size is not None and batch_size % count:
        raise ValueError(
            f"{what} cannot share a batch of {batch_size} clips evenly. Pass a batch_size that is "
            f"a multiple of {count}, or another number of devices."
        )


def _local_devices(devices: int | str) -> list[str]:
    """Returns the names of the requested devices of this machine."""
    gpus = tf.config.list_logical_devices("GPU")
    found = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if devices == "all":
        return found
    try:
        count = int(devices)
    except ValueError:
        count = 0
    if isinstance(devices, float) or count < 1:
        raise ValueError(
            f"devices={devices} is unknown. Expected 1, all, a number of devices, or {MULTIWORKER}."
        )
    if count > len(found):
        kind = "GPU" if gpus else "CPU, and no GPU that TensorFlow can use"
        raise ValueError(
            f"devices={count} needs {count} devices, but this machine has {len(found)} {kind}. "
            "Pass devices=all to use all of them."
        )
    return found[:count]

"""Run by test_resume: a training that is killed in the middle of an epoch.

python killed_run.py TASK_FOLDER RUN_FOLDER REPLICAS STEPS
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf
import tiny

from vdroppath_tf.training import RunFolder


def main() -> None:
    task, folder, replicas, steps = sys.argv[1:]
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    scope: Any = contextlib.nullcontext
    if replicas == "2":
        scope = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]).scope
    done = itertools.count(1)

    def on_step() -> None:
        if next(done) == int(steps):
            os.kill(os.getpid(), signal.SIGKILL)

    clips = tiny.clips_of(tiny.write(Path(task)))
    recipe = tiny.recipe() if replicas == "1" else tiny.recipe(0, 2)
    kept = RunFolder(folder, save_every=1)
    tiny.run_template(clips, recipe, kept, scope=scope, on_step=on_step)


if __name__ == "__main__":
    main()

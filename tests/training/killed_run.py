"""Run by test_resume: a training that is killed in the middle of an epoch.

python killed_run.py TASK_FOLDER RUN_FOLDER STEPS
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

import tiny

from vdroppath_tf.training import RunFolder


def main() -> None:
    task, folder, steps = sys.argv[1:]
    done = itertools.count(1)

    def on_step() -> None:
        if next(done) == int(steps):
            os.kill(os.getpid(), signal.SIGKILL)

    clips = tiny.clips_of(tiny.write(Path(task)))
    tiny.run_template(clips, tiny.recipe(), RunFolder(folder, save_every=1), on_step=on_step)


if __name__ == "__main__":
    main()

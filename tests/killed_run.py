"""A training that sends itself a signal in the middle of an epoch, run by tests in its own process.

python killed_run.py TASK_FOLDER RUN_FOLDER SIGNAL STEPS [STEPS ...]

Each number of steps is one run in the folder, which gets the signal after so many steps of its own.
A run that stops by itself prints its exit code, its last checkpoint, whether the handler of
SIGTERM was restored, and whether the progress that it noted is that of the checkpoint.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import tiny

from vdroppath_tf.training import RunFolder, read_progress
from vdroppath_tf.training.position import Position

HERE = Path(__file__).parent


def started(task: Path, folder: Path, sent: signal.Signals, *steps: int) -> tuple[int, str, str]:
    """Starts this file as a process. Returns its exit code, its output and its errors."""
    command = [sys.executable, __file__, task, folder, sent.name, *steps]
    path = os.pathsep.join([str(HERE), str(HERE.parent)])
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _after(steps: int, sent: signal.Signals) -> Callable[[], None]:
    done = itertools.count(1)

    def on_step() -> None:
        if next(done) == steps:
            os.kill(os.getpid(), sent)

    return on_step


def main() -> None:
    task, folder, sent, *stops = sys.argv[1:]
    clips = tiny.clips_of(tiny.write(Path(task)))
    every = 1 if sent == "SIGKILL" else None
    for steps in stops:
        kept = RunFolder(folder, save_every=every)
        try:
            on_step = _after(int(steps), signal.Signals[sent])
            tiny.run_template(clips, tiny.recipe(), kept, on_step=on_step)
        except SystemExit as stopped:
            names = sorted(path.name for path in Path(folder).glob("checkpoint-*"))
            restored = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            noted = read_progress(Path(folder))
            assert noted is not None
            assert noted.state == "stopped"
            reached = Position(noted.number, noted.epoch, steps=noted.step)
            print(stopped.code, names[-1], restored, reached.name == names[-1])


if __name__ == "__main__":
    main()

"""Measures how long the command line takes to answer what needs no TensorFlow.

    python scripts/time_commands.py

Prints seconds of processor time of the whole process, the least of three, for the program's help,
its version, its table of networks, and each command's help and a mistake in its flags. The aim is
at most half a second each. A test asserts what is not imported; the time is for people to look at.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from vdroppath_tf.cli import COMMANDS

RUNS = 3


def processor_seconds(arguments: list[str]) -> float:
    """Of one process: its own code and the kernel's work for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "vdroppath_tf", *arguments]
    subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """A line for each call."""
    calls = [["--help"], ["--version"], ["models"]]
    calls += [[name, flag] for name in COMMANDS for flag in ("--help", "--hlep")]
    for call in calls:
        least = min(processor_seconds(call) for _ in range(RUNS))
        print(f"{least:.2f} s  vdroppath {' '.join(call)}", flush=True)


if __name__ == "__main__":
    main()

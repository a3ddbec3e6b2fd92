"""Measures how long the command line takes for calls that need no TensorFlow.

    python scripts/time_commands.py

Prints the processor time of the whole process in seconds, the least of three runs, for the
program's help, its version and its table of networks, and for each command's help and a misspelt
flag. The target is at most half a second each. A test asserts which modules are not imported; times
are never asserted.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

from vdroppath_tf.cli import COMMANDS

RUNS = 3


def processor_seconds(arguments: list[str]) -> float:
    """Returns the processor time of one call in seconds, in user and in kernel mode."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "vdroppath_tf", *arguments]
    subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Prints a line for each call."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    calls = [["--help"], ["--version"], ["models"]]
    calls += [[name, flag] for name in COMMANDS for flag in ("--help", "--hlep")]
    for call in calls:
        least = min(processor_seconds(call) for _ in range(RUNS))
        print(f"{least:.2f} s  vdroppath {' '.join(call)}", flush=True)


if __name__ == "__main__":
    main()

"""Abuses every command in every way, and counts the outcomes: any error must be a clear message.

    python scripts/abuse/abuse_table.py --every=1
    python scripts/abuse/abuse_table.py --group=files --only='report' --details

The inputs are made in a temporary folder: clips, lists, a trained template network and everything
that commands make of it. Each case damages one file, gives one flag an invalid value, forges one
field, or leaves no room on the disk, and runs the command. `clear` is an error of one line that
describes the problem; `passed` is a success that is right too; `traceback`, `hang`, `silent` (a
success on invalid inputs), `lost` (an error that changed an existing file) and `memory` are faults
of the package. The exit status is 1 if there is a fault.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from absl import app, flags
from abuse_case import WRONG
from abuse_cases import cases
from abuse_home import make_home

ROOM = 6 << 30
"""The memory that the process may have in all, in bytes."""
OUTCOMES = ("clear", "passed", *WRONG)

_EVERY = flags.DEFINE_integer("every", 25, "run one case in this many", lower_bound=1)
_GROUP = flags.DEFINE_string("group", "", "files, values, forged or disk. Defaults to all")
_ONLY = flags.DEFINE_string("only", "", "regular expression that the cases' names contain")
_DETAILS = flags.DEFINE_bool("details", False, "whether to print every case")
_PART = flags.DEFINE_list("part", ["0", "1"], "part to run, of how many equal ones, such as 0,2")


def main(_: list[str]) -> int:
    """Prints the faults as they occur, and the table; returns the exit status."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    resource.setrlimit(resource.RLIMIT_DATA, (ROOM, ROOM))  # protects other processes
    part, parts = map(int, _PART.value)
    chosen = list(cases(_EVERY.value, _GROUP.value, _ONLY.value))[part::parts]
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        home, whole = Path(folder, "home"), Path(folder, "whole")
        home.mkdir()
        make_home(home)
        shutil.copytree(home, whole)
        os.chdir(folder)
        for case in chosen:
            outcome, reason = case.outcome(whole, home)
            counts[case.group][outcome] += 1
            if _DETAILS.value or outcome in WRONG:
                print(f"{outcome:9}  {case.group}: {case.name}\n           {reason}", flush=True)
    print(f"{'':8} {'cases':>6} " + " ".join(f"{outcome:>9}" for outcome in OUTCOMES))
    for group, count in counts.items():
        row = " ".join(f"{count[outcome]:9}" for outcome in OUTCOMES)
        print(f"{group:8} {count.total():6} {row}")
    return int(any(count[outcome] for count in counts.values() for outcome in WRONG))


if __name__ == "__main__":
    app.run(main)

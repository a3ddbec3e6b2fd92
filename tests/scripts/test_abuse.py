"""A few of the abuses of `scripts/abuse`, and that the script tells faults from clear messages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from abuse_case import WRONG, Case
from abuse_cases import cases
from abuse_home import make_home

from vdroppath_tf import cli


def clear(_: list[str]) -> int:
    print("vdroppath space: --model: is damaged.", file=sys.stderr)
    return 1


def two_messages(_: list[str]) -> int:
    return clear([]) and clear([])


def traceback(_: list[str]) -> int:
    raise KeyError("phase")


def destroys(arguments: list[str]) -> int:
    Path(arguments[0], "input").write_text("gone")
    return clear([])


@pytest.mark.parametrize(
    ("command", "may_pass", "outcome"),
    [
        (clear, False, "clear"),
        (lambda _: 0, True, "passed"),
        (lambda _: 0, False, "silent"),
        (lambda _: 1, False, "traceback"),
        (two_messages, False, "traceback"),
        (traceback, False, "traceback"),
        (destroys, False, "lost"),
    ],
)
def test_what_is_a_fault(
    command: Callable[[list[str]], int],
    may_pass: bool,
    outcome: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "main", command)
    whole, home = tmp_path / "whole", tmp_path / "home"
    whole.mkdir()
    (whole / "input").write_text("precious")
    case = Case("files", "a", ("{home}",), may_pass=may_pass)
    assert case.outcome(whole, home)[0] == outcome


WAITS = """
import sys, time, abuse_case
from pathlib import Path
from vdroppath_tf import cli

abuse_case.PATIENCE, cli.main = 1, lambda _: time.sleep(60)
print(abuse_case.Case("files", "a", ("{home}",)).outcome(*map(Path, sys.argv[1:]))[0])
"""


def test_what_hangs_is_stopped(tmp_path: Path) -> None:
    """In a process of its own: the signal of the clock has ended one that had run other tests."""
    (tmp_path / "whole").mkdir()
    command = [sys.executable, "-c", WAITS, str(tmp_path / "whole"), str(tmp_path / "home")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "hang\n"


def test_there_are_many_cases() -> None:
    counts = Counter(case.group for case in cases())
    assert counts["files"] >= 600
    assert counts["values"] >= 400
    assert counts["forged"] >= 300
    assert counts["disk"] >= 40


def test_some_of_them(tmp_path: Path) -> None:
    home, whole = tmp_path / "home", tmp_path / "whole"
    home.mkdir()
    make_home(home)
    shutil.copytree(home, whole)
    for case in cases(every=601):
        outcome, reason = case.outcome(whole, home)
        assert outcome not in WRONG, f"{case.group}: {case.name}: {reason}"

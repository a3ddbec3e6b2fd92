"""The account of a run: bars on a terminal, elsewhere a line an epoch."""

from __future__ import annotations

import io
import sys

import pytest
from absl import logging

from vdroppath_tf.commands.progress import bar, showing, verbosity_of_training
from vdroppath_tf.experiments.account import Account


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def train(lines: list[str]) -> None:
    with Account("motion", log=lines.append).steps("template", 6, 3) as step:
        for _ in range(6):
            step()
    with bar("convert", "videos", 3) as shown:
        shown.update(3)


def test_a_line_an_epoch_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    train(lines)
    assert lines == [f"template: epochs trained in this run: {n}" for n in (1, 2)]
    assert capsys.readouterr() == ("", "")


def test_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for each step of weight 1, after a first step that takes long."""
    now = [0.0]
    monkeypatch.setattr("vdroppath_tf.experiments.account.time.perf_counter", lambda: now[0])
    lines: list[str] = []
    account = Account("motion", log=lines.append)
    account.expect(2 * 4 + 200)
    for name, steps, per_epoch, weight in (("template", 4, 2, 2.0), ("S", 200, 100, 1.0)):
        with account.steps(name, steps, per_epoch, weight=weight) as step:
            for number in range(steps):
                now[0] += weight if number else 500.0
                step()
    left = [line.partition("; training takes about ")[2] for line in lines]
    assert left == [f"{time} more" for time in ("3 min 24 s", "3 min 20 s", "1 min 40 s", "0.0 s")]


def test_the_time_that_is_left_of_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trains, 9 s, before the first of its two batches of validation clips is seen."""
    now = [0.0]
    monkeypatch.setattr("vdroppath_tf.experiments.account.time.perf_counter", lambda: now[0])
    lines: list[str] = []
    account = Account("motion", log=lines.append)
    account.expect(6)
    with account.steps("trials", 6, 2, unit="strategies", first=True) as step:
        for number in range(6):
            now[0] += 1.0 if number % 2 else 9.0
            step()
    assert [line.partition("takes about ")[2] for line in lines] == [
        "20 s more",
        "10 s more",
        "0.0 s more",
    ]


def test_the_time_that_is_left_is_not_told_by_a_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    account = Account("motion", log=lines.append)
    account.expect(3)
    with account.steps("S", 3, 1) as step:
        for _ in range(3):
            step()
    assert ["more" in line for line in lines] == [False, True, True]


def test_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", Terminal())
    lines: list[str] = []
    train(lines)
    assert lines == []
    shown = terminal.getvalue()
    assert "motion: template" in shown
    assert "3/3" in shown


def test_a_line_an_epoch_unless_only_warnings_are_wanted() -> None:
    before = logging.get_verbosity()
    try:
        for level, wanted in ((logging.INFO, 1), (logging.WARNING, 0)):
            logging.set_verbosity(level)
            assert verbosity_of_training() == wanted
            with showing(1 - wanted):  # a call from Python says so itself
                assert verbosity_of_training() == 1 - wanted
    finally:
        logging.set_verbosity(before)

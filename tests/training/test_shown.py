"""What a run shows: a line an epoch, its steps in a bar on a terminal, nothing twice."""

from __future__ import annotations

import io
import sys

import pytest
from absl import logging

from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.shown import StepBar, epoch_line, show, speed_words

SEARCH = Phase("search", 16, 0.05, gates=True)
LOGS = {"loss": 6.13, "task_loss": 1.93, "kl": 4.2, "top1": 0.4123, "bad_clips": 0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_epoch_in_a_line() -> None:
    assert epoch_line(SEARCH, 3, LOGS) == (
        "search, epoch 3 of 16: task loss 1.93, KL 4.2 (prior), top1 0.412"
    )
    warmup = Phase("warmup", 4, 0.05)
    logs = {**LOGS, "val_loss": 1.8, "val_top1": 0.4531, "bad_clips": 2, "val_bad_clips": 1.0}
    assert epoch_line(warmup, 4, logs) == (
        "warmup, epoch 4 of 4: task loss 1.93, KL off, top1 0.412; validation: loss 1.8, "
        "top1 0.453; 2 bad clips replaced; 1 bad clips left out"
    )
    derived = {"loss": 0.5, "top1": 1.0, "top5": 1.0, "val_loss": 12.0}
    assert epoch_line(Phase("finetune", 2, 0.01), 1, derived) == (
        "finetune, epoch 1 of 2: loss 0.5, top1 1, top5 1; validation: loss 12"
    )


def test_the_speed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdroppath_tf.training.shown.memory_bytes", lambda: {"host": 1.23e9})
    assert speed_words({}, 250.0) == ""
    assert speed_words({"clips/s": 41.33}, 0.0) == "41.3 clips/s; 1.2 GB"
    found = speed_words({"clips/s": 41.33, "waiting": 0.031}, 250.0)
    assert found == ("41.3 clips/s, 3% of it waiting for clips; 1.2 GB; about 4 min 10 s left")


def test_lines_are_printed_where_nobody_logs(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.get_verbosity()
    try:
        logging.set_verbosity(logging.WARNING)
        show("an epoch")
        assert capsys.readouterr() == ("an epoch\n", "")
        logging.set_verbosity(logging.INFO)
        show("an epoch")
        assert capsys.readouterr().out == ""
    finally:
        logging.set_verbosity(before)


def test_steps_in_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an epoch that was begun before; two steps may run as one."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = StepBar(SEARCH, 8, begun=(2, 3), measured=lambda: {"clips/s": 41.33})
    bar.on_epoch_begin(2)
    bar.on_train_batch_end(1, {"loss": 1.5})
    bar.on_train_batch_end(3, {"loss": 1.25})
    bar._bar.refresh()
    shown = terminal.getvalue().split("\r")[-1]
    assert "search, epoch 3 of 16" in shown
    assert "7/8" in shown
    assert "loss=1.25, clips/s=41.3" in shown
    bar.on_test_begin()
    assert "validation" in terminal.getvalue()
    bar.on_epoch_end(2)
    bar.on_epoch_begin(3)
    assert "0/8" in terminal.getvalue().split("\r")[-1]
    bar.on_epoch_end(3)

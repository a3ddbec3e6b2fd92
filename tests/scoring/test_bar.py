"""A bar of what is scored: on a terminal, and none beside the caller's."""

from __future__ import annotations

import io
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.scoring import bar as bars
from vdroppath_tf.scoring.arrays import batches_of
from vdroppath_tf.scoring.options import EvaluationOptions


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Data(keras.utils.PyDataset):
    num_batches = 4

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("a bar reads no batch")


def shown(monkeypatch: pytest.MonkeyPatch, options: EvaluationOptions, clips: object) -> str:
    """What is on a terminal after one strategy has seen a batch."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(bars, "_AFTER", 0.0)
    with bars.with_bar(options, 3, clips, [0, 0]) as found:  # type: ignore[arg-type]
        assert found.views == options.views
        if found.on_strategy is not None:
            found.on_strategy()
    return terminal.getvalue()


def test_a_bar_counts_strategies_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, EvaluationOptions(views=2), [0] * 4)
    assert "score 3 strategies" in text
    assert "/18 " in text  # 3 times 4 batches and 2 of recalibration
    once = EvaluationOptions(recalibration_batches=1)
    assert "/15 " in shown(monkeypatch, once, tf.data.Dataset.range(4))
    assert "/18 " in shown(monkeypatch, EvaluationOptions(), batches_of(Data()))
    assert "/12 " in shown(monkeypatch, EvaluationOptions(adapt_steps=1), [0] * 4)
    endless = shown(monkeypatch, EvaluationOptions(), iter([0]))
    assert "score 3 strategies" in endless
    assert "/" not in endless.split("[")[0]


def test_no_bar_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, EvaluationOptions(progress=False), [0]) == ""
    ticks: list[int] = []
    own = EvaluationOptions(on_strategy=lambda: ticks.append(1))
    assert shown(monkeypatch, own, [0]) == ""
    assert ticks == [1]

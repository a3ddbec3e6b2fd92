"""Processes that take turns: their times, ratios of times, and the ceiling of a matrix product."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import in_turns
import pytest
from in_turns import SIDE, Worker, ceiling, relative

SOURCE = """
import time
from in_turns import answer

answer({"sleep": lambda: time.sleep(0.3)}, {"version": "3"})
"""


def test_a_slow_round_does_not_change_a_ratio() -> None:
    assert relative([1.0, 30.0, 1.1], [2.0, 60.0, 2.0]) == 0.5


def test_rounds_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        relative([1.0, 2.0], [1.0])


def test_the_ceiling_of_the_product_itself_is_its_time() -> None:
    assert ceiling(SIDE**3, 0.25) == 0.25
    assert ceiling(3 * SIDE**3, 0.25) == 0.75  # a step of a network with as many multiply-adds


def test_a_process_answers_with_wall_and_processor_seconds() -> None:
    folder = str(Path(in_turns.__file__).parent)
    worker = Worker([sys.executable, "-c", SOURCE], {**os.environ, "PYTHONPATH": folder})
    try:
        wall, processor = worker.time("sleep")
    finally:
        worker.close()
    assert worker.about == {"version": "3"}
    assert wall >= 0.3 > processor  # sleeping takes no processor time

"""The page about what works in Keras shows the outcomes."""

from __future__ import annotations

from pathlib import Path

import keras_matrix
import pytest
from keras_cases import CASES

PAGE = Path(__file__).parents[2] / "docs" / "keras.md"


@pytest.mark.slow
def test_the_page_says_what_happens() -> None:
    outcomes = [keras_matrix.outcome(case) for case in CASES]
    assert [one.line() for one in outcomes if one.verdict == keras_matrix.FAILS] == []
    assert keras_matrix.table(outcomes) == keras_matrix.in_page(PAGE.read_text("utf-8"))


def test_what_goes_wrong_is_no_success() -> None:
    def wrong() -> None:
        raise AssertionError("answers differ")

    assert keras_matrix.outcome(CASES[0]._replace(run=wrong)).verdict == keras_matrix.FAILS

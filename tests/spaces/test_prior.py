"""The strength of the prior: two ways to give it, what acts, and how it is said."""

from __future__ import annotations

from typing import Any

import pytest

from vdroppath_tf.spaces.prior import (
    PRIOR_STRENGTH,
    acting_strength,
    one_strength,
    prior_words,
    two_digits,
    with_strength,
)


def test_exactly_one_is_in_force() -> None:
    assert one_strength(None, None) == (None, PRIOR_STRENGTH)
    assert one_strength(0.0, None) == (0.0, None)  # 0 is a number that was given
    assert one_strength(None, 0.0) == (None, 0.0)
    with pytest.raises(ValueError, match=r"weight_reg=10 and prior_strength=0\.001"):
        one_strength(10, 0.001)


def test_what_acts() -> None:
    """Method, section 2: k = 250, N = 86,017 is .0029 in the code's form, .363 in Eq. 5."""
    given: dict[str, Any] = {"weight_reg": 250.0, "num_examples": 86_017}
    assert acting_strength(**given) == pytest.approx(250 / 86_017)
    assert acting_strength(**given, form="paper") == pytest.approx(250**2 / (2 * 86_017))
    for n in (None, 48, 86_017):
        for form in ("code", "paper"):
            assert acting_strength(prior_strength=0.02, num_examples=n, form=form) == 0.02
    assert acting_strength(weight_reg=250.0) is None
    assert acting_strength() == PRIOR_STRENGTH


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"weight_reg": 10.0, "num_examples": 24_576},
            "4.1e-4 per squared weight (weight_reg 10 / N 24,576)",
        ),
        (
            {"weight_reg": 10.0, "num_examples": 48},
            "0.208 per squared weight (weight_reg 10 / N 48)",
        ),
        (
            {"weight_reg": 10.0, "num_examples": 1000, "form": "paper"},
            "0.05 per squared weight (weight_reg 10^2 / 2 / N 1,000)",
        ),
        ({"weight_reg": 10.0}, "weight_reg 10 / N per squared weight (N is not known here)"),
        (
            {"prior_strength": 1e-3, "num_examples": 48},
            "1e-3 per squared weight (prior_strength, the same for any N)",
        ),
    ],
)
def test_in_words(given: dict[str, Any], said: str) -> None:
    assert prior_words(**given) == said


def test_two_digits() -> None:
    values = {4.0691e-4: "4.1e-4", 0.0029064: "2.9e-3", 0.0: "0", 0.2083: "0.208", 59.0: "59"}
    assert {value: two_digits(value) for value in values} == values


def test_files_name_the_strength_in_force_in_its_place() -> None:
    """The order is kept: a run that goes on is recognised by its text."""
    old = {"num_train_examples": 8, "weight_reg": 250.0, "kl": "code"}
    assert list(with_strength({**old, "prior_strength": None}).items()) == list(old.items())
    assert with_strength({"weight_reg": None}) == {"prior_strength": PRIOR_STRENGTH}
    assert with_strength({"seed": 1}, 10.0) == {"seed": 1, "weight_reg": 10.0}
    assert with_strength({"prior_strength": 0.5}, 10.0) == {"prior_strength": 0.5}
    with pytest.raises(ValueError, match="Expected one of them"):
        with_strength({"weight_reg": 1.0, "prior_strength": 1.0})

"""Every kind of input that `scripts/kinds/table.py` prints is read, or refused, as expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind import Kind, WrongAnswerError, expect
from table import all_kinds


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.name)
def test_kind(kind: Kind, tmp_path: Path) -> None:
    outcome, reason = kind.outcome(tmp_path)
    assert outcome == "right", reason


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "refusal", "outcome"),
    [
        (None, None, "right"),
        (None, "say", "wrong"),
        (WrongAnswerError("turned"), None, "wrong"),
        (WrongAnswerError("say"), "say", "wrong"),
        (ValueError("Pass --say."), None, "refused"),
        (ValueError("Pass --say."), "--say", "right"),
        (ValueError("Pass --say."), "--else", "refused"),
        (KeyError("a"), None, "traceback"),
        (KeyError("say"), "say", "traceback"),
    ],
)
def test_outcomes(
    error: Exception | None, refusal: str | None, outcome: str, tmp_path: Path
) -> None:
    """The table tells apart what it claims to."""
    kind = Kind("a", "b", lambda _: None if error is None else _raise(error), refusal)
    assert kind.outcome(tmp_path)[0] == outcome


def test_expect() -> None:
    expect(3, 3, "frames")
    with pytest.raises(WrongAnswerError, match="frames: found 3, expected 4"):
        expect(3, 4, "frames")

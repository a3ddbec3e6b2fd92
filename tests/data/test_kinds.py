"""Every kind of input that `scripts/kinds/table.py` prints is read, or refused, as expected."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kind import Kind, WrongAnswerError, expect
from table import all_kinds

# Lists, folders and what is in them: read by our own code, whatever the versions of others.
OURS = (
    *("class_folders", "converted_records", "doubtful_lists", "folders", "id_lists", "ids"),
    *("kinetics", "labels", "links", "lists", "segment_lists", "several_classes", "times"),
)


def cases() -> Iterator[Any]:
    """The kinds, those of ``OURS`` for the newest versions only."""
    files = [importlib.import_module(f"kinds_of_{name}") for name in OURS]
    ours = {kind.name for file in files for kind in file.KINDS}
    for kind in all_kinds():
        yield pytest.param(kind, id=kind.name, marks=[pytest.mark.newest] * (kind.name in ours))


@pytest.mark.parametrize("kind", list(cases()))
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

"""Writes answers as lines of text: for people, as JSON, or as a table for spreadsheets."""

from __future__ import annotations

import json
from collections.abc import Callable

from vdroppath_tf import serving
from vdroppath_tf.files import csv_text

ROWS = ("table", "jsonl", "csv")


class AnswerRows:
    """Writes each answer, as soon as it is known, to a line.

    Args:
        kind: One of ``ROWS``.
        top: The number of classes in each answer.
        windows: Whether the answers are for parts of videos, with a start and an end.
        write: A function that writes text, including line ends.
    """

    def __init__(self, kind: str, top: int, *, windows: bool, write: Callable[[str], object]):
        self._kind, self._top, self._windows, self._write = kind, top, windows, write
        self._begun = False

    def add(self, answer: serving.Answer) -> None:
        """Writes one answer."""
        if self._kind == "jsonl":
            self._write(json.dumps(answer.fields(self._top)) + "\n")
        elif self._kind == "csv":
            self._add_cells(answer)
        else:
            shown = ", ".join(f"{name} {p:.3f}" for name, p in answer.best(self._top))
            self._write(f"{answer.file}{_span(answer)}: {shown}\n")

    def _add_cells(self, answer: serving.Answer) -> None:
        best = answer.best(self._top)
        if not self._begun:
            self._begun = True
            span = ["start", "end"] if self._windows else []
            ranks = [f"{name}{k}" for k in range(1, len(best) + 1) for name in ("label", "score")]
            self._write(csv_text(["file", *span, *ranks], []))
        span_cells = answer.span().values() if self._windows else []
        cells = [answer.file, *span_cells, *(cell for pair in best for cell in pair)]
        self._write(csv_text(cells, []))  # type: ignore[arg-type]


def _span(answer: serving.Answer) -> str:
    """Returns start and end of a part of a video in seconds, "" for a whole video."""
    return "" if answer.start is None else f" {answer.start:.2f}-{answer.end:.2f} s"

"""Reads the files of commands for a report: results of tests, a training's history."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vdroppath_tf.files import parse_json, read_json, read_text
from vdroppath_tf.names import named
from vdroppath_tf.report.items import DataUsed, Tested
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.listed import Row, check_share
from vdroppath_tf.scoring.video_scores import TEST_FORMAT
from vdroppath_tf.spaces.strategy import FusionStrategy

MAX_BYTES = 2**27  # the largest size of a file
_Read = TypeVar("_Read")


@named
def read_result(path: str | os.PathLike[str]) -> Tested:
    """Reads a file that `vdroppath test --out` wrote.

    Raises:
        ValueError: If the file has another format; the message names it.
        OSError: If it cannot be read.

    Example:
    ```python
    print(read_result("run/result.json").row.top1)
    ```
    """
    return read_file(path, "result of a test", "vdroppath test --out", _result)


@named
def read_history(path: str | os.PathLike[str], phase: str = "search") -> list[Any]:
    """Reads the drop probabilities after each epoch from the history.json of `vdroppath train`.

    It raises the same errors as `read_result`.

    Example:
    ```python
    drops = read_history("run/history.json")
    print(len(drops))  # the number of epochs
    ```
    """

    def parse(text: str) -> list[Any]:
        entries = parse_json(text)
        return [entry["drop"] for entry in entries if entry["phase"] == phase and "drop" in entry]

    return read_file(path, "history of a training", "vdroppath train", parse)


@named
def read_file(
    path: str | os.PathLike[str], what: str, command: str, parse: Callable[[str], _Read]
) -> _Read:
    """Parses a file that `command` writes; errors name the file."""
    if not Path(path).is_file():
        raise ValueError(f"{path}: there is no such file. Expected a file that {command} writes.")
    if (size := Path(path).stat().st_size) > MAX_BYTES:
        raise ValueError(f"{path}: has {size:,} bytes. Expected at most {MAX_BYTES:,}.")
    try:
        return parse(read_text(path))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: holds no {what} ({error}). Expected a file that {command} writes."
        ) from None


@named
def data_used(use: str, one: Any, protocol: Any, scored: int | None) -> DataUsed:
    """Converts a file's entry on the videos that were used to a record."""
    source, digest = str(one["source"]), str(one["hash"])
    return DataUsed(use, source, digest, int(one["listed"]), str(protocol), scored)


def _result(text: str) -> Tested:
    fields = read_json(text, TEST_FORMAT)
    data = fields["data"]
    shares = [float(fields[key]) for key in ("top1", "top1_standard_error", "top5")]
    top1, error, top5 = shares
    notes = ["batch norm recalibrated"] if fields.get("recalibrated") else []
    if "map" in fields:
        notes.append(f"mAP {float(fields['map']):.3f}; several classes a video, top-1 is Hit@1")
    note = "; ".join(notes)
    strategy = FusionStrategy.parse(fields["strategy"]) if fields.get("strategy") else ""
    classes = [_class(one) for one in fields["classes"]]
    wrong = [(str(c["truth"]), str(c["answer"]), int(c["videos"])) for c in fields["confusions"]]
    network = fields.get("architecture")
    names, answers = tuple(name for name, _, _ in classes), fields.get("answers")
    return Tested(
        Row(str(fields["model"]), str(strategy), top1, error, top5=top5, note=note),
        data_used("testing", data, fields["protocol"]["name"], int(data["scored"])),
        classes,
        wrong,
        None if network is None else str(network),
        None if answers is None else ClassAnswers.of_fields(names, answers),
    )


def _class(one: Any) -> tuple[str, int, float | None]:
    name, top1 = str(one["name"]), one["top1"]
    if top1 is not None:
        top1 = float(top1)
        check_share(f"top-1 of class {name!r}", top1)
    return name, int(one["videos"]), top1

"""Files that commands wrote, read for a report: scores, results of tests, a training's history."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vdroppath_tf.files import read_json
from vdroppath_tf.names import named
from vdroppath_tf.report.items import DataUsed, Tested
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import Row, check_share
from vdroppath_tf.scoring.scores import StrategyScore
from vdroppath_tf.scoring.selection import Selection
from vdroppath_tf.scoring.video_scores import TEST_FORMAT
from vdroppath_tf.spaces.strategy import FusionStrategy

SCORES_FORMAT = "vdroppath_tf.scores/2"
MAX_BYTES = 2**27  # of one file
_SCORES = ("architecture", "protocol", "data", "selection", "scores")
_Read = TypeVar("_Read")


@named
@dataclass(frozen=True)
class Scored:
    """What `vdroppath evaluate --out` wrote.

    Attributes:
        architecture: name of the network.
        selection: what was chosen, and how sure that is.
        scores: all that were scored, on the clips that were chosen on.
        recalibrated: whether each ran with batch-norm statistics of its own.
        data: what was chosen on and what is reported on.
        clip_shape: frames, height and width of the clips; None where the file does not say, or
            clips differ.
        classes: how many there are; None where the file does not say.
    """

    architecture: str
    selection: Selection
    scores: tuple[StrategyScore, ...]
    recalibrated: bool
    data: tuple[DataUsed, ...]
    clip_shape: tuple[int, int, int] | None
    classes: int | None


@named
def read_scores(path: str | os.PathLike[str]) -> Scored:
    """Reads what `vdroppath evaluate --out` wrote.

    Raises:
        ValueError: where it is something else; the message names the file.
        OSError: where it cannot be read.
    """
    return _read(path, "scores", "vdroppath evaluate --out", _scores)


@named
def read_result(path: str | os.PathLike[str]) -> Tested:
    """Reads what `vdroppath test --out` wrote; raises as `read_scores` does."""
    return _read(path, "result of a test", "vdroppath test --out", _result)


@named
def read_history(path: str | os.PathLike[str], phase: str = "search") -> list[Any]:
    """Drop probabilities after each epoch of a phase, of the history.json of `vdroppath train`.

    Raises as `read_scores` does.
    """

    def parse(text: str) -> list[Any]:
        entries = json.loads(text)
        return [entry["drop"] for entry in entries if entry["phase"] == phase and "drop" in entry]

    return _read(path, "history of a training", "vdroppath train", parse)


def _read(
    path: str | os.PathLike[str], what: str, command: str, parse: Callable[[str], _Read]
) -> _Read:
    if not Path(path).is_file():
        raise ValueError(f"{path}: there is no such file. Expected what {command} writes.")
    if (size := Path(path).stat().st_size) > MAX_BYTES:
        raise ValueError(f"{path}: has {size:,} bytes. Expected at most {MAX_BYTES:,}.")
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: holds no {what} ({error}). Expected what {command} writes."
        ) from None


def _scores(text: str) -> Scored:
    fields = read_json(text, SCORES_FORMAT, _SCORES)
    name, found = fields["architecture"], fields["selection"]
    first, second = map(int, found["clips"])
    rows = tuple(_row(row, name, second) for row in found["rows"])
    selection = Selection(
        strategy=FusionStrategy.parse(found["strategy"], name),
        top1_chosen_on=float(found["top1_chosen_on"]),
        optimism=float(found["optimism"]),
        rows=rows,
        confidence_set=tuple(FusionStrategy.parse(t, name) for t in found["not_told_apart"]),
        level=float(found["level"]),
        confidence=float(found["confidence"]),
        clips=(first, second),
    )
    if str(selection.strategy) not in [row.strategy for row in rows]:
        raise ValueError(f"no row has the selected strategy {str(selection.strategy)!r}")
    scores = tuple(_score(one, name) for one in fields["scores"])
    uses = zip(("choosing", "reporting"), fields["data"], strict=True)
    data = tuple(_data(use, one, fields["protocol"], None) for use, one in uses)
    shape, classes = (fields["data"][1].get(key) for key in ("clip_shape", "classes"))
    return Scored(
        *(str(name), selection, scores, bool(found["recalibrated"]), data),
        None if shape is None else _clip_shape(shape),
        None if classes is None else int(classes),
    )


def _row(one: Any, network: str, clips: int) -> Row:
    strategy = FusionStrategy.parse(one["strategy"], network)
    top1, difference = _interval(one["top1"]), _interval(one["difference"])
    return Row.measured(str(one["name"]), str(strategy), top1, difference, clips)


def _score(one: Any, name: str) -> StrategyScore:
    top1, top5, clips = float(one["top1"]), float(one["top5"]), int(one["clips"])
    check_share(f"top-1 of {one['strategy']!r}", top1)
    check_share(f"top-5 of {one['strategy']!r}", top5)
    if clips < 1:
        raise ValueError(f"{one['strategy']!r} was scored on {clips} clips")
    return StrategyScore(FusionStrategy.parse(one["strategy"], name), top1, top5, clips)


def _interval(one: Any) -> Interval:
    found = Interval(*(float(one[end]) for end in ("value", "low", "high")))
    if not -1 <= found.low <= found.high <= 1:
        raise ValueError(f"an interval is {one!r}")
    return found


def _clip_shape(shape: Any) -> tuple[int, int, int]:
    frames, height, width = map(int, shape)
    return frames, height, width


def _data(use: str, one: Any, protocol: Any, scored: int | None) -> DataUsed:
    source, digest = str(one["source"]), str(one["hash"])
    return DataUsed(use, source, digest, int(one["listed"]), str(protocol), scored)


def _result(text: str) -> Tested:
    fields = read_json(text, TEST_FORMAT)
    data = fields["data"]
    shares = [float(fields[key]) for key in ("top1", "top1_standard_error", "top5")]
    top1, error, top5 = shares
    note = "batch norm recalibrated" if fields.get("recalibrated") else ""
    strategy = FusionStrategy.parse(fields["strategy"]) if fields.get("strategy") else ""
    classes = [_class(one) for one in fields["classes"]]
    wrong = [(str(c["truth"]), str(c["answer"]), int(c["videos"])) for c in fields["confusions"]]
    network = fields.get("architecture")
    return Tested(
        Row(str(fields["model"]), str(strategy), top1, error, top5=top5, note=note),
        _data("testing", data, fields["protocol"]["name"], int(data["scored"])),
        classes,
        wrong,
        None if network is None else str(network),
    )


def _class(one: Any) -> tuple[str, int, float | None]:
    name, top1 = str(one["name"]), one["top1"]
    if top1 is not None:
        top1 = float(top1)
        check_share(f"top-1 of class {name!r}", top1)
    return name, int(one["videos"]), top1

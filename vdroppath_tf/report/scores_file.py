"""The file of scores, which `vdroppath evaluate` writes, and derivation and reports read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vdroppath_tf.analysis.class_gains import ClassGains
from vdroppath_tf.files import read_json, write_json
from vdroppath_tf.names import named
from vdroppath_tf.report.inputs import data_used, read_file
from vdroppath_tf.report.items import DataUsed
from vdroppath_tf.scoring.choosing import RULES
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import Row, check_share
from vdroppath_tf.scoring.scores import StrategyScore
from vdroppath_tf.scoring.selection import Selection
from vdroppath_tf.spaces.strategy import FusionStrategy

SCORES_FORMAT = "vdroppath_tf.scores/2"
_COMMAND = "vdroppath evaluate --out"
_FIELDS = ("architecture", "protocol", "data", "selection", "scores")


@named
@dataclass(frozen=True)
class Scored:
    """The content of a file from `vdroppath evaluate --out`.

    Attributes:
        architecture: the name of the network.
        selection: the chosen strategy, and the uncertainty of the choice.
        scores: all scores, on the clips used for the choice.
        recalibrated: whether batch norm was recalibrated for each strategy.
        data: the videos for the choice and for the report.
        clip_shape: frames, height and width of the clips; None if the file does not have it, or
            clips differ.
        classes: the number of classes; None if the file does not have it.
        gains: the gains by class of the selected strategy over S everywhere; None if the file does
            not have them.

    Example:
    ```python
    scored = read_scores("run/scores.json")
    print(scored.architecture, scored.selection.rows[0], len(scored.scores))
    ```
    """

    architecture: str
    selection: Selection
    scores: tuple[StrategyScore, ...]
    recalibrated: bool
    data: tuple[DataUsed, ...]
    clip_shape: tuple[int, int, int] | None
    classes: int | None
    gains: ClassGains | None = None


@named
def read_scores(path: str | os.PathLike[str]) -> Scored:
    """Reads a file that `vdroppath evaluate --out` wrote.

    Raises:
        ValueError: If the file has another format; the message names it.
        OSError: If it cannot be read.

    Example:
    ```python
    scored = read_scores("run/scores.json")
    print(scored.selection.strategy)
    ```
    """
    return read_file(path, "scores", _COMMAND, _scores)


@named
def read_selected(path: str | os.PathLike[str]) -> FusionStrategy:
    """Reads the selected strategy from a file of scores; raises the errors of `read_scores`.

    Example:
    ```python
    print(read_selected("run/scores.json"))
    ```
    """

    def parse(text: str) -> FusionStrategy:
        fields = read_json(text, SCORES_FORMAT, _FIELDS)
        return FusionStrategy.parse(fields["selection"]["strategy"], fields["architecture"])

    return read_file(path, "scores", _COMMAND, parse)


@named
def write_scores(
    path: str | os.PathLike[str],
    head: Mapping[str, Any],
    selection: Selection,
    scores: Sequence[StrategyScore],
    *,
    recalibrated: bool,
    gains: ClassGains | None = None,
    maps: Mapping[str, float] | None = None,
) -> None:
    """Writes a file that `read_scores` reads.

    Args:
        path: str or path of the file.
        head: Mapping of `"architecture"`, `"protocol"` and `"data"` to the name of the network, the
            name of the protocol, and two entries on the videos: for the choice, and for the report.
        selection: `Selection`, the choice.
        scores: Sequence of `StrategyScore`, all scores, in the order to show.
        recalibrated: bool, whether batch norm was recalibrated for each strategy.
        gains: `ClassGains`, the selected strategy against S everywhere. Defaults to `None`.
        maps: Mapping of a strategy's text to its mean average precision on the videos for the
            report, if they have several classes. Defaults to None.

    Example:
    ```python
    scored = read_scores("run/scores.json")
    used = {"source": "val.txt", "hash": "0123", "listed": 10, "scored": 10}
    data = [{"use": "choosing", **used}, {"use": "reporting", **used}]
    head = {"architecture": scored.architecture, "protocol": "paper-1clip", "data": data}
    write_scores("scores.json", head, scored.selection, scored.scores, recalibrated=True)
    ```
    """
    rows = [
        {
            **{"strategy": str(s.strategy), "top1": s.top1, "top5": s.top5, "clips": s.clips},
            **({} if s.map is None else {"map": s.map}),
        }
        for s in scores
    ]
    chosen = {
        "strategy": str(selection.strategy),
        "top1_chosen_on": selection.top1_chosen_on,
        "optimism": selection.optimism,
        "rows": [_row_fields(row, maps or {}) for row in selection.rows],
        "not_told_apart": [str(strategy) for strategy in selection.confidence_set],
        "level": selection.level,
        "confidence": selection.confidence,
        "clips": selection.clips,
        "rule": selection.rule,
        "recalibrated": recalibrated,
        **({} if gains is None else {"class_gains": gains.fields()}),
    }
    write_json(path, {"format": SCORES_FORMAT, **head, "selection": chosen, "scores": rows})


def _row_fields(row: Row, maps: Mapping[str, float]) -> dict[str, Any]:
    ends = {"top1": row.interval, "difference": row.difference}
    fields: dict[str, Any] = {n: asdict(one) for n, one in ends.items() if one is not None}
    if row.strategy in maps:
        fields["map"] = maps[row.strategy]
    return {"name": row.name, "strategy": row.strategy, **fields}


def _scores(text: str) -> Scored:
    fields = read_json(text, SCORES_FORMAT, _FIELDS)
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
        rule=_rule(found.get("rule", "accurate")),  # the rule in older files
    )
    if str(selection.strategy) not in [row.strategy for row in rows]:
        raise ValueError(f"no row has the selected strategy {str(selection.strategy)!r}")
    scores = tuple(_score(one, name) for one in fields["scores"])
    uses = zip(("choosing", "reporting"), fields["data"], strict=True)
    data = tuple(data_used(use, one, fields["protocol"], None) for use, one in uses)
    shape, classes = (fields["data"][1].get(key) for key in ("clip_shape", "classes"))
    return Scored(
        *(str(name), selection, scores, bool(found["recalibrated"]), data),
        None if shape is None else _clip_shape(shape),
        None if classes is None else int(classes),
        ClassGains.of_fields(found["class_gains"]) if "class_gains" in found else None,
    )


def _rule(name: Any) -> str:
    if name not in RULES:
        raise ValueError(f"the rule {name!r} is not one of {', '.join(RULES)}")
    return str(name)


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
    precision = None if one.get("map") is None else float(one["map"])
    if precision is not None:
        check_share(f"mAP of {one['strategy']!r}", precision)
    return StrategyScore(FusionStrategy.parse(one["strategy"], name), top1, top5, clips, precision)


def _interval(one: Any) -> Interval:
    found = Interval(*(float(one[end]) for end in ("value", "low", "high")))
    if not -1 <= found.low <= found.high <= 1:
        raise ValueError(f"an interval is {one!r}")
    return found


def _clip_shape(shape: Any) -> tuple[int, int, int]:
    frames, height, width = map(int, shape)
    return frames, height, width

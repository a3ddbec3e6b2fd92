"""The sections of a task, as plain data for the templates."""

from __future__ import annotations

from dataclasses import dataclass

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.analysis.observations import Observation
from vdroppath_tf.figures.style import svg_uri
from vdroppath_tf.figures.units import label_note
from vdroppath_tf.names import named
from vdroppath_tf.report.choice import confidence_set
from vdroppath_tf.report.classes import class_pictures, gain_texts
from vdroppath_tf.report.findings import findings, observed
from vdroppath_tf.report.formats import duration
from vdroppath_tf.report.items import Tested
from vdroppath_tf.report.maps import map_pictures
from vdroppath_tf.report.pictures import (
    PER_INPUT,
    Picture,
    accuracy_picture,
    space_pictures,
)
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.tables import TextTable, layer_table
from vdroppath_tf.report.trial_words import TrialLines, trial_lines
from vdroppath_tf.report.worth import worth_pictures, worth_sentences
from vdroppath_tf.scoring.listed import Draw

_SHOWN = 5  # the number of confusions, and of classes at either end


@named
@dataclass(frozen=True)
class Shown:
    """A picture as two URIs, for wide and narrow screens, with its texts."""

    wide: str
    narrow: str
    alt: str
    caption: str
    whole: bool


@named
@dataclass(frozen=True)
class Results:
    """The table of compared strategies: caption and columns; its lines are the task's rows."""

    caption: str
    heads: list[str]
    paired: bool
    notes: bool


@named
@dataclass(frozen=True)
class ConfidenceSet:
    """The strategies that may be the best, each with its draw, if any."""

    summary: str
    caption: str
    lines: list[tuple[str, Draw | None]]


@named
@dataclass(frozen=True)
class Classes:
    """The classes with the lowest and highest accuracy of a network, and its confusions."""

    network: str
    table: TextTable
    wrong: list[str]


@named
@dataclass(frozen=True)
class Sections:
    """The content for the templates of a task, in addition to its record."""

    task: TaskReport
    findings: list[str]
    pictures: list[Shown]
    observations: list[Observation]
    layers: TextTable
    accuracy: Shown | None
    results: Results | None
    confidence_set: ConfidenceSet | None
    trials: TrialLines | None
    classes: list[Classes]
    worth: list[str]
    worth_pictures: list[Shown]
    class_pictures: list[Shown]
    explained: list[Shown]
    gains: list[TextTable]
    timings: dict[str, str]


@named
def sections(task: TaskReport) -> Sections:
    """The sections of a task."""
    accuracy = accuracy_picture(task)
    return Sections(
        task=task,
        findings=findings(task),
        pictures=[_shown(picture) for picture in space_pictures(task)],
        observations=observed(task),
        layers=_layers(task),
        accuracy=None if accuracy is None else _shown(accuracy),
        results=_results(task) if task.rows else None,
        confidence_set=_confidence_set(task),
        trials=None if task.trials is None else trial_lines(task.trials),
        classes=[found for one in task.tested if (found := _classes(one)) is not None],
        worth=worth_sentences(task),
        worth_pictures=[_shown(picture) for picture in worth_pictures(task)],
        class_pictures=[_shown(picture) for picture in class_pictures(task)],
        explained=[_shown(picture) for picture in map_pictures(task)],
        gains=[gain_texts(gains) for gains in task.gains],
        timings={name: duration(seconds) for name, seconds in task.timings.items()},
    )


def _shown(picture: Picture) -> Shown:
    wide, narrow = (svg_uri(picture.draw(narrow=narrow)) for narrow in (False, True))
    return Shown(wide, narrow, picture.alt, picture.caption, picture.whole)


def _layers(task: TaskReport) -> TextTable:
    heads, lines = layer_table(task)
    texts = [[c if isinstance(c, str) else f"{c:.3f}" for c in line] for line in lines]
    caption = "Marginals in Eq. 7's form (1 − √p); “on in a draw” in the sampling form (1 − p)."
    if task.space.per_input:
        caption += f" {PER_INPUT}; all values are means over inputs."
    return TextTable(caption, heads, texts)


def _results(task: TaskReport) -> Results:
    """Returns the caption and the informative columns; paired rows have no separate notes."""
    paired = any(row.difference for row in task.rows)
    notes = not (paired and len({row.note for row in task.rows}) == 1)
    top5 = not (paired and all(row.top5 is None for row in task.rows))
    guessing = "" if task.chance is None else f" (guessing: {percent(task.chance)})"
    classes = "" if task.classes is None else f" of {task.classes:,} classes"
    errors = (
        "in brackets its 95 % interval"
        if paired
        else "± standard error (at 0 % and 100 % its 95 % interval)"
    )
    caption = (
        f"Accuracy, {errors}, on {task.clips:,} held-out clips{classes}{guessing}. "
        f"MACs: multiply-adds of convolutions and dense layers."
    )
    if paired:
        caption += " Differences are in points, paired on the same clips."
    note = label_note(unit for row in task.rows for unit in row.strategy.split())
    caption += f" {note}." if note else ""
    caption += "" if notes else f" All rows: {task.rows[0].note}."
    columns = {
        "Strategy": True,
        "Top-1": True,
        "Difference to the chosen": paired,
        "Top-5": top5,
        "Parameters": True,
        "MACs a clip": True,
        "How it was trained": notes,
    }
    return Results(caption, [head for head, there in columns.items() if there], paired, notes)


def _confidence_set(task: TaskReport) -> ConfidenceSet | None:
    found = task.selection
    if found is None:
        return None
    scored = {draw.strategy: draw for draw in task.draws}
    texts = [str(strategy) for strategy in found.confidence_set]
    return ConfidenceSet(
        f"These {len(texts)} of {len(task.draws)} are in {confidence_set(task)}",
        f"By an exact paired test at level {found.level:g} over all. Their top-1 on the "
        f"{found.clips[0]:,} clips used for the choice has a selection bias.",
        [(text, scored.get(text)) for text in texts],
    )


def _classes(one: Tested) -> Classes | None:
    ranked = sorted((top1, name, videos) for name, videos, top1 in one.classes if top1 is not None)
    if not ranked:
        return None
    ends = ranked if len(ranked) <= 2 * _SHOWN else [*ranked[:_SHOWN], *ranked[-_SHOWN:]]
    caption = "Classes, the least known first"
    if len(ends) < len(ranked):
        caption += f"; the {_SHOWN} least and the {_SHOWN} best known of {len(ranked):,}"
    lines = [[name, percent(top1), f"{videos:,}"] for top1, name, videos in ends]
    wrong = [f"{truth} taken for {answer}: {n:,}" for truth, answer, n in one.confusions[:_SHOWN]]
    table = TextTable(f"{caption}.", ["Class", "Top-1", "Videos"], lines)
    return Classes(one.row.name, table, wrong)

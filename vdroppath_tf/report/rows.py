"""The parts of a report that show what was measured: accuracy, strategies, answers."""

from __future__ import annotations

import itertools

from vdroppath_tf.analysis.numbers import percent, points
from vdroppath_tf.figures.style import magnitude
from vdroppath_tf.figures.units import label_note, unit_color, unit_ink, unit_label
from vdroppath_tf.report.markup import Html, Node, join, tag
from vdroppath_tf.report.numbers import score
from vdroppath_tf.report.parts import absent_node, picture_node, table_node
from vdroppath_tf.report.pictures import accuracy_picture
from vdroppath_tf.report.records import Prediction, Row, TaskReport

_TOP5, _APART, _NOTE = "Top-5", "Difference to the chosen", "How it was trained"
_HEADS = ("Strategy", "Top-1", _APART, _TOP5, "Parameters", "MACs a clip", _NOTE)


def results_section(task: TaskReport) -> Html:
    """Accuracy over cost, then the rows: accuracy, cost, how each was trained."""
    picture = accuracy_picture(task)
    shown = None if picture is None else picture_node(picture)
    table = _results(task) if task.rows else None
    parts = [shown, table, _may_be_best(task), absent_node(task, "accuracy")]
    return join([tag("h3", "Strategies compared"), *parts]) if any(parts) else join([])


def _results(task: TaskReport) -> Html:
    guessing = "" if task.chance is None else f" (guessing: {percent(task.chance)})"
    classes = "" if task.classes is None else f" of {task.classes:,} classes"
    paired = any(row.difference for row in task.rows)
    errors = "in brackets its 95 % interval" if paired else "± standard error"
    caption = (
        f"Accuracy, {errors}, on {task.clips:,} held-out clips{classes}{guessing}. "
        f"MACs: multiply-adds of convolutions and dense layers."
    )
    if paired:
        caption += " Differences are in points, clip by clip on the same clips."
    note = label_note(unit for row in task.rows for unit in row.strategy.split())
    caption += f" {note}." if note else ""
    same_note = paired and len({row.note for row in task.rows}) == 1
    caption += f" All rows: {task.rows[0].note}." if same_note else ""
    no_top5 = paired and all(row.top5 is None for row in task.rows)
    left_out = {_APART: not paired, _TOP5: no_top5, _NOTE: same_note}
    kept = [n for n, head in enumerate(_HEADS) if not left_out.get(head)]
    lines = [[cells[n] for n in kept] for cells in (_result(row, paired) for row in task.rows)]
    best = [row is task.best for row in task.rows]
    return table_node(caption, [_HEADS[n] for n in kept], lines, "rows", best)


def _result(row: Row, paired: bool) -> list[Node]:
    """A cell for each of `_HEADS`."""
    apart: Node = "–"
    top1: Node = tag("span", score(row), class_="number")
    if paired and row.interval is not None and row.difference is not None:
        ends = f"[{percent(row.interval.low)}, {percent(row.interval.high)}]"
        top1 = tag("span", percent(row.top1), tag("span", ends, class_="under"), class_="number")
        ends = f"[{points(row.difference.low)}, {points(row.difference.high)}]"
        value = [points(row.difference.value), tag("span", ends, class_="under")]
        unlike = row.difference.low or row.difference.high
        apart = tag("span", value if unlike else "–", class_="number")
    return [
        [row.name, tag("span", units_nodes(row.strategy), class_="under")],
        top1,
        apart,
        tag("span", "–" if row.top5 is None else percent(row.top5), class_="number"),
        count_node(row.parameters),
        count_node(row.macs),
        tag("span", row.note, class_="words"),
    ]


def _may_be_best(task: TaskReport) -> Html | None:
    """The strategies that are not told apart from the best."""
    found = task.selection
    if found is None:
        return None
    scored = {draw.strategy: draw for draw in task.draws}
    lines: list[list[Node]] = []
    for strategy in found.not_told_apart:
        draw = scored.get(str(strategy))
        top1 = "–" if draw is None else percent(draw.top1)
        macs = None if draw is None else draw.macs
        lines.append([tag("span", units_nodes(str(strategy))), top1, count_node(macs)])
    summary = f"These {len(lines)} of {len(task.draws)} are not told apart from the best"
    caption = (
        f"By an exact paired test at level {found.level:g} over all; their top-1 on the "
        f"{found.clips[0]:,} clips that were chosen on flatters."
    )
    heads = ("Strategy", "Top-1 where it was chosen", "MACs a clip")
    return tag("details", tag("summary", summary), table_node(caption, heads, lines, "rows"))


def units_nodes(strategy: str) -> list[Html]:
    """Units in their colours; runs of one unit once, with their length."""
    runs = [(unit, len(list(same))) for unit, same in itertools.groupby(strategy.split())]
    found = []
    for unit, length in runs:
        style = f"background:{unit_color(unit)};color:{unit_ink(unit)}"
        whole = unit if "@" in unit else None
        found.append(tag("span", unit_label(unit), class_="unit", style=style, title=whole))
        if length > 1:
            found.append(tag("span", f"× {length}", class_="runs"))
    return found


def count_node(value: int | None) -> Html:
    """A count, short and whole; a dash where it is not known."""
    if value is None:
        return tag("span", "–")
    scale, unit = magnitude(value)
    short = f"{value / scale:#.3g} {unit}".replace(". ", " ") if unit else str(value)
    under = tag("span", f"{value:,}", class_="under number") if unit else None
    return tag("span", short, under)


def answers_section(task: TaskReport) -> Html | None:
    """What the served network says of held-out clips."""
    if not task.predictions:
        return None
    cards = [_answer(answer) for answer in task.predictions]
    return join(
        [
            tag("h3", "Answers of the served network"),
            tag("p", "Held-out clips, answered by the exported network.", class_="small"),
            tag("ul", cards, class_="answers"),
        ]
    )


def _answer(answer: Prediction) -> Html:
    right = answer.label == answer.predicted
    strip = answer.frames and tag("img", src=answer.frames, alt=f"Frames of {answer.file}")
    verdict = tag(
        "span", "✓ right" if right else "✗ wrong", class_=f"verdict {'right' if right else 'wrong'}"
    )
    truth = None if right else [" (true: ", tag("strong", answer.label), ")"]
    said = [tag("strong", answer.predicted), f", {percent(answer.probability)}", truth]
    return tag("li", strip, verdict, said, tag("div", answer.file, class_="file"))

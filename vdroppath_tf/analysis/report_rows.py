"""The parts of a report that show what was measured: the table of strategies, the answers."""

from __future__ import annotations

import itertools

from .figure_parts import magnitude
from .findings import percent, score
from .markup import Html, Node, join, tag
from .records import Prediction, Row, TaskReport
from .report_parts import table_node
from .unit_looks import label_note, unit_color, unit_ink, unit_label


def results_section(task: TaskReport) -> Html:
    """The rows: accuracy, cost, how each was trained."""
    heads = ("Strategy", "Top-1", "Top-5", "Parameters", "MACs a clip", "How it was trained")
    lines = [_result(row) for row in task.rows]
    caption = (
        f"Accuracy ± standard error on {task.clips:,} held-out clips of {task.classes} classes "
        f"(guessing: {percent(task.chance)}). MACs: multiply-adds of convolutions and dense layers."
    )
    note = label_note(unit for row in task.rows for unit in row.strategy.split())
    caption += f" {note}." if note else ""
    best = [row is task.best for row in task.rows]
    table = table_node(caption, heads, lines, "rows", best)
    return join([tag("h3", "Strategies compared"), table])


def _result(row: Row) -> list[Node]:
    return [
        [row.name, tag("span", _units(row.strategy), class_="under")],
        tag("span", score(row), class_="number"),
        tag("span", "–" if row.top5 is None else percent(row.top5), class_="number"),
        _count(row.parameters),
        _count(row.macs),
        tag("span", row.note, class_="words"),
    ]


def _units(strategy: str) -> list[Html]:
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


def _count(value: int) -> Html:
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

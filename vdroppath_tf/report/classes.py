"""Results by class: confusion matrices, and which classes gain from temporal paths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vdroppath_tf.analysis.class_gains import GAIN_HEADS, ClassGains, class_gains
from vdroppath_tf.analysis.numbers import percent, points
from vdroppath_tf.figures.confusion import MOST_NARROW, MOST_WIDE, figure_confusion
from vdroppath_tf.figures.gains import figure_gains, shown_classes
from vdroppath_tf.names import named
from vdroppath_tf.report.items import Tested
from vdroppath_tf.report.pictures import Picture
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.tables import Table, TextTable
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.class_heads import CLASS_HEADS
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def answers_of_tested(tested: Sequence[Tested]) -> dict[str, ClassAnswers]:
    """Returns the answers of tested networks by unique names (numbered for several tests).

    Networks without known answers are left out.
    """
    found: dict[str, ClassAnswers] = {}
    for one in tested:
        name, number = one.row.name, 2
        while name in found:
            name, number = f"{one.row.name} (test {number})", number + 1
        if one.answers is not None:
            found[name] = one.answers
    return found


@named
def gains_of_tested(tested: Sequence[Tested]) -> list[ClassGains]:
    """Returns each tested network's gains over S everywhere, if both answered the same videos."""
    there = [(one, one.answers) for one in tested if one.answers is not None]
    frames = [(one, answers) for one, answers in there if _frames_only(one)]
    found = []
    for one, answers in there:
        same = (
            (other, its)
            for other, its in frames
            if (its.digest, its.labels) == (answers.digest, answers.labels)
            and other.data.protocol == one.data.protocol
        )
        pair = None if _frames_only(one) else next(same, None)
        if pair is not None:
            names = {"one": one.row.name, "other": f"S everywhere ({pair[0].row.name})"}
            found.append(gains_over(answers, pair[1], **names))
    return found


def _frames_only(one: Tested) -> bool:
    """Whether a tested network has S in every layer."""
    text = one.row.strategy
    return bool(text) and {unit.branches for unit in FusionStrategy.parse(text)} == {("S",)}


@named
def gains_over(
    answers: ClassAnswers,
    others: ClassAnswers,
    *,
    one: str = "the first network",
    other: str = "the second network",
) -> ClassGains:
    """Returns the gains of a network over another, by class; see ``class_gains``.

    Raises:
        ValueError: If they did not answer the same clips.
    """
    if (answers.labels, answers.digest) != (others.labels, others.digest):
        raise ValueError(f"{one} and {other} did not answer the same clips of the same classes.")
    pair = answers.correct, others.correct
    return class_gains(answers.labels, answers.truths, *pair, one=one, other=other)


@named
def class_pictures(task: TaskReport) -> list[Picture]:
    """Returns a picture of each pair's gains, then one of each confusion matrix."""
    single = len(task.gains) == 1, len(task.answers) == 1
    pictures = [
        _gains(gains, "gains" if single[0] else f"gains-{n}")
        for n, gains in enumerate(task.gains, 1)
        if gains.order
    ]
    return pictures + [
        _confusion(name, answers, "confusion" if single[1] else f"confusion-{n}")
        for n, (name, answers) in enumerate(task.answers.items(), 1)
    ]


def _gains(gains: ClassGains, name: str) -> Picture:
    shown = shown_classes(gains)
    caption = (
        f"Which classes gain by looking in time: top-1 of {gains.one} minus that of {gains.other}, "
        f"on the same clips, with paired 95 % intervals, one each. Filled: clear over "
        f"all classes together (exact paired test, Holm's correction at 5 %). On the right, both "
        f"top-1 accuracies."
    )
    if len(shown) < len(gains.order):
        half = len(shown) // 2
        caption += f" Of {len(gains.order):,} classes, the {half} at either end are shown."
    told = (f"{gains.names[k]} {points(float(gains.gain[k]))}" for k in shown)
    alt = f"A line for each class, the largest gain first, in points: {', '.join(told)}"
    return Picture(name, caption, alt, partial(figure_gains, gains), whole=False)


def _confusion(network: str, answers: ClassAnswers, name: str) -> Picture:
    matrix, count = answers.confusion, len(answers.labels)
    caption = (
        f"Confusion matrix of {network}: a row is a true class, a column an answer; darker is a "
        f"larger share of the row, and the diagonal is correct "
        f"({percent(float(answers.correct.mean()) if len(answers.truths) else 0.0)} of "
        f"{len(answers.truths):,})."
    )
    if count > MOST_NARROW:
        caption += (
            f" Of {count:,} classes, the {min(MOST_WIDE, count)} with the most wrong answers "
            f"({MOST_NARROW} on a small screen)."
        )
    alt = f"{caption} The table of classes has the numbers."
    return Picture(name, caption, alt, partial(figure_confusion, matrix, answers.labels))


@named
def gain_texts(gains: ClassGains) -> TextTable:
    """Returns the table of gains for a page."""
    heads = ["Class", "Clips", "Top-1", "S everywhere", "Gain, points", "Clear"]
    lines = [
        [
            name,
            f"{clips:,}",
            percent(first),
            percent(second),
            f"{points(gain)} [{points(low)}, {points(high)}]",
            "yes" if clear else "no",
        ]
        for name, clips, first, second, gain, low, high, clear in gains.lines()
    ]
    return TextTable(f"{gains.one} against {gains.other}, largest gain first.", heads, lines)


@named
def gain_table(task: TaskReport) -> Table:
    """Returns the gains by class, for each pair of networks."""
    heads = ["network", "other", *GAIN_HEADS]
    return heads, [[g.one, g.other, *line] for g in task.gains for line in g.lines()]


@named
def class_table(task: TaskReport) -> Table:
    """Returns the accuracy of every class, for each network with known answers."""
    heads = ["network", *CLASS_HEADS]
    return heads, [
        [name, *line] for name, answers in task.answers.items() for line in answers.class_lines()
    ]


@named
def confusion_table(task: TaskReport) -> Table:
    """Returns the non-empty cells of the confusion matrices, one in each line."""
    heads = ["network", "true_class", "answer", "videos"]
    return heads, [
        [name, answers.labels[truth], answers.labels[answer], int(count)]
        for name, answers in task.answers.items()
        for truth, row in enumerate(answers.confusion)
        for answer, count in enumerate(row)
        if count
    ]

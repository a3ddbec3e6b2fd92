"""What the sections of a report are put together from: pictures, tables, lists of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vdroppath_tf.figures.style import svg_uri
from vdroppath_tf.report.markup import Html, Node, tag
from vdroppath_tf.report.pictures import Picture
from vdroppath_tf.report.records import TaskReport

_SMALL = "(max-width: 44rem)"  # as in report.css


def picture_node(picture: Picture) -> Html:
    """A picture with its caption, drawn for wide and for small screens."""
    small = tag("source", media=_SMALL, srcset=svg_uri(picture.draw(narrow=True)))
    shown = tag("img", src=svg_uri(picture.draw(narrow=False)), alt=picture.alt)
    kind = "long" if picture.whole else None
    return tag(
        "figure", tag("picture", small, shown), tag("figcaption", picture.caption), class_=kind
    )


def absent_node(task: TaskReport, part: str) -> Html | None:
    """How to get a part that has no data, where the report was told."""
    said = task.absent.get(part)
    if said is None:
        return None
    before, *rest = said.split("`")
    words = [command_node(text) if n % 2 == 0 else text for n, text in enumerate(rest)]
    return tag("p", before, words, class_="absent")


def command_node(text: str) -> Html:
    """A command line that breaks between its words only."""
    words = [[tag("span", word, class_="word"), " "] for word in text.split(" ")]
    return tag("code", *words[:-1], words[-1][0])


def facts_node(title: str, facts: Mapping[str, str]) -> Html | None:
    """A list of names and what they stand for; None where there is none."""
    if not facts:
        return None
    listed = [[tag("dt", name), tag("dd", str(text))] for name, text in facts.items()]
    return tag("div", tag("h3", title), tag("dl", listed))


def duration(seconds: float) -> str:
    """Seconds in words: `"1 min 23 s"`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def table_node(
    caption: str,
    heads: Sequence[str],
    lines: Sequence[Sequence[Node]],
    class_: str | None = None,
    best: Sequence[bool] = (),
) -> Html:
    """A table; the first cell of a line is its head, ``best`` marks lines."""
    marks = ["best" if mark else None for mark in best] or [None] * len(lines)
    body = []
    for n, (first, *rest) in enumerate(lines):
        cells = [
            tag("td", tag("span", cell), data_label=head)
            for head, cell in zip(heads[1:], rest, strict=True)
        ]
        body.append(tag("tr", tag("th", first, scope="row"), cells, class_=marks[n]))
    top = tag("thead", tag("tr", [tag("th", head, scope="col") for head in heads]))
    return tag("table", tag("caption", caption), top, tag("tbody", body), class_=class_)

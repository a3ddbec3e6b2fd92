"""What the sections of a report are put together from: figures, tables, lists of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from .figure_parts import svg_uri
from .markup import Html, Node, tag


def figure_node(figure: Figure, caption: str, alt: str, kind: str | None = None) -> Html:
    """A picture with its caption, and in words for those who do not see it."""
    picture = tag("div", tag("img", src=svg_uri(figure), alt=alt), class_="scroll")
    return tag("figure", picture, tag("figcaption", caption), class_=kind)


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

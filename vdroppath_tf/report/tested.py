"""The parts of a report on networks tested on their own, and on which videos were used."""

from __future__ import annotations

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.report.markup import Html, Node, join, tag
from vdroppath_tf.report.parts import absent_node, table_node
from vdroppath_tf.report.records import TaskReport, Tested
from vdroppath_tf.report.rows import count_node, units_nodes

_SHOWN = 5  # confusions, and classes at either end


def tested_section(task: TaskReport) -> Html | None:
    """What `vdroppath test` found, a row for each result."""
    missing = absent_node(task, "tested")
    heading = tag("h3", "Networks tested on their own")
    if not task.tested:
        return join([heading, missing]) if missing else None
    heads = ("Network", "Top-1", "Top-5", "Parameters", "MACs a clip", "Protocol, videos")
    caption = (
        "Accuracy with its 95 % interval. Only rows of the same videos (hash) and protocol can be "
        "compared."
    )
    table = table_node(caption, heads, [_line(one) for one in task.tested], "rows")
    return join([heading, table, *(_details(one) for one in task.tested)])


def _line(one: Tested) -> list[Node]:
    row, data = one.row, one.data
    low, high = row.ends(data.scored)
    ends = tag("span", f"[{percent(low)}, {percent(high)}]", class_="under")
    videos = f"{data.scored:,} of {data.listed:,} videos of {data.source}"
    name: list[Node] = [row.name, tag("span", units_nodes(row.strategy), class_="under")]
    if one.network is not None:
        name.append(tag("span", one.network, class_="under"))
    return [
        name,
        tag("span", percent(row.top1), ends, class_="number"),
        tag("span", "–" if row.top5 is None else percent(row.top5), class_="number"),
        count_node(row.parameters),
        count_node(row.macs),
        [data.protocol, tag("span", f"{videos}, hash {data.digest[:12]}", class_="under")],
    ]


def _details(one: Tested) -> Html | None:
    """The classes it knows best and least, and what it takes for what."""
    known = [each for each in one.classes if each[2] is not None]
    if not known:
        return None
    ranked = sorted(known, key=lambda each: (each[2] or 0.0, each[0]))
    ends = ranked if len(ranked) <= 2 * _SHOWN else [*ranked[:_SHOWN], *ranked[-_SHOWN:]]
    lines: list[list[Node]] = [
        [name, percent(top1 or 0.0), f"{videos:,}"] for name, videos, top1 in ends
    ]
    caption = "Classes, the least known first"
    if len(ends) < len(ranked):
        caption += f"; the {_SHOWN} least and the {_SHOWN} best known of {len(ranked):,}"
    table = table_node(f"{caption}.", ("Class", "Top-1", "Videos"), lines)
    wrong = [f"{truth} taken for {said}: {count:,}" for truth, said, count in one.confusions]
    listed = tag("ul", [tag("li", text) for text in wrong[:_SHOWN]])
    confused = tag("div", tag("p", "Most often wrong:"), listed) if wrong else None
    both = tag("div", tag("div", table), confused, class_="pair")
    return tag("details", tag("summary", f"Classes of {one.row.name}"), both)


def data_section(task: TaskReport) -> Html | None:
    """Which videos were used for what, by which protocol; their hash says whether two are one."""
    if not task.data:
        return None
    lines: list[list[Node]] = [
        [
            data.use,
            data.protocol,
            f"{data.listed:,}" if data.scored is None else f"{data.scored:,} of {data.listed:,}",
            data.source,
            tag("code", data.digest, class_="hash"),
        ]
        for data in task.data
    ]
    caption = (
        "A hash stands for the classes and each video's name, label and listed number of frames, "
        "in order. The protocol says which views of a video are scored; their mean softmax is its "
        "score."
    )
    heads = ("Used for", "Protocol", "Videos", "Source", "Hash (SHA-256)")
    return join([tag("h3", "Protocol and data"), table_node(caption, heads, lines, "rows data")])

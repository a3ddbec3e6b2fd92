"""The list of a page's contents: every heading of its body, with an anchor to go to."""

from __future__ import annotations

import re
from typing import NamedTuple

from vdroppath_tf.names import named

# what users name is escaped, so whatever looks like a heading is one of the templates'
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)


class Entry(NamedTuple):
    """A heading: its level, its text as escaped HTML, and the name of its anchor."""

    level: int
    title: str
    anchor: str


@named
def with_anchors(body: str) -> tuple[str, list[Entry]]:
    """Gives every heading of a body an anchor, so that each section is in the list by itself.

    Args:
        body: HTML that the templates made.

    Returns:
        The body, and its headings in order; HTML both.
    """
    entries: list[Entry] = []

    def mark(found: re.Match[str]) -> str:
        level, title = found.groups()
        entries.append(Entry(int(level), title, f"part-{len(entries) + 1}"))
        return f'<h{level} id="{entries[-1].anchor}">{title}</h{level}>'

    return _HEADING.sub(mark, body), entries

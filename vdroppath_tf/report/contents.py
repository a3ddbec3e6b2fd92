"""Builds a page's table of contents from the headings of its body."""

from __future__ import annotations

import re
from typing import NamedTuple

from vdroppath_tf.names import named

# names from users are escaped, so every heading comes from the templates
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)


class Entry(NamedTuple):
    """A heading: its level, its text as escaped HTML, and the name of its anchor."""

    level: int
    title: str
    anchor: str


@named
def with_anchors(body: str) -> tuple[str, list[Entry]]:
    """Adds an anchor to every heading of a body, so that contents can link to it.

    Args:
        body: HTML from the templates.

    Returns:
        The body and its headings in order, both as HTML.
    """
    entries: list[Entry] = []

    def mark(found: re.Match[str]) -> str:
        level, title = found.groups()
        entries.append(Entry(int(level), title, f"part-{len(entries) + 1}"))
        return f'<h{level} id="{entries[-1].anchor}">{title}</h{level}>'

    return _HEADING.sub(mark, body), entries

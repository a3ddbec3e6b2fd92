"""HTML built from nested calls, where text is escaped unless it is HTML already."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

_VOID = frozenset({"br", "img", "meta", "source"})


class Html(str):
    """Text that is HTML: what `tag` returns and does not escape again."""

    __slots__ = ()


Node: TypeAlias = "str | Html | Iterable[Node] | None"


def tag(name: str, *children: Node, **attributes: str | None) -> Html:
    """Write one element.

    Args:
        name: Element name.
        *children: Text (escaped), `Html` (kept), lists of either, or None (left out).
        **attributes: Escaped values; None leaves the attribute out, a trailing underscore is
            dropped (`class_`), other underscores become hyphens.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Node]) -> Html:
    """Write nodes one after the other."""
    return Html("".join(_text(child) for child in children))


def _text(node: Node) -> str:
    if node is None:
        return ""
    if isinstance(node, Html):
        return node
    if isinstance(node, str):
        return html.escape(str(node))
    return join(node)

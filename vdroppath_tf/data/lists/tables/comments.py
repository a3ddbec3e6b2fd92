"""Lines of a list that are comments, and those that only seem to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vdroppath_tf.data.lists.tables.headers import meanings
from vdroppath_tf.data.lists.tables.layout import CLASSES, SEPARATORS
from vdroppath_tf.data.lists.tables.places import Places
from vdroppath_tf.data.lists.tables.splitting import Splitter

Row = tuple[str, str]
"""Where a line is, and its text."""
_MOST_ABOVE = 100  # comments that may be the header


def without_comments(
    rows: Iterable[Row], places: Places, comments: list[str], *, header: bool = False
) -> Iterator[Row]:
    """The rows that do not start with `#`, or whose path does; the others are `comments`.

    Args:
        rows: The lines of a list.
        places: Where their paths lead.
        comments: Takes where the comments are.
        header: Whether a comment above the first row may be its header, which is then the first
            row. NumPy writes them so.
    """
    above: list[Row] | None = [] if header else None
    for row in rows:
        if row[1].lstrip()[0] == "#" and not _starts_with_path(row[1], places):
            comments.append(row[0])
            if above is not None and len(above) < _MOST_ABOVE:
                above.append((row[0], row[1].lstrip().lstrip("#")))
            continue
        if above:
            found = [each for each in above if _names_columns(each[1], row[1])]
            for origin, text in found[-1:]:
                comments.remove(origin)
                yield origin, text
        above = None
        yield row


def _names_columns(text: str, row: str) -> bool:
    """Whether a comment names as many columns as the first row has, which is no header itself.

    Words with spaces between may be a sentence: there, each must have a meaning.
    """
    if row.lstrip().startswith("{"):  # an object says itself what it holds
        return False
    for name, separator in SEPARATORS.items():
        splitter = Splitter(separator, 0, quotes=True)
        names, cells = splitter.split(text), splitter.split(row)
        if not names or not cells or len(names) != len(cells) or meanings(cells) is not None:
            continue
        found = meanings(names) or ()
        unknown = found.count("")
        if {*CLASSES} & {*found} and (name != "space" or not unknown):
            return True
        if unknown == 1 and name != "space":  # it is the class
            return True
    return False


def _starts_with_path(line: str, places: Places) -> bool:
    ends = [at for at, letter in enumerate(line[:1024]) if letter in " \t,;|"] + [len(line)]
    return any(places.there(line[:end].strip()) for end in ends)

"""Comments in a list, and lines that only look like comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vdroppath_tf.data.lists.tables.headers import meanings
from vdroppath_tf.data.lists.tables.layout import CLASSES, SEPARATORS
from vdroppath_tf.data.lists.tables.places import Places
from vdroppath_tf.data.lists.tables.splitting import Splitter

Row = tuple[str, str]
"""The place of a line, and its text."""
_MOST_ABOVE = 100  # comments that may hold the header


def without_comments(
    rows: Iterable[Row], places: Places, comments: list[str], *, header: bool = False
) -> Iterator[Row]:
    """Yields the rows that are not comments, i.e. do not start with `#`, or start with a path.

    Args:
        rows: The lines of a list.
        places: Resolves their paths.
        comments: Receives the places of the comments.
        header: Whether a comment above the first row may be its header, as NumPy writes it, and is
            then yielded as the first row. Defaults to False.
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
    """Returns whether a comment names the columns of the first row, which is not a header itself.

    Words separated by spaces may be a sentence, so each of them must be a known column name.
    """
    if row.lstrip().startswith("{"):  # a JSON object names its fields itself
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

"""Lists with a column of 0 and 1 for each class, a common form of multi-label tables."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence

from vdroppath_tf.data.lists.tables.layout import SEPARATORS
from vdroppath_tf.data.lists.tables.splitting import Splitter
from vdroppath_tf.data.lists.tables.words import MEANING, plain_name
from vdroppath_tf.data.manifest import ManifestError

_VALUES = {"0": False, "0.0": False, "1": True, "1.0": True, "False": False, "True": True}
_BESIDE = ("path", "num_frames", "split", "-")

Row = tuple[str, str]
"""The place of a line, and its text."""


@dataclasses.dataclass(frozen=True)
class OneHot:
    """The columns of a list with a column for each class.

    Attributes:
        splitter: Splits the lines.
        beside: The positions and names of the other columns.
        classes: The positions and names of the columns of classes.
    """

    splitter: Splitter
    beside: dict[int, str]
    classes: dict[int, str]

    def objects(self, rows: Iterable[Row]) -> list[Row]:
        """Converts the lines to JSON objects with the names of their classes, without the header.

        If every video has one class, the field is `label`, otherwise `labels`.

        Args:
            rows: The lines, including the header.

        Raises:
            ManifestError: If a line has another number of columns, or values other than 0 and 1.
        """
        _, *lines = rows
        read = [(origin, *self._read(origin, line)) for origin, line in lines]
        one = all(len(names) == 1 for _, _, names in read)
        return [
            (origin, json.dumps(cells | ({"label": names[0]} if one else {"labels": names})))
            for origin, cells, names in read
        ]

    def _read(self, origin: str, line: str) -> tuple[dict[str, str], list[str]]:
        cells = self.splitter.split(line) or []
        if len(cells) != len(self.beside) + len(self.classes):
            raise ManifestError(
                f"{origin}: has {len(cells)} of {len(self.beside) + len(self.classes)} columns."
            )
        for place, name in self.classes.items():
            if cells[place] not in _VALUES:
                raise ManifestError(
                    f"{origin}: has {cells[place]!r} in the column of the class {name!r}. Expected "
                    "0 or 1, as in the columns of all classes."
                )
        named = [name for place, name in self.classes.items() if _VALUES[cells[place]]]
        return {name: cells[place] for place, name in self.beside.items()}, named


def one_hot(lines: Sequence[str]) -> OneHot | None:
    """Returns the columns of a list with a column for each class; None for any other list.

    The header of such a list names a column of paths and at least two columns with unknown names,
    and each line has 0 or 1 in all of the latter.

    Args:
        lines: The first lines of a list.
    """
    for separator in SEPARATORS.values():
        splitter = Splitter(separator, 0, quotes=True)
        header, *rows = (splitter.split(line) or [] for line in lines)
        meanings = [MEANING.get(plain_name(name), "" if name else "-") for name in header]
        classes = {k: header[k] for k, meaning in enumerate(meanings) if not meaning}
        beside = {k: header[k] for k in range(len(header)) if k not in classes}
        known = "path" in meanings and {*meanings} <= {"", *_BESIDE}
        if not known or len(classes) < 2 or len({*header}) < len(header) or not rows:
            continue
        if all(len(row) == len(header) and _is_hot(row, classes) for row in rows):
            return OneHot(splitter, beside, classes)
    return None


def _is_hot(row: Sequence[str], classes: Iterable[int]) -> bool:
    return all(row[place] in _VALUES for place in classes)

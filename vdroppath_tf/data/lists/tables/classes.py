"""The classes of a list: numbers, or names that receive numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.class_order import order_note
from vdroppath_tf.data.lists.class_spelling import ordered_classes
from vdroppath_tf.data.lists.tables.contents import (
    BETWEEN_NAMES,
    FRACTION,
    NUMBER,
    SEVERAL,
    is_several,
    maybe_thousands,
    whole,
)
from vdroppath_tf.data.lists.tables.splitting import Cell
from vdroppath_tf.data.lists.text_files import MAX_CLASSES, whole_number
from vdroppath_tf.data.manifest import ManifestError

_COMMA = re.compile(r"\s*,\s*")


class Classes(NamedTuple):
    """The meaning of the labels of a list.

    Attributes:
        numbers: The number of the class of each label; None if labels are names.
        names: The names of all classes, in order; None if classes are numbers.
        notes: What was assumed.
    """

    numbers: dict[str, int] | None
    names: Sequence[str] | None
    notes: tuple[str, ...]


def labels_of(cell: Cell, column: str, between: re.Pattern[str] = BETWEEN_NAMES) -> tuple[str, ...]:
    """Returns the labels in a cell: one, or in a column `labels` any number.

    Args:
        cell: The cell.
        column: The name of its column.
        between: The separator of the names of several classes.
    """
    if isinstance(cell, tuple):
        return tuple(text.strip() for text in cell)
    number, comment, _ = cell.partition(" #")
    if comment and NUMBER.fullmatch(number.strip()):
        return (number.strip(),)
    if column != "labels":
        return (cell,)
    if is_several(cell):
        return tuple(SEVERAL.split(cell))
    return tuple(part for part in between.split(cell) if part)


def between_names(cells: Iterable[Cell]) -> re.Pattern[str]:
    """Returns the separator of the names of several classes: a comma, if there is no other."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return BETWEEN_NAMES if any(map(BETWEEN_NAMES.search, texts)) else _COMMA


def classes_of(
    labels: dict[str, str], column: str, names: Sequence[str] | None, base: int | None, source: str
) -> Classes:
    """Determines the meaning of the labels of a list, all of which are known.

    Args:
        labels: The distinct labels, each with its first line.
        column: Their column, one of `layout.CLASSES`.
        names: The names of the classes, if they were passed.
        base: The number of the first class, if it was passed.
        source: The list, for errors.

    Raises:
        ManifestError: If labels are a mixture of numbers and names, or may be both; or if numbers
            are out of range or count from 1.
    """
    if base not in (None, 0, 1):
        raise ManifestError(f"{source}: label_base is {base!r}, expected 0 or 1.")
    if not labels:
        return Classes({}, names, ())
    for label, origin in labels.items():
        if not label:
            raise ManifestError(f"{origin}: has no label. Expected a class, or leave the line out.")
    words = [label for label in labels if NUMBER.fullmatch(label) is None]
    found = column in ("label", "labels") and _are_names(labels, words, names, base, source)
    if column == "class_name" or found:
        if base is not None:
            raise ManifestError(
                f"{source}: its classes are names, such as {next(iter(labels))!r}, and have no "
                "first number. Leave out label_base= (--label_base)."
            )
        return _by_name(labels, names, column)
    if words:
        origin = labels[words[0]]
        raise ManifestError(
            f"{origin}: label {words[0]!r} is not a whole number, as {_other(labels, words)} is. "
            f"Correct it; or if all are names, pass --columns with class_name in place of {column} "
            "(Layout(columns=...)), or the names as labels=."
        )
    check_thousands(labels)
    numbers = {label: _number(label, origin, base or 0) for label, origin in labels.items()}
    if names is not None and base is None:
        _check_last(numbers, labels, names)
    decimal = next((label for label in labels if not label.lstrip("+-").isdecimal()), None)
    note = () if decimal is None else (f"labels such as {decimal} are whole numbers",)
    return Classes({label: n - (base or 0) for label, n in numbers.items()}, names, note)


def _are_names(
    labels: Iterable[str],
    words: Sequence[str],
    names: Sequence[str] | None,
    base: int | None,
    source: str,
) -> bool:
    """Returns whether labels are the names of classes.

    Raises:
        ManifestError: If all are both names of classes and numbers of other classes.
    """
    found = list(labels)
    if len(words) == len(found):
        return True
    if names is None or base is not None or not set(found) <= set(names):
        return False
    if words or not all(0 <= whole(label) < len(names) for label in found):
        return True
    places = {name: place for place, name in enumerate(names)}
    for label in found:
        if places[label] != whole(label):
            raise ManifestError(
                f"{source}: label {label!r} may be the name of class {places[label]}, or the "
                f"number of the class {names[whole(label)]!r}. Pass --columns with class_name or "
                "class_number in place of label (Layout(columns=...))."
            )
    return False


def _other(labels: Iterable[str], words: Sequence[str]) -> str:
    return repr(next((label for label in labels if label not in set(words)), "a number"))


def _by_name(labels: dict[str, str], names: Sequence[str] | None, column: str) -> Classes:
    for label, origin in labels.items():
        ambiguous = column == "label" and label not in (names or ())
        if ambiguous and BETWEEN_NAMES.search(label):
            raise ManifestError(
                f"{origin}: label {label!r} may be one class, or several. Pass --columns with "
                "class_name or labels in place of label (Layout(columns=...))."
            )
        if ambiguous and FRACTION.fullmatch(label):
            raise ManifestError(
                f"{origin}: label {label!r} is not a whole number. Expected the number of a class; "
                "or if it is a name, pass --columns with class_name in place of label."
            )
        if " #" in label and column != "class_name":
            raise ManifestError(
                f"{origin}: label {label!r} may end in a comment. Put the comment on a separate "
                "line; or if it is part of the name, pass --columns with class_name in place of "
                "label (Layout(columns=...))."
            )
    if names is not None:
        return Classes(None, names, ())
    found = ordered_classes(labels.items())
    notes = [f"labels are names: {len(found):,} classes, sorted", order_note(found)]
    return Classes(None, found, tuple(note for note in notes if note))


def check_thousands(cells: dict[str, str]) -> None:
    """Raises an error for a number that may be 1 or 1000, depending on the locale.

    Args:
        cells: The distinct cells of one column, each with its first line.
    """
    found = maybe_thousands(cells)
    if found is not None:
        raise ManifestError(
            f"{cells[found]}: {found!r} may be {whole(found)} or {whole(found)}000. Write whole "
            "numbers without a point or a comma."
        )


def _number(label: str, origin: str, base: int) -> int:
    return whole_number(str(whole(label)), "label", origin, base, base + MAX_CLASSES - 1)


def check_first(labels: dict[str, str], numbers: dict[str, int]) -> None:
    """Raises an error if no label is 0 and some are 1, as if classes were counted from 1.

    Args:
        labels: The distinct labels, each with its first line.
        numbers: The number of each label.
    """
    first = min(labels, key=lambda label: numbers[label], default=None)
    if first is not None and numbers[first] == 1:
        raise _from_one(labels[first], "the smallest label is 1, class 0 has no video")


def _check_last(numbers: dict[str, int], labels: dict[str, str], names: Sequence[str]) -> None:
    """Raises an error for the number after the last class, if no label is 0."""
    past = [label for label, number in numbers.items() if number == len(names)]
    if past and min(numbers.values()) > 0:
        raise _from_one(labels[past[0]], f"label {len(names)} has no name: {len(names)} are known")


def _from_one(origin: str, why: str) -> ManifestError:
    return ManifestError(
        f"{origin}: {why}. Do the labels count from 1? Then pass label_base=1 (--label_base=1); "
        "if they count from 0, pass the names of all classes as labels=, or in a labels.txt "
        "next to the list."
    )

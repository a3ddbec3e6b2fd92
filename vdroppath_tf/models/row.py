"""A row: one network of a family as plain, checked values, in Python and in JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from vdroppath_tf.names import nearest

LARGEST = 16_384  # of a number in a row: channels, kernels, strides, blocks
MOST_PARTS = 64  # stages of a row
MOST_LAYERS = 1_000  # fusion layers of a network
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Part = TypeVar("Part", bound="Values")


@dataclass(frozen=True)
class Values:
    """A dataclass whose fields are numbers from 1, truth values, texts, and tuples of these.

    Lists become tuples and objects of JSON the part of the row they stand for.

    Raises:
        ValueError: If a value is of another kind or out of range; it names the field.
    """

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            object.__setattr__(self, name, _checked(kind, getattr(self, name), name))


@dataclass(frozen=True)
class Row(Values):
    """One network of a family; each family adds its own fields.

    Attributes:
        name: str, the name of the network: letters, digits, ``_``, ``.`` and ``-``.
        num_classes: int, logits of the classifier where no number is given. Defaults to 174, the
            classes of Something-Something.
    """

    name: str
    num_classes: int = field(default=174, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                "name must be 1 to 64 letters, digits, '_', '.' or '-', a letter or digit first. "
                f"Received: {self.name[:80]!r}"
            )

    def values(self) -> dict[str, Any]:
        """The row as a model carries it and JSON has it: objects, lists, numbers, texts."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def check_layers(count: int) -> None:
    """ValueError unless a network may have so many fusion layers."""
    if not 1 <= count <= MOST_LAYERS:
        raise ValueError(
            f"A network must have from 1 to {MOST_LAYERS} fusion layers. Received: {count}"
        )


def row_from(kind: type[Part], values: object) -> Part:
    """The row, or part of one, with these fields.

    Args:
        kind: type, such as ``resnet.Row``.
        values: dict, of JSON.

    Raises:
        ValueError: If a field is unknown, missing or wrong; it names the field and the value.
    """
    fields = {each.name: each for each in dataclasses.fields(kind)}
    if not isinstance(values, Mapping):
        raise ValueError(f"must be an object with the fields {list(fields)}. Received: {values!r}")
    for name in values:
        if name not in fields:
            raise ValueError(
                f"{name!r} is no field. {nearest(name, fields)}Expected: {', '.join(fields)}."
            )
    missing = dataclasses.MISSING
    absent = [n for n, each in fields.items() if n not in values and each.default is missing]
    if absent:
        raise ValueError(f"{absent[0]!r} is missing. Expected: {', '.join(fields)}.")
    return kind(**values)


def _checked(kind: Any, value: Any, where: str) -> Any:
    """The value as a field of this kind has it."""
    if get_origin(kind) is tuple:  # before the next line: such a kind says it is a type
        return _parts(get_args(kind), value, where)
    if issubclass(kind, Values):
        return value if isinstance(value, kind) else _part(kind, value, where)
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
            raise ValueError(
                f"{where} must be a whole number from 1 to {LARGEST}. Received: {value!r}"
            )
    elif not isinstance(value, kind):
        expected = {bool: "true or false", str: "text"}[kind]
        raise ValueError(f"{where} must be {expected}. Received: {value!r}")
    return value


def _part(kind: type[Values], value: Any, where: str) -> Values:
    try:
        return row_from(kind, value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _parts(kinds: Sequence[Any], value: Any, where: str) -> tuple[Any, ...]:
    many = kinds[-1] is Ellipsis
    expected = f"1 to {MOST_PARTS}" if many else str(len(kinds))
    fits = isinstance(value, (list, tuple)) and (
        1 <= len(value) <= MOST_PARTS if many else len(value) == len(kinds)
    )
    if not fits:
        raise ValueError(f"{where} must be a list of {expected}. Received: {str(value)[:80]}")
    return tuple(_checked(kinds[0], each, f"{where}[{n}]") for n, each in enumerate(value))

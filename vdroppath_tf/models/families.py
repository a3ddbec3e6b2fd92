"""All families, and all networks with a name: those of the families, and those that were added."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from vdroppath_tf.models import densenet, mobilenet_v2, resnet
from vdroppath_tf.models.family import Family, FusionLayer
from vdroppath_tf.models.row import Row, row_from
from vdroppath_tf.names import unknown_name

FAMILIES: tuple[Family, ...] = (densenet.FAMILY, mobilenet_v2.FAMILY, resnet.FAMILY)
YOUR_OWN = (
    ", or one of your own, which zoo.add_network must add in each process; a model carries its "
    "row: zoo.add_network(zoo.find_row(model))"
)
_ROWS: dict[str, Row] = {row.name: row for family in FAMILIES for row in family.rows}


def rows() -> dict[str, Row]:
    """Every network with a name, in the order they came."""
    return dict(_ROWS)


def add_row(row: Row) -> None:
    """Gives a network its name, from here on and in this process only.

    Raises:
        ValueError: If another network has the name, or the row is of no family.
    """
    family_of(row)
    check_name(row)
    _ROWS[row.name] = row


def check_name(row: Row) -> None:
    """Raises a ValueError if another network has the row's name."""
    known = _ROWS.get(row.name, row)
    if known != row:
        old, new = _differences(known, row)
        raise ValueError(
            f"There is another network called {row.name!r}, with {old}. Give yours another name. "
            f"Received: {new}"
        )


def _differences(known: Row, row: Row) -> tuple[str, str]:
    """Returns the values of two rows in which they differ; if their families do, these."""
    if type(known) is not type(row):
        families = (family_of(each).name for each in (known, row))
        old, new = (f"family={name!r}" for name in families)
        return old, new
    names = [field.name for field in dataclasses.fields(row)]
    names = [name for name in names if getattr(known, name) != getattr(row, name)]
    old, new = (
        ", ".join(f"{name}={getattr(each, name)!r}" for name in names) for each in (known, row)
    )
    return old, new


def row_of(network: Row | str) -> Row:
    """The row of a network's name; a row is its own.

    Raises:
        ValueError: If the name is unknown; the nearest known ones are offered.
    """
    if isinstance(network, Row):
        return network
    if network not in _ROWS:
        raise unknown_name("network", network, _ROWS, YOUR_OWN)
    return _ROWS[network]


def family_of(network: Row | str) -> Family:
    """The family of a row, or of a network's name.

    Raises:
        ValueError: If the name is unknown, or no family has such rows.
    """
    row = row_of(network)
    for family in FAMILIES:
        if type(row) is family.row:
            return family
    kinds = [f"{family.row.__module__}.{family.row.__qualname__}" for family in FAMILIES]
    raise ValueError(f"Expected a row of a family: {', '.join(kinds)}. Received: {row!r}")


def row_in(architecture: Mapping[str, Any]) -> Row:
    """The row whose values a model carries; a model of an older version has its name only.

    Raises:
        ValueError: If the family or the older model's name is unknown, or a value is wrong.
    """
    if "row" in architecture:
        return row_of_values(architecture["family"], architecture["row"])
    row = row_of(architecture["name"])
    own = {each.name for each in dataclasses.fields(row)} & set(architecture)
    return dataclasses.replace(
        row, **{option: architecture[option] for option in own - {"name", "num_classes"}}
    )


def row_of_values(family: object, values: object) -> Row:
    """The row of a family, by its name, with these values; a ValueError names what is wrong."""
    kinds = {each.name: each.row for each in FAMILIES}
    if not isinstance(family, str) or family not in kinds:
        raise unknown_name("family of networks", family, kinds)
    return row_from(kinds[family], values)


def fusion_layers_of(network: Row | str) -> tuple[FusionLayer, ...]:
    """The fusion layers of a network, in order, without building it.

    Raises:
        ValueError: If the name is unknown; the nearest known ones are offered.
    """
    row = row_of(network)
    return family_of(row).layers(row)


def fusion_groups(network: Row | str) -> tuple[int, ...]:
    """How many fusion layers each residual stage or dense block of a network has."""
    groups = [layer.group for layer in fusion_layers_of(network)]
    return tuple(groups.count(group) for group in range(max(groups) + 1))

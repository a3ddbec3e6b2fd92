"""Family: all that is peculiar to one kind of network, in one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.row import Row


@dataclass(frozen=True)
class FusionLayer:
    """A fusion layer of a network, known without building it.

    Attributes:
        name: str, of the layer.
        group: int, the residual stage or dense block it belongs to, from 0.
        has_residual: bool, whether it sits on a residual branch, so that its unit may be ``-``.
        has_t: bool, whether it may have the branch T.
    """

    name: str
    group: int
    has_residual: bool = True
    has_t: bool = True


@dataclass(frozen=True)
class Family:
    """One kind of network: what it is built of, by name and by value.

    Attributes:
        name: str, such as ``"resnet"``; models carry it.
        row: type, the fields of a network of the family.
        rows: tuple, the networks that everybody knows by name.
        layers: callable, from a row to its fusion layers in order.
        strides: callable, from a row to the temporal strides of its strided places.
        features: callable, from a row, normalised clips and a ``FusionMaker`` to the features
            before the pool; by name ``temporal_strides`` and ``temporal_pool``.
        template, derived: callable, from a row and the options of a constructor, all written out,
            to the arguments of ``build_network``.
        block: str, a regular expression of what the names of a block's layers start with; its group
            is the number of the stage, where there is more than one.
        conventions: tuple of Convention, 2D networks whose weights it can start from.
        options: dict, what those options mean that no other family has: they are fields of rows.
    """

    name: str
    row: type[Row]
    rows: tuple[Row, ...]
    layers: Callable[[Any], tuple[FusionLayer, ...]]
    strides: Callable[[Any], tuple[int, ...]]
    features: Callable[..., Any]
    template: Callable[..., dict[str, Any]]
    derived: Callable[..., dict[str, Any]]
    block: str
    conventions: tuple[Convention, ...]
    options: dict[str, str]

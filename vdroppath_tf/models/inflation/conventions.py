"""Which kind of 2D network the names of weights belong to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.families import FAMILIES
from vdroppath_tf.models.family import Family


def convention_of(weights: Iterable[str]) -> tuple[Family, Convention] | None:
    """The kind of network that these names belong to, and its family; None for none of them."""
    layers = {re.sub(r"[/.][^/.]*$", "", name) for name in weights}
    for family in FAMILIES:
        for convention in family.conventions:
            if convention.mark in layers:
                return family, convention
    return None


def with_known(own: Convention | None) -> tuple[Convention, ...]:
    """A convention of the caller's, where there is one, and those of all families."""
    known = (one for family in FAMILIES for one in family.conventions)
    return (*([] if own is None else [own]), *known)


def respelt(name: str, conventions: Iterable[Convention]) -> str:
    """The name of a weight as today's networks spell it."""
    for convention in conventions:
        for old, new in convention.spellings:
            name = re.sub(rf"^{old}", new, name)
    return name


def keras_network(name: str, conventions: Iterable[Convention]) -> Callable[..., Any] | None:
    """What builds the 2D network of this name in ``keras.applications``, if anything does."""
    found = (one.networks[name] for one in conventions if name in one.networks)
    return next(found, None)


def blocks_in(layers: Iterable[str], block: str) -> str:
    """``"3, 4, 6, 3"``: how many blocks each stage has.

    Args:
        layers: names of our layers.
        block: ``Family.block``.
    """
    matches = (match for name in layers if (match := re.match(block, name)))
    stages = {match[0]: int(match[1]) if match.lastindex else 1 for match in matches}
    counts = Counter(stages.values())
    return ", ".join(str(counts[stage]) for stage in sorted(counts))

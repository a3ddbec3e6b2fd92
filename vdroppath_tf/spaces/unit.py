"""A fusion unit: the paths that one layer uses, as canonical text.

Reference: Zhou et al., *Spatiotemporal Fusion in 3D CNNs: A Probabilistic View*, CVPR 2020,
section 3 (units U).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from vdroppath_tf.names import named

BRANCHES = ("S", "T", "ST")
# All units that inputs share, those with S first: stacked, their joint height is P(S on).
UNITS = ("S", "S+T", "S+T+ST", "S+ST", "ST", "T+ST", "T", "-")
_Value = TypeVar("_Value")
_PART = re.compile(r"(S|T|ST)(?:@([01]+))?")


@named
class FusionUnit(str):
    """The paths that one layer uses: a `str` whose value is the canonical text.

    The seven units of U and "none" are `S`, `T`, `ST`, `S+T`, `S+ST`, `T+ST`, `S+T+ST` and `-`.
    A unit whose branches see different inputs of the layer writes one bit per input behind each
    branch: `S@101+ST@011`. There either every branch has a mask or none has; a branch that sees
    no input is left out, and a unit with no branch left is `-`.

    Args:
        text: The unit, branches in any order: `FusionUnit("ST+S") == "S+ST"`.

    Raises:
        ValueError: If `text` is not a unit.

    Example:
    ```python
    FusionUnit("ST+S")  # "S+ST"
    FusionUnit("S@101+ST@011").inputs  # {"S": (1, 0, 1), "ST": (0, 1, 1)}
    FusionUnit.from_masks({"S": [1, 0, 1], "ST": [0, 1, 1]})  # "S@101+ST@011"
    ```
    """

    __slots__ = ()

    def __new__(cls, text: str) -> FusionUnit:
        return super().__new__(cls, text if isinstance(text, FusionUnit) else _canonical(text))

    @classmethod
    def from_masks(cls, masks: Mapping[str, Sequence[int]]) -> FusionUnit:
        """Build a per-input unit from one 0/1 mask per branch: the inverse of `inputs`."""
        bits = {branch: "".join(str(int(bit)) for bit in mask) for branch, mask in masks.items()}
        return cls("+".join(f"{branch}@{mask}" for branch, mask in bits.items()) or "-")

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches in use, in the order S, T, ST; empty for `-`."""
        return () if self == "-" else tuple(part.partition("@")[0] for part in self.split("+"))

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Branch to its 0/1 mask over the layer's inputs; empty when all inputs share the unit."""
        if "@" not in self:
            return {}
        parts = (part.partition("@") for part in self.split("+"))
        return {branch: tuple(int(bit) for bit in mask) for branch, _, mask in parts}

    def __repr__(self) -> str:
        return f"FusionUnit({str(self)!r})"


def _canonical(text: str) -> str:
    if not isinstance(text, str):
        raise _bad_unit(text, f"it is a {type(text).__name__}, not text")
    if text == "-":
        return text
    found: dict[str, str | None] = {}
    for part in text.split("+"):
        match = _PART.fullmatch(part)
        if match is None:
            raise _bad_unit(text, f"{part!r} is no branch")
        if match[1] in found:
            raise _bad_unit(text, f"{match[1]} stands twice")
        found[match[1]] = match[2]
    if len({len(mask) if mask else 0 for mask in found.values()}) > 1:
        raise _bad_unit(text, "every branch needs a mask of the same length, or none has one")
    kept = {branch: mask for branch, mask in found.items() if mask is None or "1" in mask}
    ordered = [branch for branch in BRANCHES if branch in kept]
    return "+".join(f"{b}@{kept[b]}" if kept[b] else b for b in ordered) or "-"


def _bad_unit(text: object, problem: str) -> ValueError:
    return ValueError(
        f"Not a fusion unit: {problem}. Expected '-' or the branches S, T, ST joined by '+' "
        f"(such as 'S+ST', or 'S@101+ST@011' per input). Received: {text!r}"
    )


NONE = FusionUnit("-")


def s_first(by_unit: Mapping[str, _Value]) -> dict[str, _Value]:
    """The same in the order of `UNITS`, in which bars are stacked."""
    return {unit: by_unit[unit] for unit in UNITS if unit in by_unit}

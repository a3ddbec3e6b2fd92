"""Fusion strategies as data: units, strategies, triplets, text and JSON.

A strategy is written as text, one unit per fusion layer: `"S S+ST - ST"`. That text is what goes
into JSON, Keras configs, flags, tables and file names. Nothing here needs numpy or TensorFlow.

Reference: Zhou et al., *Spatiotemporal Fusion in 3D CNNs: A Probabilistic View*, CVPR 2020,
section 3 (units U, triplets `(l, v, u)`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from vdroppath_tf.files import check_architecture, read_json
from vdroppath_tf.spaces.triplets import Triplet, layer_texts

BRANCHES = ("S", "T", "ST")
# All units that inputs share, those with S first: stacked, their joint height is P(S on).
UNITS = ("S", "S+T", "S+T+ST", "S+ST", "ST", "T+ST", "T", "-")
_FORMAT = "vdroppath_tf.strategy/1"
_PART = re.compile(r"(S|T|ST)(?:@([01]+))?")


class FusionUnit(str):
    """The paths one layer uses: a `str` whose value is the canonical text.

    The seven units of U and "none" are `S`, `T`, `ST`, `S+T`, `S+ST`, `T+ST`, `S+T+ST` and `-`.
    A unit whose branches see different inputs of the layer writes one bit per input behind each
    branch: `S@101+ST@011`. There either every branch has a mask or none has; a branch that sees
    no input is left out, and a unit with no branch left is `-`.

    Args:
        text: The unit, branches in any order: `FusionUnit("ST+S") == "S+ST"`.

    Raises:
        ValueError: If `text` is not a unit.
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


@dataclass(frozen=True)
class FusionStrategy:
    """One unit per fusion layer, first layer first.

    Args:
        units: Units or their texts, one per fusion layer.
        architecture: Name of the network the strategy was made for, or None for any.

    Raises:
        ValueError: If there is no unit, or one of them is not a unit.
    """

    units: tuple[FusionUnit, ...]
    architecture: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.units, str):
            raise ValueError(
                f"units must be a sequence; use FusionStrategy.parse for text. "
                f"Received: {self.units!r}"
            )
        units = tuple(_unit_at(layer, unit) for layer, unit in enumerate(self.units, start=1))
        if not units:
            raise ValueError("A strategy needs at least one unit. Received: none")
        object.__setattr__(self, "units", units)

    @classmethod
    def parse(cls, text: str, architecture: str | None = None) -> FusionStrategy:
        """Read a strategy from text: units separated by white space, `"S S+ST - ST"`."""
        return cls(tuple(text.split()), architecture)  # type: ignore[arg-type]

    @classmethod
    def of(cls, strategy: FusionStrategy | str) -> FusionStrategy:
        """A strategy as it is, or from its text.

        Raises:
            ValueError: If it is text that is no strategy.
            TypeError: If it is something else, a probability space, say.
        """
        if isinstance(strategy, str):
            return cls.parse(strategy)
        if not isinstance(strategy, FusionStrategy):
            raise TypeError(
                "Expected a FusionStrategy or its text, such as 'S S+ST - ST' (of a space: its "
                f"mode(), or one of its sample(n)). Received: a {type(strategy).__name__}"
            )
        return strategy

    @classmethod
    def uniform(cls, unit: str, length: int, architecture: str | None = None) -> FusionStrategy:
        """Use the same unit in all `length` layers."""
        return cls((FusionUnit(unit),) * length, architecture)

    def __str__(self) -> str:
        return " ".join(self.units)

    def __len__(self) -> int:
        return len(self.units)

    def __iter__(self) -> Iterator[FusionUnit]:
        return iter(self.units)

    @overload
    def __getitem__(self, index: int) -> FusionUnit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[FusionUnit, ...]: ...
    def __getitem__(self, index: int | slice) -> FusionUnit | tuple[FusionUnit, ...]:
        return self.units[index]

    def triplets(self) -> set[tuple[int, tuple[int, ...], FusionUnit]]:
        """Give the paper's set `{(l, v, u)}` (section 3, Fig. 2).

        Returns:
            Triplets of the layer number `l` from 1, the binary vector `v` of the inputs, and the
            unit `u`. Where all inputs share the unit `v` is all ones, of length `l - 1` (the
            earlier layers). Where they do not, there is one triplet per distinct unit, and `v`
            is as long as the unit's masks. A layer, or an input, without a path has no triplet.
        """
        found: set[tuple[int, tuple[int, ...], FusionUnit]] = set()
        for layer, unit in enumerate(self.units, start=1):
            found.update((layer, v, u) for u, v in _units_by_input(layer, unit).items())
        return found

    @classmethod
    def from_triplets(
        cls,
        triplets: Iterable[Triplet],
        *,
        length: int | None = None,
        architecture: str | None = None,
    ) -> FusionStrategy:
        """Build a strategy from the paper's set `{(l, v, u)}`: the inverse of `triplets`.

        A layer without a triplet is `-`. Where all `l - 1` earlier layers of layer `l` get the
        same unit, that is the unit they share, `S+ST`: triplets do not tell it from masks of
        ones, `S@11+ST@11`. All other layers get a unit with masks over the entries of `v`.

        Args:
            triplets: Layer number `l` from 1, 0/1 vector `v` of the layer's inputs (empty in
                layer 1, whose input is the clip), unit `u` or its text.
            length: Number of fusion layers; None for the highest layer named.
            architecture: Name of the network, or None for any.

        Raises:
            ValueError: If a layer number is below 1 or above `length`, an input gets two units,
                vectors of one layer differ in length, or a triplet has no input or no path.
        """
        read = [(layer, v, _unit_at(layer, unit)) for layer, v, unit in triplets]
        return cls(layer_texts(read, length, BRANCHES), architecture)  # type: ignore[arg-type]

    def masks(self, branches: Sequence[str] = ("S", "ST")) -> tuple[tuple[int, ...], ...]:
        """Give each layer's 0/1 masks over `branches`, for units that all inputs share.

        Args:
            branches: The network's branches, in the order of its masks.

        Returns:
            A tuple over layers of tuples over branches.

        Raises:
            ValueError: If a unit uses another branch, or has masks per input.
        """
        self._check_branches(branches)
        for layer, unit in enumerate(self.units, start=1):
            if unit.inputs:
                raise ValueError(
                    f"Layer {layer} uses its inputs differently; expected a unit that all of its "
                    f"inputs share, such as 'S+ST'. Received: {str(unit)!r}"
                )
        return tuple(tuple(int(b in unit.branches) for b in branches) for unit in self.units)

    def check(self, length: int, architecture: str | None, branches: Sequence[str]) -> None:
        """Stop where the strategy does not fit a network.

        Args:
            length: The network's number of fusion layers.
            architecture: The network's name; not compared where either side has none.
            branches: The network's branches.

        Raises:
            ValueError: On another length, another architecture or a missing branch.
        """
        if None not in (architecture, self.architecture) and architecture != self.architecture:
            raise ValueError(
                f"The strategy was made for {self.architecture!r}, the network is "
                f"{architecture!r}. Use a strategy of that network, or one with architecture=None."
            )
        if len(self) != length:
            raise ValueError(
                f"The strategy has {len(self)} units, the network has {length} fusion layers. "
                f"Expected one unit per layer. Received: {str(self)!r}"
            )
        self._check_branches(branches)

    def _check_branches(self, branches: Sequence[str]) -> None:
        for layer, unit in enumerate(self.units, start=1):
            for branch in unit.branches:
                if branch not in branches:
                    raise ValueError(
                        f"Layer {layer} uses branch {branch!r}, which the network lacks. "
                        f"Expected units of {tuple(branches)}. Received: {str(unit)!r}"
                    )

    def to_json(self) -> str:
        """Write as JSON: format version, architecture, units as text."""
        fields = {
            "format": _FORMAT,
            "architecture": self.architecture,
            "units": str(self),
        }
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> FusionStrategy:
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is not JSON, of another format or version, or has a bad field.
        """
        fields = read_json(text, _FORMAT, ("architecture", "units"))
        if not isinstance(fields["units"], str):
            raise ValueError(f"Expected 'units' to be text. Received: {fields['units']!r}")
        check_architecture(fields["architecture"])
        return cls.parse(fields["units"], fields["architecture"])


def _unit_at(layer: int, text: str) -> FusionUnit:
    try:
        return FusionUnit(text)
    except ValueError as error:
        raise ValueError(f"Layer {layer}: {error}") from None


def _units_by_input(layer: int, unit: FusionUnit) -> dict[FusionUnit, tuple[int, ...]]:
    if unit == NONE:
        return {}
    if not unit.inputs:
        return {unit: (1,) * (layer - 1)}
    columns = zip(*unit.inputs.values(), strict=True)
    texts = ["+".join(b for b, bit in zip(unit.inputs, c, strict=True) if bit) for c in columns]
    used = {text for text in texts if text}
    return {FusionUnit(u): tuple(int(text == u) for text in texts) for u in used}

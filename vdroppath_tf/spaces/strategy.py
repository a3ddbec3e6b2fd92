"""Fusion strategies as data: one unit per fusion layer, as text, triplets and JSON.

A strategy is written as text, one unit per fusion layer: `"S S+ST - ST"`. That text is what goes
into JSON, Keras configs, flags, tables and file names. Nothing here needs numpy or TensorFlow.

Reference: Zhou et al., *Spatiotemporal Fusion in 3D CNNs: A Probabilistic View*, CVPR 2020,
section 3 (units U, triplets `(l, v, u)`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from vdroppath_tf.files import check_architecture, read_json
from vdroppath_tf.names import named
from vdroppath_tf.spaces.triplets import Triplet, layer_texts, layer_triplets
from vdroppath_tf.spaces.unit import BRANCHES, FusionUnit

_FORMAT = "vdroppath_tf.strategy/1"


@named
@dataclass(frozen=True)
class FusionStrategy:
    """A fusion strategy: one unit for each fusion layer, the first layer first.

    Args:
        units: Units or their texts, one per fusion layer.
        architecture: Name of the network the strategy was made for, or None for any.

    Raises:
        ValueError: If there is no unit, or one of them is not a unit.

    Example:
    ```python
    strategy = FusionStrategy.parse("S S+ST - ST")
    strategy[1].branches  # ("S", "ST")
    strategy.masks()  # ((1, 0), (1, 1), (0, 0), (0, 1))
    FusionStrategy.uniform("ST", length=4).triplets()
    FusionStrategy.from_triplets(strategy.triplets(), length=4) == strategy  # True
    FusionStrategy.from_json(strategy.to_json()) == strategy  # True
    ```
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

    def runs(self) -> str:
        """Returns the units as run lengths, as the paper's authors write them: `"7 S+ST, 6 ST"`.

        Example:
        ```python
        print(FusionStrategy.parse("S S S+ST ST ST").runs())  # 2 S, 1 S+ST, 2 ST
        ```
        """
        runs = ((len([*same]), unit) for unit, same in itertools.groupby(map(str, self.units)))
        return ", ".join(f"{count} {unit}" for count, unit in runs)

    @property
    def empty(self) -> bool:
        """Whether no layer has a path: the network is its stem, its shortcuts and its head."""
        return not any(unit.branches for unit in self.units)

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
            found.update((layer, v, u) for u, v in layer_triplets(layer, unit))
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

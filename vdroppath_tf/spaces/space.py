"""The learned probability space of fusion strategies, as numpy data.

Each path of each fusion layer has a drop probability p. Draws, the most probable strategy,
log-probabilities and entropies use p itself ("sampling" form, Eq. 6): a path is on with
probability `1 - p`. Layer marginals use `1 - sqrt(p)` unless told otherwise ("paper" form, Eq. 7,
S16-S17). The two disagree, so every method says which one it uses.

Reference: Zhou et al., *Spatiotemporal Fusion in 3D CNNs: A Probabilistic View*, CVPR 2020.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np

from vdroppath_tf.files import check_architecture, load_text, read_json, write_text
from vdroppath_tf.spaces import draws
from vdroppath_tf.spaces.gate_arrays import (
    LayerArrays,
    check_names,
    check_probabilities,
    gate_arrays,
    per_layer,
    starting_values,
)
from vdroppath_tf.spaces.strategy import UNITS, FusionStrategy, FusionUnit

_FORMAT = "vdroppath_tf.space/1"
_FIELDS = (
    *("architecture", "branches", "layers", "drop", "initial"),
    *("droppable", "layer_drop", "initial_layer_drop"),
)

Form: TypeAlias = Literal["paper", "sampling"]
OnEmpty: TypeAlias = Literal["allow", "resample"]


@dataclass(frozen=True, eq=False)
class ProbabilitySpace:
    """Drop probabilities of every path of every fusion layer.

    In an ordinary space all inputs of a layer share its gates. In a ragged one each input has its
    own: then `drop` and `initial` are tuples of one array `(inputs, branches)` per layer, draws
    have units such as `S@101+ST@011`, and per-layer results are tuples of arrays over inputs.

    Where a method takes `on_empty`, it says what happens to a layer that draws no path although a
    shortcut goes round it: `"allow"` keeps it empty, `"resample"` draws that layer again (the
    distribution given that a path is on). Where no shortcut goes round (`droppable` False) an
    empty layer would kill the signal, and it is always drawn again.

    Args:
        drop: `(layers, branches)` drop probabilities p in [0, 1], or a tuple of arrays (ragged).
        initial: Their starting values, of the same shape or one number for all.
        layers: Names of the fusion layers; `layer1`, `layer2`, ... where left out.
        architecture: Name of the network.
        branches: Branches of each layer, in the order S, T, ST.
        droppable: `(layers,)`, True where a shortcut goes round the layer. Default: everywhere.
        layer_drop: `(layers,)` probability of dropping the whole layer (the paper's D1); 0 where
            there is no such gate. Default: 0.
        initial_layer_drop: Its starting values. Default: 0.

    Raises:
        ValueError: If shapes do not agree, or a value is not a probability.
    """

    drop: LayerArrays
    initial: LayerArrays = 0.1
    layers: tuple[str, ...] = ()
    architecture: str | None = None
    branches: tuple[str, ...] = ("S", "ST")
    droppable: Any = None
    layer_drop: Any = None
    initial_layer_drop: Any = None

    def __post_init__(self) -> None:
        drop = gate_arrays("drop", self.drop)
        fields = {
            "drop": drop,
            "initial": starting_values(self.initial, drop),
            "layers": tuple(self.layers) or tuple(f"layer{n + 1}" for n in range(len(drop))),
            "branches": tuple(self.branches),
            "droppable": per_layer("droppable", self.droppable, len(drop), default=True),
            "layer_drop": per_layer("layer_drop", self.layer_drop, len(drop), default=0.0),
            "initial_layer_drop": per_layer(
                "initial_layer_drop", self.initial_layer_drop, len(drop), default=0.0
            ),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        check_names(self)
        for name in ("drop", "initial", "layer_drop", "initial_layer_drop"):
            check_probabilities(self, name)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def ragged(self) -> bool:
        """Whether each input of a layer has gates of its own."""
        return isinstance(self.drop, tuple)

    @property
    def gated(self) -> np.ndarray:
        """`(layers, branches)`: False where a layer lacks a branch, so that p starts at 1 there."""
        return np.array([np.min(np.atleast_2d(layer), axis=0) < 1 for layer in self.initial])

    def marginals(self, form: Form = "paper") -> dict[str, LayerArrays]:
        """Probability of every unit in every layer, from independent gates (Eq. 7).

        No `on_empty` policy is applied. A layer's D1 gate scales its units, and what it takes
        goes to `"-"`.

        Args:
            form: `"paper"`: a gate is on with `1 - sqrt(p)`. `"sampling"`: with `1 - p`.

        Returns:
            Unit text (`"S+ST"`, `"S"`, `"ST"`, `"-"`) to its `(layers,)` probabilities.
        """
        return self._by_unit(_unit_probabilities(self.drop, self.layer_drop, form))

    def mean_marginals(self) -> dict[str, np.ndarray]:
        """Eq. 7's marginals, `(layers,)` of each unit, averaged over a layer's inputs if ragged.

        Units come in the order of `UNITS`, those with S first.
        """
        found = self.marginals(form="paper")
        return {
            unit: np.array([np.mean(v) for v in found[unit]]) for unit in UNITS if unit in found
        }

    def path_on(self, form: Form = "sampling") -> dict[str, LayerArrays]:
        """Probability that each branch is on, in every layer: a sum of `marginals(form)`."""
        marginals = self.marginals(form)
        if not self.ragged:
            units = {
                b: [u for u in marginals if b in FusionUnit(u).branches] for b in self.branches
            }
            return {b: np.sum([marginals[u] for u in found], axis=0) for b, found in units.items()}
        on = [
            (1 - _off(drop, form)) * (1 - _off(layer_drop, form))
            for drop, layer_drop in zip(self.drop, self.layer_drop, strict=True)
        ]
        return {b: tuple(layer[:, n] for layer in on) for n, b in enumerate(self.branches)}

    def distance_from_start(self, form: Form = "paper") -> np.ndarray:
        """Total variation distance of each layer's marginals from their starting values.

        Returns:
            `(layers,)` in [0, 1]; in a ragged space the mean over a layer's inputs.
        """
        now = _unit_probabilities(self.drop, self.layer_drop, form)
        start = _unit_probabilities(self.initial, self.initial_layer_drop, form)
        return np.array(
            [np.abs(a - b).sum(axis=-1).mean() / 2 for a, b in zip(now, start, strict=True)]
        )

    def sample(self, n: int, seed: int = 0, on_empty: OnEmpty = "allow") -> list[FusionStrategy]:
        """Draw strategies, every gate once for the whole network (Eq. 6; sampling form).

        A pure function of the space, `n`, `seed` and `on_empty`; draw k is the same for all n > k.

        Args:
            n: Number of draws.
            seed: A number of at least 0.
            on_empty: See the class.

        Returns:
            `n` strategies, repetitions included.

        Raises:
            ValueError: If `n` is negative, or a layer that must have a path can have none.
        """
        if n < 0:
            raise ValueError(f"Expected a number of draws n >= 0. Received: {n}")
        layers = self.layer_draws(on_empty)
        widths = [1 + drop.size for drop, _, _ in layers]
        noise = np.random.Generator(np.random.PCG64(seed)).random((n, sum(widths)))
        parts = np.split(noise, np.cumsum(widths)[:-1], axis=1)
        masks = [
            draws.draw(drop, layer_drop, part, never_empty=never_empty)
            for (drop, layer_drop, never_empty), part in zip(layers, parts, strict=True)
        ]
        return [self.strategy_of([layer[k] for layer in masks]) for k in range(n)]

    def log_prob(self, strategy: FusionStrategy, on_empty: OnEmpty = "allow") -> float:
        """Natural logarithm of the probability that `sample` draws `strategy`; may be -inf.

        Args:
            strategy: In a ragged space a unit without masks means the same for all inputs.
            on_empty: See the class.

        Raises:
            ValueError: If the strategy does not fit the space.
        """
        layers = zip(self.layer_draws(on_empty), self._masks(strategy), strict=True)
        return float(
            sum(
                draws.log_prob(mask, drop, layer_drop, never_empty=never_empty)
                for (drop, layer_drop, never_empty), mask in layers
            )
        )

    def mode(self, on_empty: OnEmpty = "allow") -> FusionStrategy:
        """Most probable draw (sampling form); of equals, the first in the order of `marginals`."""
        return self.strategy_of(
            [
                draws.mode(drop, layer_drop, never_empty=never_empty)
                for drop, layer_drop, never_empty in self.layer_draws(on_empty)
            ]
        )

    def entropy(self, on_empty: OnEmpty = "allow") -> np.ndarray:
        """Entropy of each layer's draw, `(layers,)` in nats (sampling form)."""
        return np.array(
            [
                draws.entropy(drop, layer_drop, never_empty=never_empty)
                for drop, layer_drop, never_empty in self.layer_draws(on_empty)
            ]
        )

    def to_json(self) -> str:
        """Write as JSON; numbers come back exactly."""
        fields: dict[str, Any] = {"format": _FORMAT}
        for name in _FIELDS:
            value = getattr(self, name)
            if isinstance(value, tuple):
                value = [v.tolist() if isinstance(v, np.ndarray) else v for v in value]
            fields[name] = value.tolist() if isinstance(value, np.ndarray) else value
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> ProbabilitySpace:
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is not JSON, of another format or version, or has a bad field.
        """
        fields = read_json(text, _FORMAT, _FIELDS)
        check_architecture(fields["architecture"])
        for name in ("layers", "branches"):
            if not isinstance(fields[name], list):
                raise ValueError(f"Expected {name!r} to be a list. Received: {fields[name]!r}")
        return cls(**fields)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON to a file, whole or not at all."""
        write_text(path, self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ProbabilitySpace:
        """Read a file that `save` wrote.

        Raises:
            ValueError: If it holds no space; the message names the file.
            OSError: If it cannot be read.
        """
        return load_text(path, cls.from_json)

    @classmethod
    def from_model(cls, model: Any) -> ProbabilitySpace:
        """Read the space of a template: its gates' p, their start, and where shortcuts go.

        Raises:
            ValueError: If the model has no gates to read.
        """
        if not hasattr(model, "read_gates"):
            raise ValueError(
                "Expected a template network of vdroppath_tf.zoo, as built or loaded with "
                f"keras.saving.load_model. Received: a {type(model).__name__}"
            )
        return cls(**model.read_gates())

    def _by_unit(self, probabilities: Any) -> dict[str, LayerArrays]:
        units = unit_table(self.branches)[0]
        if self.ragged:
            return {u: tuple(layer[:, n] for layer in probabilities) for n, u in enumerate(units)}
        return {u: probabilities[:, n] for n, u in enumerate(units)}

    def layer_draws(self, on_empty: OnEmpty) -> list[tuple[np.ndarray, float, bool]]:
        """Per layer: flat drop probabilities, D1's, and whether an empty draw is redrawn."""
        if on_empty not in ("allow", "resample"):
            raise ValueError(f"Expected on_empty 'allow' or 'resample'. Received: {on_empty!r}")
        found = []
        for n, name in enumerate(self.layers):
            drop, layer_drop = self.drop[n].ravel(), float(self.layer_drop[n])
            never_empty = on_empty == "resample" or not self.droppable[n]
            if never_empty and not draws.can_be_filled(drop, layer_drop):
                raise ValueError(
                    f"Layer {name!r} drops every path with probability 1, but must keep one. "
                    f"Expected a drop probability below 1. Received: {drop.tolist()} for the "
                    f"paths, {layer_drop} for the layer"
                )
            found.append((drop, layer_drop, never_empty))
        return found

    def strategy_of(self, masks: list[np.ndarray]) -> FusionStrategy:
        """Name flat masks, one per layer."""
        if self.ragged:
            tables = [mask.reshape(-1, len(self.branches)).T for mask in masks]
            units = tuple(
                FusionUnit.from_masks(dict(zip(self.branches, table, strict=True)))
                for table in tables
            )
            return FusionStrategy(units, self.architecture)
        rows = {tuple(row): unit for unit, row in zip(*unit_table(self.branches), strict=True)}
        units = tuple(rows[tuple(int(bit) for bit in mask)] for mask in masks)
        return FusionStrategy(units, self.architecture)

    def _masks(self, strategy: FusionStrategy) -> list[np.ndarray]:
        """Flat masks of a strategy, one per layer: the inverse of `strategy_of`."""
        strategy.check(len(self), self.architecture, self.branches)
        if not self.ragged:
            return [np.array(row, dtype=bool) for row in strategy.masks(self.branches)]
        pairs = zip(strategy, self.drop, self.layers, strict=True)
        return [flat_mask(unit, len(drop), self.branches, name) for unit, drop, name in pairs]


@cache
def unit_table(
    branches: tuple[str, ...],
) -> tuple[tuple[FusionUnit, ...], tuple[Any, ...]]:
    """All `2 ** len(branches)` units, from all branches on down to `-`, with their 0/1 masks."""
    masks = tuple(itertools.product((1, 0), repeat=len(branches)))
    names = ("+".join(b for b, on in zip(branches, row, strict=True) if on) for row in masks)
    return tuple(FusionUnit(name or "-") for name in names), masks


def _off(drop: np.ndarray, form: Form) -> np.ndarray:
    """Probability of a gate being off in the given form."""
    if form not in ("paper", "sampling"):
        raise ValueError(f"Expected form 'paper' or 'sampling'. Received: {form!r}")
    return np.sqrt(drop) if form == "paper" else np.asarray(drop)


def _unit_probabilities(drop: LayerArrays, layer_drop: np.ndarray, form: Form) -> LayerArrays:
    """P(unit), `(layers, units)`; ragged, a tuple of `(inputs, units)`."""
    if isinstance(drop, tuple):
        pairs = zip(drop, layer_drop, strict=True)
        return tuple(_table(layer, _off(one, form), form) for layer, one in pairs)
    return _table(drop, _off(layer_drop, form)[:, None], form)


def _table(drop: np.ndarray, layer_off: np.ndarray, form: Form) -> np.ndarray:
    off = _off(drop, form)[:, None, :]
    masks = np.array(list(itertools.product((1, 0), repeat=drop.shape[-1])))
    table: np.ndarray = np.prod(np.where(masks, 1 - off, off), axis=-1) * (1 - layer_off)
    table[:, -1:] += layer_off
    return table


def flat_mask(
    unit: FusionUnit, inputs: int, branches: tuple[str, ...], name: str, *, shared: bool = False
) -> np.ndarray:
    """Flat `(inputs * branches,)` boolean mask of a unit, input by input.

    Raises:
        ValueError: If the unit has masks of another length, or any where inputs share their gates.
    """
    if shared and unit.inputs:
        raise ValueError(
            f"Layer {name!r} uses its inputs differently; expected a unit that all of its inputs "
            f"share, such as 'S+ST'. Received: {str(unit)!r}"
        )
    rows = unit.inputs or dict.fromkeys(unit.branches, (1,) * inputs)
    if any(len(row) != inputs for row in rows.values()):
        raise ValueError(
            f"Layer {name!r} has {inputs} inputs. Expected masks of that length. "
            f"Received: {str(unit)!r}"
        )
    columns = [rows.get(branch, (0,) * inputs) for branch in branches]
    return np.array(columns, dtype=bool).T.ravel()

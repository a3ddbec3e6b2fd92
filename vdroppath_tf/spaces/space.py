"""The learned probability space of fusion strategies, as numpy data.

Each path of each fusion layer has a drop probability p. Draws, the most probable strategy,
log-probabilities and entropies use p itself ("sampling" form, Eq. 6): a path is on with
probability `1 - p`. Layer marginals use `1 - sqrt(p)` unless told otherwise ("paper" form, Eq. 7,
S16-S17). The two disagree, so every method says which one it uses.

Reference: Zhou et al., *Spatiotemporal Fusion in 3D CNNs: A Probabilistic View*, CVPR 2020.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vdroppath_tf.files import load_text, write_text
from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.names import named
from vdroppath_tf.spaces import draws, gate_arrays, space_json
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.layer_gates import read_gates
from vdroppath_tf.spaces.marginals import (
    Form,
    Marginals,
    distances,
    mean_over_inputs,
    path_probabilities,
    unit_probabilities,
)
from vdroppath_tf.spaces.masks import flat_mask, unit_of, unit_table
from vdroppath_tf.spaces.pushes import Pushes
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
@dataclass(frozen=True, eq=False)
class ProbabilitySpace(ShowsTable):
    """The drop probabilities of every path of every fusion layer.

    `drop` and `initial` are tuples of one read-only float64 array `(inputs, branches)` a layer,
    where `inputs` is 1 if all inputs of the layer share its gates. In a space with gates per input
    (`per_input`) draws have units such as `S@101+ST@011`, and results of `(layers,)` are means over
    a layer's inputs.

    Where a method takes `on_empty`, it says what happens to a layer that draws no path although it
    sits on a residual branch: `"allow"` keeps it empty, `"resample"` draws that layer again (the
    distribution given that a path is on). Where it does not (`has_residual` is False) an empty
    layer would kill the signal, and it is always drawn again.

    Args:
        drop: Drop probabilities p in [0, 1]: one array `(inputs, branches)` a layer, or a row
            `(branches,)` a layer, such as an array `(layers, branches)`.
        initial: Their starting values, likewise, or one number for all.
        layers: Names of the fusion layers; `layer1`, `layer2`, ... where left out.
        architecture: Name of the network.
        branches: Branches of each layer, in the order S, T, ST.
        has_residual: `(layers,)`, True where the layer sits on a residual branch, so
            that dropping all of its paths leaves the shortcut. Default: everywhere.
        layer_drop: `(layers,)` probability of dropping the whole layer (the paper's D1); 0 where
            there is no such gate. Default: 0.
        initial_layer_drop: Its starting values. Default: 0.
        pushes: `Pushes`, what moved the gates while they were trained: the data, or the prior; see
            `diagnose`. Default: unknown.

    Raises:
        ValueError: If shapes do not agree, or a value is not a probability.

    Example:
    ```python
    space = ProbabilitySpace([[0.1, 0.9], [0.6, 0.2]])  # p of S and of ST in two layers
    print(space.mode())  # S ST
    print(space.marginals()["S+ST"], space.entropy(), space.distance_from_start())
    for strategy in space.sample(2, seed=0):
        print(strategy, space.log_prob(strategy))
    space.save("space.json")
    ```
    """

    drop: Any
    initial: Any = 0.1
    layers: tuple[str, ...] = ()
    architecture: str | None = None
    branches: tuple[str, ...] = ("S", "ST")
    has_residual: Any = None
    layer_drop: Any = None
    initial_layer_drop: Any = None
    pushes: Pushes | None = None

    def __post_init__(self) -> None:
        drop = gate_arrays.gate_arrays("drop", self.drop)
        initial = gate_arrays.starting_values(self.initial, drop)
        layers = tuple(self.layers) or tuple(f"layer{n + 1}" for n in range(len(drop)))
        branches = tuple(self.branches)
        gate_arrays.check_names(layers, branches, len(drop))
        gate_arrays.check_shapes("drop", drop, branches, drop)
        gate_arrays.check_shapes("initial", initial, branches, drop)
        fields = {"drop": drop, "initial": initial, "layers": layers, "branches": branches}
        for name, default in _PER_LAYER.items():
            given = getattr(self, name)
            fields[name] = gate_arrays.per_layer(name, given, len(drop), default=default)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        for name in ("drop", "initial", "layer_drop", "initial_layer_drop"):
            gate_arrays.check_probabilities(name, fields[name], layers)
        if self.pushes is not None:
            self.pushes.check(drop)

    def __repr__(self) -> str:
        low, high = (float(f([f(layer) for layer in self.drop])) for f in (np.min, np.max))
        return (
            f"ProbabilitySpace({len(self)} layers of {self.architecture or 'any network'}, "
            f"branches={'+'.join(self.branches)}, per_input={self.per_input}, "
            f"drop from {low:.3f} to {high:.3f})"
        )

    def short_table(self) -> ShortTable:
        """A line a layer: the most probable unit, drop probabilities (means over its inputs)."""
        heads = ["layer", "mode", *(f"p({branch})" for branch in self.branches)]
        columns = [np.array([layer.mean(0) for layer in self.drop])]
        if np.any(self.initial_layer_drop):
            heads.append("p(layer)")
            columns.append(self.layer_drop[:, None])
        rows = np.concatenate(columns, 1).tolist()
        modes = [str(unit) for unit in self.mode()]
        lines = [[n, m, *row] for n, m, row in zip(self.layers, modes, rows, strict=True)]
        return ShortTable(repr(self), heads, lines)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def per_input(self) -> bool:
        """Whether each input of a layer has gates of its own."""
        return any(len(layer) > 1 for layer in self.drop)

    @property
    def gated(self) -> np.ndarray:
        """`(layers, branches)`: False where a layer lacks a branch, so that p starts at 1 there."""
        return np.array([layer.min(axis=0) < 1 for layer in self.initial])

    def started(self) -> ProbabilitySpace:
        """The space before training: every probability has its starting value."""
        return replace(self, drop=self.initial, layer_drop=self.initial_layer_drop, pushes=None)

    def unit_probabilities(self, form: Form = "paper") -> tuple[np.ndarray, ...]:
        """Probability of every unit for every input, from independent gates (Eq. 7).

        No `on_empty` policy is applied. A layer's D1 gate scales its units, and what it takes
        goes to `"-"`.

        Args:
            form: `"paper"`: a gate is on with `1 - sqrt(p)`. `"sampling"`: with `1 - p`.

        Returns:
            `(inputs, units)` a layer, units in the order of `marginals`.
        """
        return unit_probabilities(self.drop, self.layer_drop, self.branches, form)

    def marginals(self, form: Form = "paper") -> Marginals:
        """`unit_probabilities` by unit, averaged over a layer's inputs.

        Args:
            form: See `unit_probabilities`.

        Returns:
            A dict of unit text (`"S+ST"`, `"S"`, `"ST"`, `"-"`) to its `(layers,)` probabilities,
            which notebooks show as a table.
        """
        means = mean_over_inputs(self.unit_probabilities(form))
        found = Marginals(zip(unit_table(self.branches)[0], means.T, strict=True))
        found.layers = self.layers
        return found

    def path_on(self, form: Form = "sampling") -> dict[str, np.ndarray]:
        """Probability that each branch is on, `(layers,)`: a sum of `marginals(form)`."""
        means = mean_over_inputs(path_probabilities(self.drop, self.layer_drop, form))
        return dict(zip(self.branches, means.T, strict=True))

    def distance_from_start(self, form: Form = "paper") -> np.ndarray:
        """Total variation distance of each layer's marginals from their starting values.

        Returns:
            `(layers,)` in [0, 1], the mean over a layer's inputs.
        """
        return distances(self.unit_probabilities(form), self.started().unit_probabilities(form))

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
            strategy: A unit without masks means the same for all inputs of its layer.
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
        names = (*space_json.FIELDS, space_json.PUSHES)
        return space_json.written({name: getattr(self, name) for name in names})

    @classmethod
    def from_json(cls, text: str) -> ProbabilitySpace:
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is not JSON, of another format or version, or has a bad field.
        """
        return cls(**space_json.read(text))

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
        """Read the space of a template: its gates' p, their start, its residual branches.

        Of any Keras model that holds a template, or several: their layers one after another.

        Raises:
            ValueError: If the model has no gates to read.
        """
        own = getattr(model, "read_gates", None)
        return cls(**(read_gates(model) if own is None else own()))

    def layer_draws(self, on_empty: OnEmpty) -> list[tuple[np.ndarray, float, bool]]:
        """Per layer: flat drop probabilities, D1's, and whether an empty draw is redrawn."""
        if on_empty not in ("allow", "resample"):
            raise ValueError(f"Expected on_empty 'allow' or 'resample'. Received: {on_empty!r}")
        found = []
        for n, name in enumerate(self.layers):
            drop, layer_drop = self.drop[n].ravel(), float(self.layer_drop[n])
            never_empty = on_empty == "resample" or not self.has_residual[n]
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
        own = self.per_input
        units = tuple(unit_of(mask, self.branches, per_input=own) for mask in masks)
        return FusionStrategy(units, self.architecture)

    def _masks(self, strategy: FusionStrategy) -> list[np.ndarray]:
        """Flat masks of a strategy, one per layer: the inverse of `strategy_of`."""
        strategy.check(len(self), self.architecture, self.branches)
        shared = not self.per_input
        return [
            flat_mask(unit, len(drop), self.branches, name, shared=shared)
            for unit, drop, name in zip(strategy, self.drop, self.layers, strict=True)
        ]


# Fields of one value a layer, with their defaults.
_PER_LAYER: dict[str, bool | float] = {
    "has_residual": True,
    "layer_drop": 0.0,
    "initial_layer_drop": 0.0,
}

"""Parameters and multiply-adds (MACs) of a network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import branches_of, fusion_layers
from vdroppath_tf.models.blocks import block_layers, spatial_layers
from vdroppath_tf.names import named
from vdroppath_tf.spaces.masks import flat_mask
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

GATE_WEIGHTS = ("logit", "layer_logit")  # last part of the paths of the trainable gate variables
# weights that are no parameters; `trainable` does not say it, since a frozen network costs the same
_NOT_COUNTED = {*GATE_WEIGHTS, "mask", "noise_step", "moving_mean", "moving_variance"}


@dataclass(frozen=True)
class LayerCost:
    """Cost of one layer: parameters (gates excluded) and multiply-adds for one clip.

    Example:
    ```python
    layers = vdroppath_tf.cost.complexity(network, clip_shape=(8, 32, 32)).layers
    print(max(layers, key=lambda layer: layer.macs).name)
    ```
    """

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True)
class Complexity(ShowsTable):
    """Cost of a network for one clip, by layer; ``parameters`` and ``macs`` are the totals.

    Printed, or in a notebook, it is the totals and the layers with the most MACs; ``to_frame()``
    has all layers in their order.

    Attributes:
        layers: tuple of LayerCost, the layers with parameters or MACs, in the order of the network.

    Example:
    ```python
    found = vdroppath_tf.cost.complexity(network, clip_shape=(8, 32, 32))
    print(found)  # the totals, and the costliest layers
    for layer in found.layers:
        print(layer.name, layer.macs)
    ```
    """

    layers: tuple[LayerCost, ...]

    def __repr__(self) -> str:
        return (
            f"Complexity({self.parameters:,} parameters, {self.macs:,} MACs, "
            f"{len(self.layers):,} layers)"
        )

    def __str__(self) -> str:
        return self._costliest().text()

    def _repr_html_(self) -> str:
        return self._costliest().html()

    def short_table(self) -> ShortTable:
        """Returns a line for each layer, in order; printed, those with the most MACs come first."""
        return self._table(self.layers)

    def _costliest(self) -> ShortTable:
        return self._table(sorted(self.layers, key=lambda layer: (-layer.macs, -layer.parameters)))

    def _table(self, layers: Sequence[LayerCost]) -> ShortTable:
        lines = [(layer.name, layer.parameters, layer.macs) for layer in layers]
        return ShortTable(repr(self), ("layer", "parameters", "macs"), lines)

    @property
    def parameters(self) -> int:
        """Parameters: trained weights, frozen or not, without the gates."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and dense layers; S+ST counts as two convolutions."""
        return sum(layer.macs for layer in self.layers)


@named
def complexity(model: keras.Model, clip_shape: tuple[int, int, int]) -> Complexity:
    """The parameters and MACs of a functional model of this package, for one clip.

    A template counts with all its paths, whichever strategy it runs.

    Args:
        model: keras.Model, a template, a derived network, or another functional model of the same
            layers.
        clip_shape: tuple of int, frames, height and width.

    Raises:
        ValueError: If ``clip_shape`` is not three positive integers, or not what the model was
            built for.

    Example:
    ```python
    found = vdroppath_tf.cost.complexity(network, clip_shape=(8, 32, 32))
    print(found.parameters, found.macs)
    ```
    """
    numbers = clip_shape if isinstance(clip_shape, (tuple, list)) else ()
    if len(numbers) != 3 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in numbers):
        raise ValueError(f"clip_shape must be (frames, height, width). Received: {clip_shape}")
    built = model.inputs[0].shape[1:4]
    if any(size not in (None, n) for size, n in zip(built, numbers, strict=True)):
        raise ValueError(
            f"{model.name!r} was built for clips of {built}. Expected that clip_shape, or a "
            f"network built without one, which takes any. Received: {tuple(numbers)}"
        )
    shapes = dict(_input_shapes(model, clip_shape))
    rows = []
    for layer in model.layers:
        counted = (v for v in layer.weights if v.path.split("/")[-1] not in _NOT_COUNTED)
        parameters = sum(int(np.prod(v.shape)) for v in counted)
        macs = _macs(layer, shapes[layer.name]) if layer.name in shapes else 0
        if parameters or macs:
            rows.append(LayerCost(layer.name, parameters, macs))
    return Complexity(tuple(rows))


def _counted(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, (Convolution, FusionConv, keras.layers.Dense))


def _input_shapes(
    model: keras.Model, clip_shape: tuple[int, int, int]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and input shape (without the batch) of every layer that multiplies."""
    counted = [layer for layer in model.layers if _counted(layer)]
    inputs = [keras.tree.flatten(layer.input)[0] for layer in counted]
    probe = keras.Model(model.inputs, inputs)
    clip = keras.KerasTensor((1, *clip_shape, model.input_shape[-1]), model.inputs[0].dtype)
    for layer, at in zip(counted, probe.compute_output_spec(clip), strict=True):
        yield layer.name, at.shape[1:]


def _macs(layer: keras.layers.Layer, input_shape: tuple[int, ...]) -> int:
    if isinstance(layer, keras.layers.Dense):
        return int(np.prod(layer.kernel.shape)) * int(np.prod(input_shape[:-1], dtype=int))
    return layer.macs(input_shape)


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """What each path costs, and what its block needs once a path is on: costs are sums over layers.

    Every array starts with an axis of 2: parameters, then MACs.

    Attributes:
        base: ``(2,)``, of everything outside the blocks, shortcuts included.
        block: ``(2, layers)``, of the rest of a block, needed where any path is on.
        spatial: ``(2, layers)``, of the 1x3x3 that T bypasses, needed where S or ST is on.
        paths: for each layer ``(2, inputs, branches)``; one input where all share the gates.
        branches: the axis of ``paths``.

    Example:
    ```python
    costs = vdroppath_tf.cost.unit_costs(template, clip_shape=(8, 32, 32))
    parameters, macs = costs.of(space.mode())  # of the derived network
    ```
    """

    base: np.ndarray
    block: np.ndarray
    spatial: np.ndarray
    paths: tuple[np.ndarray, ...]
    branches: tuple[str, ...]

    __repr__ = brief

    def of(self, strategy: FusionStrategy | str) -> tuple[int, int]:
        """Parameters and MACs of the derived network of a strategy, without building it."""
        strategy = FusionStrategy.of(strategy)
        strategy.check(len(self.paths), None, self.branches)
        total = self.base.copy()
        for layer, unit in enumerate(strategy):
            inputs = self.paths[layer].shape[1]
            mask = flat_mask(unit, inputs, self.branches, f"layer {layer + 1}")
            total += self.layer_cost(layer, mask.reshape(inputs, -1))
        return int(total[0]), int(total[1])

    def layer_cost(self, layer: int, on: np.ndarray) -> np.ndarray:
        """``(2,)`` of one layer whose ``(inputs, branches)`` paths are 0 or 1."""
        cost = (self.paths[layer] * on).sum((1, 2)) + on.any() * self.block[:, layer]
        return cost + on[:, self._spatial].any() * self.spatial[:, layer]

    @property
    def _spatial(self) -> list[int]:
        return [n for n, branch in enumerate(self.branches) if branch != "T"]

    def expected_macs(self, space: ProbabilitySpace) -> float:
        """Mean MACs of the networks that ``space.sample`` draws (form: sampling, Bernoulli p)."""
        total = float(self.base[1])
        for n, layer in enumerate(space.drop):
            any_on = 1.0 - layer.prod()
            spatial_on = 1.0 - layer[:, self._spatial].prod()
            here = 1.0 - space.layer_drop[n] if space.has_residual[n] else 1.0 / any_on
            mean = (self.paths[n][1] * (1.0 - layer)).sum()
            total += here * (mean + any_on * self.block[1, n] + spatial_on * self.spatial[1, n])
        return total


@named
def unit_costs(model: keras.Model, clip_shape: tuple[int, int, int]) -> UnitCosts:
    """The costs of every path in every layer of a template.

    Args:
        model: keras.Model, a template.
        clip_shape: tuple of int, frames, height and width.

    Raises:
        ValueError: If the model is no template, or ``clip_shape`` is not three numbers.

    Example:
    ```python
    costs = vdroppath_tf.cost.unit_costs(template, clip_shape=(8, 32, 32))
    parameters, macs = costs.of("S ST S+ST")
    ```
    """
    total = complexity(model, clip_shape)
    rows = {row.name: np.array([row.parameters, row.macs]) for row in total.layers}
    shapes = dict(_input_shapes(model, clip_shape))
    layers = fusion_layers(model)
    branches = branches_of(layers)
    block, spatial = np.zeros((2, 2, len(layers)), "int64")
    paths = []
    base = np.array([total.parameters, total.macs])
    for n, layer in enumerate(layers):
        own = _sum(rows, block_layers(model, layer))
        between = _sum(rows, spatial_layers(model, layer))
        paths.append(_path_costs(layer, shapes[layer.name], branches))
        base -= own
        block[:, n] = own - between - paths[-1].sum((1, 2))
        spatial[:, n] = between
    return UnitCosts(base, block, spatial, tuple(paths), branches)


def _sum(rows: dict[str, np.ndarray], layers: list[keras.layers.Layer]) -> np.ndarray:
    return sum((rows[la.name] for la in layers if la.name in rows), np.zeros(2, "int64"))


def _path_costs(
    layer: FusionConv, input_shape: tuple[int, ...], branches: tuple[str, ...]
) -> np.ndarray:
    """``(2, inputs, branches)``; 0 for a branch that the layer does not have."""
    costs = np.zeros((2, layer.inputs, len(branches)), "int64")
    macs = layer.macs_by_branch(input_shape)
    for branch, parameters in layer.parameters_by_branch().items():
        costs[:, :, branches.index(branch)] = parameters, macs[branch]
    return costs

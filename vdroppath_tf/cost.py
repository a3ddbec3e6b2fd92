"""Parameters and multiply-adds (MACs) of a network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from .layers.convolution import Convolution
from .layers.fusion import FusionConv
from .layers.gates import fusion_layers
from .space import ProbabilitySpace, unit_table
from .strategy import FusionStrategy, FusionUnit

GATE_WEIGHTS = ("logit", "layer_logit")  # last part of the paths of the trainable gate variables
# weights that are no parameters; not told by `trainable`, since a frozen network costs the same
_NOT_COUNTED = {*GATE_WEIGHTS, "mask", "noise_step", "moving_mean", "moving_variance"}


@dataclass(frozen=True)
class LayerCost:
    """Cost of one layer: parameters (gates excluded) and multiply-adds for one clip."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True)
class Complexity:
    """Cost of a network for one clip, by layer; ``parameters`` and ``macs`` are the totals."""

    layers: tuple[LayerCost, ...]

    @property
    def parameters(self) -> int:
        """Parameters: trained weights, frozen or not, without the gates."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and dense layers; S+ST counts as two convolutions."""
        return sum(layer.macs for layer in self.layers)


def complexity(model: keras.Model, clip_shape: tuple[int, int, int]) -> Complexity:
    """Parameters and MACs of a functional model of this package, for one clip.

    A template counts with all its paths, whichever strategy it runs.

    Args:
        model: a template, a derived network, or another functional model of the same layers.
        clip_shape: frames, height, width.

    Raises:
        ValueError: when ``clip_shape`` is not three positive integers.
    """
    numbers = clip_shape if isinstance(clip_shape, (tuple, list)) else ()
    if len(numbers) != 3 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in numbers):
        raise ValueError(f"clip_shape must be (frames, height, width). Received: {clip_shape}")
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
    clip = keras.KerasTensor((1, *clip_shape, 3), model.inputs[0].dtype)
    for layer, at in zip(counted, probe.compute_output_spec(clip), strict=True):
        yield layer.name, at.shape[1:]


def _macs(layer: keras.layers.Layer, input_shape: tuple[int, ...]) -> int:
    if isinstance(layer, keras.layers.Dense):
        return int(np.prod(layer.kernel.shape)) * int(np.prod(input_shape[:-1], dtype=int))
    return layer.macs(input_shape)


@dataclass(frozen=True)
class UnitCosts:
    """What each unit costs in each fusion layer, with all that its block needs only then.

    Attributes:
        macs, parameters: unit to ``(layers,)``.
        base_macs, base_parameters: of everything outside the blocks, shortcuts included.
    """

    macs: dict[FusionUnit, np.ndarray]
    parameters: dict[FusionUnit, np.ndarray]
    base_macs: int
    base_parameters: int

    def of(self, strategy: FusionStrategy) -> tuple[int, int]:
        """Parameters and MACs of the derived network of a strategy, without building it."""
        layers = list(enumerate(strategy))
        parameters = self.base_parameters + sum(int(self.parameters[u][i]) for i, u in layers)
        return parameters, self.base_macs + sum(int(self.macs[u][i]) for i, u in layers)

    def expected_macs(self, space: ProbabilitySpace) -> float:
        """Mean MACs of the networks drawn from the space (form: sampling, Bernoulli p)."""
        marginals = space.marginals(form="sampling")
        return self.base_macs + float(sum(marginals[u] @ macs for u, macs in self.macs.items()))


def unit_costs(model: keras.Model, clip_shape: tuple[int, int, int]) -> UnitCosts:
    """Costs of every unit in every layer of a template.

    A unit costs its branches and, unless it is "-", all of its block but the shortcut.
    """
    rows = complexity(model, clip_shape).layers
    shapes = dict(_input_shapes(model, clip_shape))
    layers = fusion_layers(model)
    units, masks = unit_table(layers[0].branches)
    macs = np.zeros((len(units), len(layers)), "int64")
    parameters = np.zeros_like(macs)
    total = Complexity(rows)
    base = np.array([total.macs, total.parameters])
    for i, layer in enumerate(layers):
        paths = np.array(
            [
                (path.macs(shapes[layer.name]), int(np.prod(path.kernel.shape)))
                for path in layer.paths
            ]
        )
        block = layer.name.removesuffix("fusion")
        own = [row for row in rows if row.name.startswith(block) and "shortcut" not in row.name]
        whole = np.array([(row.macs, row.parameters) for row in own]).sum(0)
        base = base - whole
        for u, mask in enumerate(masks):
            if any(mask):
                kept = whole - paths.sum(0) + np.array(mask) @ paths
                macs[u, i], parameters[u, i] = kept
    return UnitCosts(
        dict(zip(units, macs, strict=True)),
        dict(zip(units, parameters, strict=True)),
        int(base[0]),
        int(base[1]),
    )

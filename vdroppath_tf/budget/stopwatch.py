"""measure_latency: measures the time of each unit of each fusion layer on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.budget.latency import LatencyTable, described
from vdroppath_tf.budget.machine import describe_machine
from vdroppath_tf.layers.gates import branches_of, fusion_layers
from vdroppath_tf.models.blocks import block_layers
from vdroppath_tf.models.build import architecture_of, build
from vdroppath_tf.names import named
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import NONE, FusionUnit

_WARM = 3  # warm-up runs, which are not counted


@named
def measure_latency(
    model: keras.Model,
    clip_shape: tuple[int, int, int],
    *,
    repeats: int = 30,
    on_layer: Callable[[], object] | None = None,
) -> LatencyTable:
    """Measures the time of each unit of each fusion layer of a template, block by block.

    A block (the fusion layer and the layers that only serve it) is extracted from the derived
    network that has the unit everywhere, and runs on random inputs of the same shapes. A time is
    the median over the repeats, minus that of an empty call. Networks are built one at a time; the
    model is left unchanged.

    Args:
        model: ``keras.Model``, a template in which the inputs of a layer share its gates.
        clip_shape: frames, height, width of the clip.
        repeats: int, the number of runs of each block. Defaults to 30.
        on_layer: a callable, called after each block, for a progress bar. Defaults to None.

    Returns:
        ``LatencyTable``, for one clip at a time.

    Raises:
        ValueError: If the model is not such a template, or an argument is out of range.

    Example:
    ```python
    table = measure_latency(template, (8, 32, 32), repeats=3)
    print(table.of(space.mode()))  # ms
    ```
    """
    layers, architecture = fusion_layers(model), architecture_of(model)
    if any(layer.widths is not None for layer in layers):
        raise ValueError(
            f"In {model.name!r} each input of a layer has its own gates, so there are too many "
            "units to measure. Expected a template with share_inputs=True."
        )
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"Expected repeats of 1 or more. Received: {repeats!r}")
    shaped = {**architecture, "clip_shape": list(clip_shape)}
    tick = on_layer or (lambda: None)
    times: list[dict[str, int]] = [{} for _ in layers]
    checks: dict[str, int] = {}
    for unit in unit_table(branches_of(layers))[0][:-1]:
        strategy = FusionStrategy(tuple(_nearest(unit, layer.branches) for layer in layers))
        network = build(shaped, strategy)
        checks[str(strategy)] = _time(network, repeats)
        for layer, found in zip(layers, times, strict=True):
            if set(unit.branches) <= set(layer.branches):
                found[str(unit)] = _time(block_of(network, layer.name), repeats)
                tick()
    least = _least(model, times)
    outside = sum(found.get(unit, 0) for found, unit in zip(times, least, strict=True))
    base = max(0, _time(build(shaped, least), repeats) - outside)
    mode = ProbabilitySpace.from_model(model).mode()
    checks.setdefault(str(mode), _time(build(shaped, mode), repeats))
    return LatencyTable(
        network=described(architecture),
        clip_shape=tuple(clip_shape),  # type: ignore[arg-type]
        layers=tuple(layer.name for layer in layers),
        base=base,
        units=tuple(times),
        checks=checks,
        repeats=repeats,
        machine=describe_machine(),
        versions={"tensorflow": tf.__version__, "keras": keras.__version__},
    )


def _nearest(unit: FusionUnit, branches: tuple[str, ...]) -> FusionUnit:
    """Returns the unit, or all branches of a layer that lacks one of the unit's."""
    return unit if set(unit.branches) <= set(branches) else FusionUnit("+".join(branches))


def _least(model: keras.Model, times: list[dict[str, int]]) -> FusionStrategy:
    """Returns the strategy with the fewest blocks possible, each with its fastest unit."""
    pairs = zip(fusion_layers(model), times, strict=True)
    units = (
        NONE if layer.drop_path.has_residual else FusionUnit(min(found, key=found.__getitem__))
        for layer, found in pairs
    )
    return FusionStrategy(tuple(units))


def block_of(network: keras.Model, name: str) -> keras.Model:
    """Extracts the block of a fusion layer from a derived network, as a model."""
    own = block_layers(network, network.get_layer(name))
    made = [tensor for layer in own for tensor in keras.tree.flatten(layer.output)]
    seen = [tensor for layer in own for tensor in keras.tree.flatten(layer.input)]
    others = [layer for layer in network.layers if layer not in own]
    wanted = [tensor for layer in others for tensor in keras.tree.flatten(layer.input)]
    inside, outside = {id(tensor) for tensor in made}, {id(tensor) for tensor in wanted}
    inputs = {id(tensor): tensor for tensor in seen if id(tensor) not in inside}
    outputs = [tensor for tensor in made if id(tensor) in outside]
    return keras.Model(list(inputs.values()), outputs or made[-1:])


def _time(model: keras.Model, repeats: int) -> int:
    """Returns the median time of a model for one clip minus that of an empty call, us."""
    random = np.random.default_rng(0)
    inputs = [
        tf.constant(random.uniform(0, 1, (1, *tensor.shape[1:])).astype("float32"))
        for tensor in model.inputs
    ]

    def run(*clips: tf.Tensor) -> Any:
        return model(list(clips) if len(clips) > 1 else clips[0], training=False)

    def nothing(*clips: tf.Tensor) -> Any:
        return [tf.identity(clip) for clip in clips]

    calls = [tf.function(function, autograph=False) for function in (run, nothing)]
    seconds = [[_seconds(call, inputs) for call in calls] for _ in range(_WARM + repeats)]
    work, empty = np.median(seconds[_WARM:], axis=0)  # alternating, so that load affects both
    return max(0, round(float(work - empty) * 1e6))


def _seconds(call: Callable[..., Any], inputs: list[tf.Tensor]) -> float:
    start = time.perf_counter()
    call(*inputs)
    tf.test.experimental.sync_devices()  # calls on a GPU return before they finish
    return time.perf_counter() - start

"""A Keras model that holds templates, with the paths of one strategy in their place.

A template that stands in the model as one layer gives way to its derived network; of fusion layers
that are layers of the model itself the paths of their units stay, and what a block without a path
would compute is left out. Everything else, a head of one's own say, is made anew from its config,
with its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gated_dense import GatedDense
from vdroppath_tf.layers.residual_gate import GateProduct
from vdroppath_tf.layers.zeros import Zeros
from vdroppath_tf.models.calls import Call, calls_of, functional_of
from vdroppath_tf.models.loss_parts import LossInParts
from vdroppath_tf.models.weights import copy_weights
from vdroppath_tf.spaces.layer_gates import gated_layers
from vdroppath_tf.spaces.unit import FusionUnit

ZERO, ONE = "0", "1"  # a tensor that is all zeros, and a factor that is 1
Derive = Callable[[keras.Model, list[FusionUnit]], keras.Model]


class DerivedGraph:
    """The graph of a functional model under a strategy: tensors are made when they are needed.

    Args:
        model: A functional model, or a Sequential that has been built.
        units: The unit of each gated fusion layer in it, by ``id``.
        derive: From a model inside that holds gates, and its units, to what takes its place.

    Raises:
        ValueError: If Keras knows no graph of the model.
    """

    def __init__(self, model: keras.Model, units: Mapping[int, FusionUnit], derive: Derive) -> None:
        self.model, self.units, self.derive = model, units, derive
        self.maker = {id(t): call for call in calls_of(model) for t in call.gives}
        self.made: dict[int, Any] = {}
        self.layers: dict[int, Any] = {}  # made so far, by the id of the one they are made from

    def build(self, name: str) -> keras.Model:
        """The new model, with the weights of the old one."""
        functional: Any = functional_of(self.model)
        inputs = keras.tree.map_structure(self._input, functional.input)
        outputs = keras.tree.map_structure(self._tensor, functional.output)
        kind = type(self.model) if isinstance(self.model, LossInParts) else keras.Model
        network: keras.Model = kind(inputs, outputs, name=name)
        return network

    def _input(self, old: Any) -> Any:
        self.made[id(old)] = keras.Input(batch_shape=old.shape, dtype=old.dtype, name=old.name)
        return self.made[id(old)]

    def _value(self, old: Any) -> Any:
        """The new tensor for an old one; ``ZERO`` or ``ONE`` where it is known to be that."""
        if not isinstance(old, keras.KerasTensor):
            return old
        if id(old) not in self.made:
            call = self.maker[id(old)]
            gives = self._computed(call)
            self.made |= {id(t): new for t, new in zip(call.gives, gives, strict=True)}
        return self.made[id(old)]

    def _tensor(self, old: Any) -> Any:
        """The new tensor, where zeros are wanted as numbers."""
        value = self._value(old)
        if value is not ZERO:
            return value
        fusion = self._fusion_before(old)
        zeros = Zeros(old.shape[-1], name=f"{fusion.layer.name}_zeros", dtype=old.dtype)
        self.made[id(old)] = zeros(self._tensor(fusion.takes[0]))
        return self.made[id(old)]

    def _fusion_before(self, old: Any) -> Call:
        """The fusion layer that makes a tensor zero: its input has the sizes."""
        call = self.maker[id(old)]
        while not isinstance(call.layer, FusionConv):
            zero = [t for t in call.takes if id(t) in self.maker and self._value(t) is ZERO]
            call = self.maker[id(zero[0])]
        return call

    def _computed(self, call: Call) -> list[Any]:
        layer = call.layer
        if isinstance(layer, FusionConv) and id(layer) in self.units:
            return self._fused(call, layer)
        if isinstance(layer, GateProduct):
            factor = self._value(call.takes[1])
            return [ZERO if factor is ZERO else self._value(call.takes[0])]
        if isinstance(layer, keras.layers.Add):
            terms = [t for t in call.takes if self._value(t) is not ZERO]
            if len(terms) < 2:
                return [self._value(terms[0]) if terms else ZERO]
            return [self._anew(layer)([self._tensor(t) for t in terms])]
        args, kwargs = keras.tree.map_structure(self._tensor, (call.args, dict(call.kwargs)))
        if kwargs.get("weight_prior") is ONE:
            del kwargs["weight_prior"]  # of D1's part of the KL
        return keras.tree.flatten(self._anew(layer)(*args, **kwargs))

    def _fused(self, call: Call, layer: FusionConv) -> list[Any]:
        """What a fusion layer gives under its unit, in the order of what it gave."""
        unit = self.units[id(layer)]
        found: dict[str, Any] = {"weight_prior": ONE}
        if unit.branches:
            found |= self._anew(layer)(self._tensor(call.takes[0]))
            found |= {"residual_gate": ONE} | ({"spatial_gate": ONE} if "output" in found else {})
        return [found.get(name, ZERO) for name in layer.output_names(call.takes[0])]

    def _anew(self, layer: Any) -> Any:
        """The layer that takes the place of another one, with its weights."""
        if id(layer) not in self.layers:
            self.layers[id(layer)] = self._made_from(layer)
        return self.layers[id(layer)]

    def _made_from(self, layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Layer):
            return layer  # an operation, which has no state
        inside = gated_layers(layer)
        if inside:
            return self.derive(layer, [self.units[id(each.layer)] for each in inside])
        if isinstance(layer, FusionConv) and id(layer) in self.units:
            return _Copied(self._fusion(layer), layer, self.units[id(layer)])
        if isinstance(layer, GatedDense):
            config = {k: v for k, v in layer.get_config().items() if k != "gate"}
            return _Copied(keras.layers.Dense(**config), layer)
        return _Copied(type(layer).from_config(layer.get_config()), layer)

    def _fusion(self, layer: FusionConv) -> FusionConv:
        unit = str(self.units[id(layer)])
        return FusionConv.from_config({**layer.get_config(), "unit": unit, "gate": {}})


class _Copied:
    """A layer that takes over the weights of another one once its first call has built it."""

    def __init__(self, layer: Any, source: Any, unit: FusionUnit | None = None) -> None:
        self.layer, self.source, self.unit, self.filled = layer, source, unit, False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self.layer(*args, **kwargs)
        if not self.filled:
            self.filled = True
            self._fill()
        return found

    def _fill(self) -> None:
        if self.unit is not None:
            channels = kept_channels(self.source, self.unit)
            copy_weights(self.source, self.layer, may_be_unused=lambda _: True, channels=channels)
            return
        gate = getattr(self.source, "drop_path", None)
        gone = {id(v) for v in gate.weights} if gate is not None else set()
        kept = [v for v in self.source.weights if id(v) not in gone]
        for new, old in zip(self.layer.weights, kept, strict=True):
            new.assign(old)


def kept_channels(layer: FusionConv, unit: FusionUnit) -> dict[str, tuple[int, np.ndarray]]:
    """For each path that sees some of its inputs: the channels of these, of its weights' axis."""
    found = {}
    for branch, kept in unit.inputs.items():
        channels = np.flatnonzero(np.repeat(kept, layer.widths))
        for path in layer.weight_paths(branch):  # kernels (t, h, w, channels, filters), BN
            found[path] = (3 if path.endswith("/kernel") else 0, channels)
    return found

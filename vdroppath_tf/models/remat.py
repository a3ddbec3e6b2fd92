"""Rematerialisation: the blocks of a network are computed again in the backward pass, not kept.

A training step keeps what every layer gave until its gradient is taken. Here each block of a fusion
layer (a dense layer, a bottleneck, an inverted residual) keeps its inputs only, and is run a second
time when its gradient is due: the memory of one block at a time, for one more forward pass. The
inputs of a dense layer are the outputs of all layers before it, which are kept once, while the
concatenation of them is made anew, as in the memory-efficient DenseNet (Pleiss et al., 2017).

The second run has the same gates, weights and batches, so the same values come out; statistics and
other state are written by the first run alone.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.factors import Factors
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.layers.own_gradient import own_gradient
from vdroppath_tf.layers.together import handed_out, is_ones
from vdroppath_tf.models.calls import Call, calls_of

Tensor = Any
Drawn = Mapping[int, Factors]
_Values = dict[int, Any]  # by the id of a symbolic tensor


@dataclasses.dataclass(frozen=True)
class Joined:
    """A concatenation that is not made before somebody needs it: its parts, and their dtype."""

    parts: tuple[Tensor, ...]
    dtype: str

    def tensor(self) -> Tensor:
        """The concatenation along the channels."""
        return tf.concat([tf.cast(part, self.dtype) for part in self.parts], -1)


def run_in_blocks(model: keras.Model, inputs: Any, drawn: Drawn) -> Any:
    """What a functional network makes of a batch in training, its blocks rematerialised.

    Args:
        model: A ``FusionModel``; one that was made of a template may have several inputs and
            outputs.
        inputs: The batch, as the model takes it.
        drawn: What was drawn for its gated fusion layers, by their ``id``; empty where no gate
            draws.
    """
    given = keras.tree.flatten(model._standardize_inputs(inputs))
    values: _Values = {id(x): value for x, value in zip(model.inputs, given, strict=True)}
    groups = _groups(model)
    uses = _uses(call for group in groups for call in group)
    uses.update(id(x) for x in model.outputs)
    for group in groups:
        if len(group) == 1:
            _run_call(group[0], values, drawn)
        else:
            _Block(group, uses, values, drawn).run()
    found = [_whole(values[id(x)]) for x in model.outputs]
    return keras.tree.pack_sequence_as(model._outputs_struct, found)


def remat_wanted() -> bool:
    """Whether a ``keras.RematScope`` asks for it here."""
    mode = getattr(keras.layers.Layer(), "_remat_mode", None)
    return mode is not None and mode.mode is not None


def _groups(model: keras.Model) -> list[list[Call]]:
    """The calls of a network in an order in which they can run, those of a block together."""
    fusion = [layer.name for layer in model.layers if isinstance(layer, FusionConv)]
    names = [name.removesuffix("_fusion") for name in fusion]
    groups: dict[Any, list[Call]] = {}
    for place, call in enumerate(calls_of(model)):
        name = call.layer.name
        own = next((n for n in names if name == n or name.startswith(f"{n}_")), None)
        alone = own is None or isinstance(call.layer, keras.layers.Concatenate)
        groups.setdefault(place if alone else own, []).append(call)
    return list(groups.values())


def _uses(calls: Iterable[Call]) -> Counter[int]:
    """How often each tensor is taken, by its id."""
    return Counter(id(x) for call in calls for x in call.takes)


def _run_call(call: Call, values: _Values, drawn: Drawn) -> None:
    """One layer, outside of the blocks; a concatenation is put off."""
    layer = call.layer
    if isinstance(layer, keras.layers.Concatenate) and layer.axis in (-1, 4):
        parts: list[Tensor] = []
        for one in call.takes:
            value = values[id(one)]
            parts += value.parts if isinstance(value, Joined) else [value]
        values[id(call.gives[0])] = Joined(tuple(parts), layer.compute_dtype)
        return
    for one in call.takes:
        values[id(one)] = _whole(values[id(one)])
    with handed_out(drawn):
        _call(call, values)


def _whole(value: Any) -> Tensor:
    return value.tensor() if isinstance(value, Joined) else value


def _call(call: Call, values: _Values) -> None:
    args, kwargs = call.filled_in(values)
    if getattr(call.layer, "_call_has_training_arg", False):
        kwargs["training"] = True  # where the gradient is taken, no model says so
    outputs = call.layer(*args, **kwargs)
    for symbol, value in zip(call.gives, tf.nest.flatten(outputs), strict=True):
        values[id(symbol)] = value


class _Block:
    """The layers of one block, as one function of its inputs, its weights and its gates."""

    def __init__(
        self, calls: Sequence[Call], uses: Counter[int], values: _Values, drawn: Drawn
    ) -> None:
        self.calls, self.values = calls, values
        made = {id(x): x for call in calls for x in call.gives}
        needed = {id(x): x for call in calls for x in call.takes if id(x) not in made}
        self.inputs = list(needed.values())
        own = _uses(calls)
        self.outputs = [x for key, x in made.items() if uses[key] > own[key]]
        layers = {id(call.layer): call.layer for call in calls}
        variables = {id(v): v for layer in layers.values() for v in layer.variables}
        self.variables = list(variables.values())
        self.drawn = {key: drawn[key] for key in layers if key in drawn}
        self.updates: dict[int, tuple[Any, Tensor]] = {}

    def run(self) -> None:
        """Computes the block's outputs, and writes the state that its layers change."""
        arguments: list[Tensor] = []  # what gradients are taken for
        rebuild = _Rebuild(arguments)
        given = [self.values[id(symbol)] for symbol in self.inputs]
        inputs = [rebuild.of(value) for value in given]
        state = [rebuild.of(tf.convert_to_tensor(v)) for v in self.variables]
        factors = {key: rebuild.of(found) for key, found in self.drawn.items()}

        def compute(flat: Sequence[Tensor]) -> tuple[list[Tensor], Any]:
            own = {id(s): _whole(make(flat)) for s, make in zip(self.inputs, inputs, strict=True)}
            pairs = [(v, make(flat)) for v, make in zip(self.variables, state, strict=True)]
            handed = {key: make(flat) for key, make in factors.items()}
            with keras.StatelessScope(state_mapping=pairs) as scope, handed_out(handed):
                for call in self.calls:
                    _call(call, own)
            return [own[id(symbol)] for symbol in self.outputs], scope

        outputs = _recomputed(compute, arguments, self._write)
        for symbol, value in zip(self.outputs, outputs, strict=True):
            self.values[id(symbol)] = value
        self._add_priors()

    def _write(self, scope: Any) -> None:
        """What the first run has changed; the second changes nothing."""
        self.written = [(v, scope.get_current_value(v)) for v in self.variables]

    def _add_priors(self) -> None:
        """The part of the KL that a convolution adds; inside a block it would be lost."""
        for variable, value in self.written:
            if value is not None and not variable.trainable:
                variable.assign(value)
        priors = [found.weight_prior for found in self.drawn.values()]
        for call in self.calls:
            layer = call.layer
            if isinstance(layer, Convolution) and "weight_prior" in call.kwargs:
                for prior in (prior for prior in priors if prior is not None):
                    add_replica_loss(layer, layer.prior(prior))


class _Rebuild:
    """Takes values apart into the tensors that gradients are taken for, and puts them together."""

    def __init__(self, arguments: list[Tensor]) -> None:
        self.arguments = arguments

    def of(self, value: Any) -> Callable[[Sequence[Tensor]], Any]:
        """A function from the flat tensors to the value."""
        if isinstance(value, (Joined, Factors)):
            names = [field.name for field in dataclasses.fields(value)]
            makers = {name: self.of(getattr(value, name)) for name in names}
            kind: Any = type(value)
            return lambda flat: kind(**{name: make(flat) for name, make in makers.items()})
        if isinstance(value, (tuple, list)):
            parts = [self.of(part) for part in value]
            return lambda flat: tuple(part(flat) for part in parts)
        fixed = not isinstance(value, tf.Tensor) or not value.dtype.is_floating or is_ones(value)
        if fixed:
            return lambda flat: value
        place = len(self.arguments)
        self.arguments.append(value)
        return lambda flat: flat[place]


def _recomputed(
    compute: Callable[[Sequence[Tensor]], tuple[list[Tensor], Any]],
    arguments: Sequence[Tensor],
    first: Callable[[Any], None],
) -> list[Tensor]:
    """The outputs of a function whose gradient is taken of a second run of it.

    ``tf.recompute_grad`` does not do: it runs a second time what the function writes, too.

    Args:
        compute: From the arguments to its outputs, and what else the run has left.
        arguments: Floating tensors.
        first: Called with what the first run has left.
    """

    @own_gradient
    def run(*flat: Tensor) -> Any:
        outputs, left = compute(flat)
        first(left)

        def backward(*gradients: Tensor) -> list[Tensor]:
            # not before the gradient is there, or all blocks would be computed again at once
            with tf.control_dependencies(gradients):
                again = [tf.identity(one) for one in flat]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(again)
                outputs, _ = compute(again)
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(outputs, again, list(gradients), unconnected_gradients=zero)

        return outputs, backward

    found = run(*arguments)
    return list(found) if isinstance(found, (list, tuple)) else [found]

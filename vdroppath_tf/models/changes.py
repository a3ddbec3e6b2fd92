"""What of a network may have changed since it was built: a file holds it beside its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras

FIRST = "stem_conv"  # every network has it, in the precision that the network was built in


def changes_in(model: keras.Model) -> dict[str, Any]:
    """Layers and gates that are frozen, by name, and N of each gate that was given one.

    What ``fit`` counted is not among them: the next data may be others.
    """
    gates = _gates(model)
    return {
        "frozen": [layer.name for layer in model.layers if not layer.trainable],
        "frozen_gates": [name for name, gate in gates.items() if not gate.trainable],
        "num_train_examples": {
            name: gate.given_examples
            for name, gate in gates.items()
            if gate.given_examples is not None
        },
        "n_was_given": True,
    }


def change(model: keras.Model, changed: Mapping[str, Any]) -> None:
    """Makes a new network what another was when ``changes_in`` looked at it.

    Raises:
        ValueError: If it has no such layers or gates.
    """
    layers, gates = {layer.name: layer for layer in model.layers}, _gates(model)
    examples = changed["num_train_examples"]
    if not changed.get("n_was_given"):
        # an older file has what ``fit`` counted here too; what was given to the template is in its
        # description
        examples = {}
    unknown = [n for n in changed["frozen"] if n not in layers]
    unknown += [n for n in (*changed["frozen_gates"], *examples) if n not in gates]
    if unknown:
        raise ValueError(
            f"The file speaks of layers that {model.name!r} does not have: {unknown[:6]}. It was "
            "changed, or written by another version."
        )
    for name, layer in layers.items():
        _set(layer, trainable=name not in changed["frozen"])
    for name, gate in gates.items():
        _set(gate, trainable=name not in changed["frozen_gates"])
        if name in examples:
            gate.num_train_examples = examples[name]


def of_layers(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the ``layers`` of a functional model's config say: the changes, and the precision."""
    own = {layer["config"]["name"]: layer["config"] for layer in configs}
    gates = {name: config["gate"] for name, config in own.items() if config.get("gate")}
    frozen = [name for name, config in own.items() if not config.get("trainable", True)]
    off = [n for n, gate in gates.items() if n in frozen or not gate.get("trainable", True)]
    return {
        "policy": own[FIRST]["dtype"],
        "changed": {"frozen": frozen, "frozen_gates": off, "num_train_examples": {}},
    }


@contextmanager
def policy(config: Any) -> Iterator[None]:
    """Layers that are made inside have this precision, whatever the global one is."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(keras.dtype_policies.get(config))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def policy_of(model: keras.Model) -> AbstractContextManager[None]:
    """Layers that are made inside have the precision that a network was built in."""
    return policy(keras.dtype_policies.serialize(model.get_layer(FIRST).dtype_policy))


def _gates(model: keras.Model) -> dict[str, Any]:
    found = ((layer.name, getattr(layer, "drop_path", None)) for layer in model.layers)
    return {name: gate for name, gate in found if gate is not None}


def _set(layer: keras.layers.Layer, *, trainable: bool) -> None:
    if layer.trainable != trainable:
        layer.trainable = trainable

"""Networks that ``keras.models.clone_model`` has made, and what they are networks of.

Keras clones a functional model layer by layer, and then puts the layers into a new model, to which
it gives nothing else. So the first layer of a network carries what the network was built from.
"""

from __future__ import annotations

import json
from typing import Any

import keras

from vdroppath_tf.models.changes import FIRST, policy_of
from vdroppath_tf.models.network import functional

_OF_ITSELF = ("trainable", "gate", "network")  # of a config: what may differ in one network


def name_network(model: keras.Model, architecture: dict[str, Any]) -> None:
    """Lets the first layer of a network carry its description, and the names of its layers."""
    names = [layer.name for layer in model.layers]
    model.get_layer(FIRST).network = json.dumps({"architecture": architecture, "layers": names})


def network_of(model: keras.Model) -> dict[str, Any] | None:
    """The description of the network that a model of layers is; None if it is not just that."""
    first = [layer for layer in model.layers if layer.name == FIRST]
    text = getattr(first[0], "network", None) if first else None
    if text is None:
        return None
    said = json.loads(text)
    if said["layers"] != [layer.name for layer in model.layers]:
        return None  # a head of its own, say
    architecture: dict[str, Any] = said["architecture"]
    with policy_of(model):
        like = keras.Model(**functional(architecture))
    pairs = zip(model.layers, like.layers, strict=True)
    return architecture if all(_config(a) == _config(b) for a, b in pairs) else None


def _config(layer: keras.layers.Layer) -> Any:
    own = {k: v for k, v in layer.get_config().items() if k not in _OF_ITSELF}
    return keras.saving.serialize_keras_object({"of": type(layer).__name__, **own})

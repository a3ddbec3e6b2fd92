"""Which layers of a network belong to a fusion layer: its block, by name."""

from __future__ import annotations

import keras

from vdroppath_tf.layers.fusion import FusionConv


def block_layers(model: keras.Model, fusion: FusionConv) -> list[keras.layers.Layer]:
    """The fusion layer and all that exists for it alone: its block without the shortcut."""
    block = fusion.name.removesuffix("_fusion")
    named = [layer for layer in model.layers if layer.name.startswith(f"{block}_")]
    own = [layer for layer in named if not layer.name.startswith(f"{block}_shortcut")]
    return own if fusion in own else [fusion, *own]


def spatial_layers(model: keras.Model, fusion: FusionConv) -> list[keras.layers.Layer]:
    """Of a template with the branch T: the layers that S and ST feed and T goes round."""
    gate = f"{fusion.name}_spatial_gate"
    layers = [layer for layer in block_layers(model, fusion) if layer is not fusion]
    names = [layer.name for layer in layers]  # in topological order
    return layers[: names.index(gate)] if gate in names else []

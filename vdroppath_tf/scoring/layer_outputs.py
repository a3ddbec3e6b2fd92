"""Computes the output of any layer of a network, averaged over the axes that are not kept."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from vdroppath_tf.names import named, nearest

AXES = ("views", "time", "space")
"""The axes over which features are averaged, unless they are kept."""
_OF_LAYER = {"time": (1,), "space": (2, 3)}
_POOLED = "pool"  # the input of the classifier, in every family
_SHOWN = 12


@named
class LayerOutputs:
    """Computes the output of one layer for clips.

    Attributes:
        layer: The name of the layer.
        keep: The axes that are kept.

    Args:
        network: keras.Model, a derived network, or a template for the strategy that it runs.
        layer: str, the name of a layer. Defaults to None: the input of the classifier.
        keep: Sequence of str, the axes to keep, of ``"views"``, ``"time"`` and ``"space"``.
            Features are averaged over the others. Defaults to none of them.

    Raises:
        ValueError: If there is no such layer or axis, or the output of the layer has no such axis.

    Example:
    ```python
    import numpy as np
    import vdroppath_tf
    from vdroppath_tf.scoring import LayerOutputs

    network = vdroppath_tf.zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    outputs = LayerOutputs(network, "pool")
    print(outputs(np.zeros((2, 8, 32, 32, 3), np.uint8)).shape)
    ```
    """

    def __init__(
        self, network: keras.Model, layer: str | None = None, *, keep: Sequence[str] = ()
    ) -> None:
        names = [each.name for each in network.layers]
        if layer is None:
            layer = _POOLED if _POOLED in names else names[-1]
        if layer not in names:
            raise ValueError(_unknown_layer(network, layer, names))
        for axis in keep:
            if axis not in AXES:
                near = nearest(axis, AXES)
                raise ValueError(f"keep: {near}Expected some of {list(AXES)}. Received: {axis!r}")
        output = network.get_layer(layer).output
        rank = len(output.shape)
        if rank not in (2, 5) or (rank == 2 and {"time", "space"} & set(keep)):
            raise ValueError(
                f"keep: the output of the layer {layer!r} is {tuple(output.shape)}. Expected "
                "(batch, time, height, width, channels), or (batch, channels) without keeping time "
                "or space. A layer before the pooling has both."
            )
        self.layer, self.keep = layer, tuple(axis for axis in AXES if axis in keep)
        self._part = keras.Model(network.inputs[0], output)
        averaged = [axis for axis in ("time", "space") if axis not in keep] if rank == 5 else []
        self._averaged = tuple(k for axis in averaged for k in _OF_LAYER[axis])

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Returns the features of clips, float32 ``(batch, ..., channels)`` with the kept axes."""
        found = np.asarray(keras.ops.convert_to_numpy(self._part(clips, training=False)))
        found = found.astype(np.float32)
        return found.mean(self._averaged) if self._averaged else found


def _unknown_layer(network: keras.Model, layer: str, names: Sequence[str]) -> str:
    """Returns an error message with the nearest names and the layers most often wanted."""
    fusion = [name for name in names if name.endswith(("_fusion", _POOLED, "classifier"))]
    some = fusion[:: max(1, len(fusion) // _SHOWN)] or list(names[-_SHOWN:])
    return (
        f"layer: there is no layer {layer!r} among the {len(names)} of {network.name}. "
        f"{nearest(layer, names)}Some of them: {', '.join(some)}."
    )

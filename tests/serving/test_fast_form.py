"""The fast form of folded networks: the same logits, counted in the manifest, or refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.serving import export_formats, export_saved_model
from vdroppath_tf.serving.beside import read_manifest
from vdroppath_tf.serving.folding import winograd
from vdroppath_tf.serving.folding.fold import Folding
from vdroppath_tf.serving.folding.nodes import Clip, Convolve

NORM = keras.layers.BatchNormalization


def close(found: Any, expected: np.ndarray) -> None:
    """Within what is promised: 1e-5 of the largest logit."""
    assert np.abs(np.asarray(found) - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    assert np.ptp(expected, axis=0).max() > 1e-3  # the clips are told apart


@pytest.mark.parametrize("frames", [1, 3, 4, 7, 8, 16])
def test_minimal_filtering_is_a_filter_of_three_taps(frames: int) -> None:
    """Over time, with a frame of zeros on both sides."""
    rng = np.random.default_rng(frames)
    x, kernel = rng.normal(size=(frames, 5)), rng.normal(size=(3, 1, 1, 5, 2))
    before, after = winograd.transforms(frames)
    factors = np.repeat(winograd.weights(Convolve("c", [], kernel)), len(before) // 6, axis=0)
    found = after @ np.einsum("pc,pcf->pf", before @ x, factors)
    padded = np.pad(x, [(1, 1), (0, 0)])
    expected = sum(padded[k : k + frames] @ kernel[k, 0, 0] for k in range(3))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("most", [None, 2.0, 6.0])
@pytest.mark.parametrize("shape", [(8, 4, 5), (4, 6, 6), (None, 4, 4)])
def test_the_fast_form_of_wide_networks(shape: tuple[Any, ...], most: float | None) -> None:
    """Minimal filtering over time and norms as depthwise convolutions, if the sizes are known."""
    wide = Convolution(128, (3, 1, 1), name="wide")
    relu = keras.layers.ReLU(most, name="wide_relu")  # named like those of a DenseNet's paths
    layers = [Convolution(128), keras.layers.MaxPooling3D(1), NORM(), relu, wide]
    ends = [NORM(), keras.layers.ReLU(most), keras.layers.GlobalAveragePooling3D()]
    network = rows.randomized(keras.Sequential([keras.Input((*shape, 3)), *layers, *ends]))
    clips = np.random.default_rng(0).uniform(0, 2, (2, shape[0] or 4, *shape[1:], 3))
    clips = clips.astype("float32")
    folded = Folding.of(network).fast().model()
    kinds = {type(layer).__name__ for layer in folded.layers}
    fast = {"WinogradConvolution", "DepthwiseConv2D"}
    assert kinds & fast == (set() if None in shape else fast)
    compiled = tf.function(folded)  # TensorFlow fuses operations in graphs only
    close(compiled(clips), network(clips, training=False).numpy())


def test_the_fast_form_is_exported(tmp_path: Path) -> None:
    """For any number of clips, and compared with the network on uint8 clips."""
    layers = [Convolution(128), NORM(), keras.layers.ReLU(), Convolution(128, (3, 1, 1))]
    ends = [keras.layers.GlobalAveragePooling3D(), keras.layers.Dense(3)]
    network = rows.randomized(keras.Sequential([keras.Input((8, 4, 4, 3)), *layers, *ends]))
    path = export_saved_model(network, tmp_path / "1")
    serve = tf.saved_model.load(str(path)).signatures["clips"]
    clips = np.random.default_rng(0).integers(0, 256, (3, 8, 4, 4, 3), np.uint8)
    expected = network(clips.astype("float32"), training=False).numpy()
    found = [serve(tf.constant(some))["logits"].numpy() for some in (clips[:1], clips[1:])]
    close(np.concatenate(found), expected)
    kernels = [variable.shape for variable in tf.saved_model.load(str(path)).weights]
    assert (6, 128, 128) in [tuple(shape) for shape in kernels]


def wide_network() -> Any:
    """S+ST, each with a norm of its own, and a wide convolution of few cells after them."""
    clips = keras.Input((8, 4, 4, 3))
    x = Convolution(128)(clips)
    paths = [Convolution(128, (k, 1, 1))(keras.layers.ReLU()(NORM()(x))) for k in (1, 3)]
    x = keras.layers.ReLU()(NORM()(keras.layers.Add()(paths)))
    x = Convolution(512, strides=(1, 2, 2))(x)
    x = Convolution(64)(keras.layers.MaxPooling3D((4, 1, 1))(x))
    x = keras.layers.GlobalAveragePooling3D()(keras.layers.ReLU()(x))
    return rows.randomized(keras.Model(clips, keras.layers.Dense(3)(x)))


def test_the_steps_of_the_fast_form_are_counted() -> None:
    """And so are the parameters and the multiply-adds of what is run."""
    network = wide_network()
    folding = Folding.of(network)
    fast = folding.fast()
    assert folding.form == {}
    assert fast.form == {
        "minimal_filtering": 1,
        "matrix_products": 1,
        "sums_at_once": 1,
        "depthwise_norms": 2,
    }
    model, cost = fast.model(), fast.cost((8, 4, 4))
    assert cost.parameters == model.count_params()
    before, products = 24 * 16 * 128 * 128, 12 * 16 * (128 * 128 + 8 * (128 + 128))
    norms = 2 * 8 * 16 * 128
    assert cost.macs == folding.cost((8, 4, 4)).macs - before + products + norms
    clips = np.random.default_rng(0).uniform(0, 2, (2, 8, 4, 4, 3)).astype("float32")
    close(tf.function(model)(clips), network(clips, training=False).numpy())


def test_a_fast_form_that_is_not_close_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The plain form takes its place, with a warning and a line in the manifest."""
    network = wide_network()
    exact = read_manifest(export_saved_model(network, tmp_path / "1")) or {}
    assert exact["folded"]["form"]["minimal_filtering"] == 1
    assert "form_refused" not in exact["folded"]
    monkeypatch.setattr(winograd, "_OUTPUT", winograd._OUTPUT * 1.001)
    with caplog.at_level("WARNING"):
        path = export_saved_model(network, tmp_path / "2")
    assert "the logits of its fast form differ by" in caplog.text
    plain = read_manifest(path) or {}
    assert plain["folded"]["form"] == {}
    refused = plain["folded"]["form_refused"]
    assert refused["form"] == exact["folded"]["form"]
    assert refused["difference"] > plain["difference"]["bound"] > plain["difference"]["largest"]
    assert plain["folded"]["macs"] > exact["folded"]["macs"]


def test_where_minimal_filtering_pays() -> None:
    """Wide kernels of 3x1x1 without strides, for frames that fill the tiles."""

    def pays(
        size: Any = (3, 1, 1), channels: int = 128, frames: Any = 8, side: int = 7, **options: Any
    ) -> bool:
        kernel = np.zeros((*size, channels, 128))
        node = Convolve("c", [Clip("clip", [], channels)], kernel, **options)
        return winograd.pays(node, (frames, side, side))

    assert all(pays(frames=n) for n in (4, 7, 8))
    assert not any(pays(frames=n) for n in (1, 2, 3, 5, 6, None))
    assert [pays(channels=n) for n in (64, 128, 2048)] == [False, True, True]
    assert not any(pays(size) for size in ((1, 1, 1), (1, 3, 3), (5, 1, 1)))
    assert not pays(strides=(2, 1, 1))
    assert [pays(side=n) for n in (1, 2, 3, 4)] == [False, False, False, True]


@pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="openvino is missing")
def test_openvino_filters_too(tmp_path: Path) -> None:
    """The other steps are what OpenVINO does by itself."""
    network = wide_network()
    (written,) = export_formats(network, tmp_path / "1", ["openvino"])
    manifest = read_manifest(written.path) or {}
    assert manifest["folded"]["form"] == {"minimal_filtering": 1}
    assert 0 < written.difference.largest <= written.difference.bound

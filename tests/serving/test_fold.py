"""Folded networks give the logits of the networks they come from, with layers of Keras alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows

from vdroppath_tf.cost import complexity
from vdroppath_tf.derivation import derive
from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.layers.zeros import Zeros
from vdroppath_tf.serving import fold
from vdroppath_tf.serving.folding.fold import Folding
from vdroppath_tf.spaces.space import ProbabilitySpace

# a strategy with dropped layers for each kind that may have them
STRATEGIES = {
    "dense": "S - S+ST ST - S+ST",
    "dense, D1, gated classifier, temporal pool": "S - ST ST S ST",
    "dense, T, strides": "T S+T ST S - S+T+ST",
    "dense, per input": "S@1 S@01+ST@10 S@001+ST@101 - ST@11 S@110+ST@101",
    "dense, per input, T, D1": "T@1 S@11+T@01+ST@10 S@010+ST@110 - S@11+T@11 T@111+ST@110",
    "next": "S+ST - ST",
    "next, T, conv, strides": "S+T T S+T+ST",
    "mobile": "S ST S+ST -",
    "mobile, T, D1": "S+T+ST T ST T+ST",
}
OPEN = {  # networks of open sizes -> row, strategy, temporal strides
    "dense": ("S - S+ST ST S ST", (2, 1, 2)),
    "next": ("S+ST - ST", (1, 2, 2)),
    "mobile": ("S ST S+ST ST", (2, 2)),
}
ODD = ((5, 33, 47), (4, 34, 31))


def close(found: Any, expected: np.ndarray) -> None:
    """Within what is promised: 1e-5 of the largest logit."""
    assert np.abs(np.asarray(found) - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    assert np.ptp(expected, axis=0).max() > 1e-3  # the clips are told apart


def every_layer(model: Any) -> Iterator[Any]:
    return (layer for layer in model.layers if not layer.__module__.startswith("keras."))


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_template_and_what_it_derives(kind: str) -> None:
    """Each in one form; what a template is folded to costs what the derived network's does."""
    template, strategy, clips = rows.template(kind), STRATEGIES[kind], rows.clips()
    derived = derive(template, strategy)
    set_strategy(template, strategy)
    expected = derived(clips, training=False).numpy()
    for network, forms in ((derived, "2d"), (template, "3d")):
        folded = fold(network, forms=forms)
        assert list(every_layer(folded)) == []
        close(folded(clips), expected)
    costs = [Folding.of(network).cost(rows.SHAPE) for network in (template, derived)]
    assert costs[0].macs <= costs[1].macs <= complexity(derived, rows.SHAPE).macs


@pytest.mark.slow
@pytest.mark.parametrize("row", OPEN)
def test_odd_sizes_and_strides(row: str) -> None:
    """Of a network that takes all, and of one that was folded for the size."""
    strategy, strides = OPEN[row]
    network = rows.randomized(rows.built(row, strategy=strategy, temporal_strides=strides))
    folded = fold(network)
    for shape in ODD:
        clips = rows.clips(2, shape)
        expected = network(clips, training=False).numpy()
        close(folded(clips), expected)
        close(fold(network, clip_shape=shape, forms="2d")(clips), expected)


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    network = rows.randomized(rows.network("mobile", strategy="S ST S+ST ST"))
    folded = fold(network, forms="2d")
    folded.save(tmp_path / "folded.keras")
    again = keras.saving.load_model(tmp_path / "folded.keras")
    close(again(rows.clips()), folded(rows.clips()).numpy())


def test_what_is_folded_is_counted() -> None:
    """S+ST of a ResNet is one convolution; a DenseNet keeps the norms before its ReLUs."""
    network = rows.network("tiny", strategy="S+ST ST")
    found = Folding.of(network)
    norms = [layer for layer in network.layers if "BatchNorm" in type(layer).__name__]
    assert found.counts["norms folded"] == len(norms)
    assert found.counts["convolutions merged into another"] == 1
    assert "norms kept" not in found.counts
    kernels = found.cost(rows.SHAPE).parameters
    assert kernels < complexity(network, rows.SHAPE).parameters
    dense = Folding.of(rows.network("dense", strategy="S - S+ST ST - S+ST"))
    assert dense.counts["norms kept"] == 7  # one for each path, and the last
    assert dense.counts["means taken before a convolution"] == 1


def test_the_mode_of_a_space_is_what_a_template_serves() -> None:
    template = rows.template("next")
    mode = ProbabilitySpace.from_model(template).mode()
    close(fold(template)(rows.clips()), derive(template, mode)(rows.clips()).numpy())


def test_what_cannot_be_folded() -> None:
    template = rows.template("mobile")
    set_strategy(template, "random")
    with pytest.raises(ValueError, match=r"new paths for each batch.*set_strategy"):
        fold(template)
    network = rows.network("tiny", strategy="S S")
    with pytest.raises(ValueError, match=r"fit the network's \(4, 32, 32\)"):
        fold(network, clip_shape=(4, 32, 33))
    with pytest.raises(ValueError, match=r"Unknown form\. Did you mean '2d'"):
        fold(network, forms="2D")
    with pytest.raises(ValueError, match="all sizes must be known"):
        fold(rows.built("tiny", strategy="S S"), forms="2d")
    other = keras.Sequential([keras.Input((4, 8, 8, 3)), keras.layers.Softmax()])
    clip, more = keras.Input((4, 8, 8, 3)), keras.Input((4, 8, 8, 3))
    two = keras.Model([clip, more], keras.layers.Add()([clip, more]))
    with pytest.raises(ValueError, match="has several inputs or outputs, or is not functional"):
        fold(two)
    with pytest.raises(ValueError, match=r"is a Softmax, which cannot be folded.*fold=False"):
        fold(other)


NORM, PLAIN = keras.layers.BatchNormalization, {"center": False, "scale": False}


@pytest.mark.parametrize(
    "layers",
    [
        [NORM(), Convolution(4)],  # a shift before 1x1x1 is a bias
        [NORM(**PLAIN), Convolution(4, (1, 3, 3))],
        [NORM(), Convolution(4, (1, 3, 3)), NORM(), keras.layers.ReLU(3.0)],
        [Convolution(4), keras.layers.ReLU(), keras.layers.AveragePooling3D(2)],
        [Convolution(4), keras.layers.AveragePooling3D(2), NORM()],
    ],
)
def test_layers_in_another_order_than_our_networks(layers: list[Any]) -> None:
    """A network is what its layers are, and folds as far as it can without other answers."""
    ends = [keras.layers.GlobalAveragePooling3D(), keras.layers.Dense(3)]
    shape = (4, 8, 8, 3)
    network = rows.randomized(keras.Sequential([keras.Input(shape), *layers, *ends]))
    clips = np.random.default_rng(0).uniform(0, 2, (2, *shape)).astype("float32")
    expected = network(clips, training=False).numpy()
    for forms in ("3d", "2d"):
        found = np.asarray(fold(network, forms=forms)(clips))
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))


def test_zeros_at_any_place_of_a_concatenation() -> None:
    """They are padding of the channels before or after them."""
    clips = keras.Input((4, 8, 8, 3))
    parts = [Zeros(2)(clips), Convolution(4)(clips), Zeros(1)(clips), Convolution(3)(clips)]
    x = keras.layers.GlobalAveragePooling3D()(keras.layers.Concatenate()(parts))
    network = rows.randomized(keras.Model(clips, keras.layers.Dense(3)(x)))
    some = np.random.default_rng(0).uniform(0, 2, (2, 4, 8, 8, 3)).astype("float32")
    for forms in ("3d", "2d"):
        close(fold(network, forms=forms)(some), network(some, training=False).numpy())


def test_an_output_that_no_clip_changes() -> None:
    """Zeros stay zeros in ReLUs, pools and convolutions, but not in norms and classifiers."""
    rest = [keras.layers.ReLU(), keras.layers.MaxPooling3D(2), Convolution(3), NORM(name="bn")]
    network = keras.Sequential([keras.Input((4, 8, 8, 3)), Zeros(4), *rest])
    with pytest.raises(ValueError, match="'bn': its input is 0 for every clip"):
        fold(network)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (keras.layers.ReLU(negative_slope=0.1), "a ReLU with a slope or a threshold"),
        (keras.layers.ReLU(threshold=0.5), "a ReLU with a slope or a threshold"),
        (keras.layers.ZeroPadding3D(((0, 1), 1, 1)), "pads one side more than the other"),
        (keras.layers.MaxPooling3D(2, padding="same"), "a pool with padding"),
    ],
)
def test_layers_that_are_not_plain(layer: Any, words: str) -> None:
    with pytest.raises(
        ValueError, match=rf"'{layer.name}': {words}. Expected a plain one, or fold="
    ):
        fold(keras.Sequential([keras.Input((4, 8, 8, 3)), layer]))

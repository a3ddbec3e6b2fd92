"""Weights move by name; what does not fit is named, all of it, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows

from vdroppath_tf.derivation import replace_classifier
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.models.weights import copy_weights
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import derived_micro, template_micro

CLIPS = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 16, 3)).astype("uint8")


def chain(**units: int) -> Any:
    x = inputs = keras.Input((3,))
    for name, size in units.items():
        x = keras.layers.Dense(size, name=name)(x)
    model = keras.Model(inputs, x, name="chain_" + "_".join(units))
    for n, variable in enumerate(model.weights):
        variable.assign(np.full(variable.shape, n + sum(units.values())))
    return model


def values(model: Any) -> dict[str, np.ndarray]:
    return {v.path: v.value.numpy().copy() for v in model.weights}


def test_equal_paths_are_copied() -> None:
    source, target = chain(a=4, b=5), chain(a=4, b=5)
    target.set_weights([value * 0 for value in target.get_weights()])
    report = copy_weights(source, target)
    assert report.copied == ("a/kernel", "a/bias", "b/kernel", "b/bias")
    assert report.new == report.unused == ()
    for path, value in values(target).items():
        np.testing.assert_array_equal(value, values(source)[path])
    assert str(report) == "4 weights copied"


def test_everything_that_does_not_fit_is_named_and_nothing_written() -> None:
    source, target = chain(a=4, b=4, c=4), chain(a=4, b=5, d=5)
    before = values(target)
    with pytest.raises(ValueError, match="do not fit") as caught:
        copy_weights(source, target)
    lines = str(caught.value).splitlines()
    assert lines[0] == "The weights of 'chain_a_b_c' do not fit 'chain_a_b_d':"
    assert sorted(lines[1:]) == [
        "b/bias: (4,) does not fit (5,)",
        "b/kernel: (4, 4) does not fit (4, 5)",
        "left over: c/bias",
        "left over: c/kernel",
        "missing: d/bias",
        "missing: d/kernel",
    ]
    for path, value in values(target).items():
        np.testing.assert_array_equal(value, before[path])


def test_what_a_rule_expects_is_reported() -> None:
    source, target = chain(a=4, b=4), chain(a=4, head=2)
    before = values(target)
    report = copy_weights(
        source,
        target,
        may_be_new=lambda path: path.startswith("head/"),
        may_be_unused=lambda path: path.startswith("b/"),
    )
    assert report.copied == ("a/kernel", "a/bias")
    assert report.new == ("head/kernel", "head/bias")
    assert report.unused == ("b/kernel", "b/bias")
    assert str(report).splitlines() == [
        "2 weights copied",
        *("new: head/kernel", "new: head/bias", "unused: b/kernel", "unused: b/bias"),
    ]
    np.testing.assert_array_equal(values(target)["head/kernel"], before["head/kernel"])


@pytest.mark.parametrize("kind", ["template", "derived"])
def test_a_new_classifier_keeps_the_rest(kind: str) -> None:
    shape = (4, 16, 16)
    if kind == "template":
        model = template_micro(4, clip_shape=shape, kl="paper", noise="batch")
        set_strategy(model, "S ST S+ST - S S")
    else:
        model = derived_micro("S ST S+ST - S S", 4, clip_shape=shape)
    before = values(model)
    network, report = replace_classifier(model, 9)
    assert network.output_shape == (None, 9)
    assert model.architecture is not None
    assert network.architecture == {**(model.architecture or {}), "num_classes": 9}
    assert report.new == report.unused == ("classifier/kernel", "classifier/bias")
    assert set(report.copied) == set(before) - set(report.new)

    def features(one: Any) -> Any:
        return keras.Model(one.input, one.get_layer("pool").output)(CLIPS)

    np.testing.assert_array_equal(features(network), features(model))
    for path, value in values(model).items():
        np.testing.assert_array_equal(value, before[path])  # the old one is left as it was


def test_a_plain_model_carries_no_architecture() -> None:
    with pytest.raises(ValueError, match=r"'chain_a' does not carry its architecture"):
        replace_classifier(chain(a=3), 9)


def test_keras_loads_no_weights_of_another_strategy(tmp_path: Path) -> None:
    """Keras goes by the order of layers, and two kernels of one shape would change places."""
    template = rows.built("tiny", 6, clip_shape=(4, 16, 16))
    template.save_weights(tmp_path / "template.weights.h5")
    strategy = FusionStrategy.parse("S+ST S+ST", "tiny")
    network = rows.built("tiny", 6, clip_shape=(4, 16, 16), strategy=strategy)
    before = [weight.numpy() for weight in network.weights]
    with pytest.raises(ValueError, match=r"those of a template.*'S\+ST S\+ST'.*derive"):
        network.load_weights(tmp_path / "template.weights.h5")
    for weight, value in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)

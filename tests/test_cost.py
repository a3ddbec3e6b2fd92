"""Parameters and multiply-adds: the published rows exactly, and a network by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from vdroppath_tf import cost
from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import freeze_gates
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import derived_micro, derived_resnet50, template_micro, template_resnet50

CLIP = (16, 224, 224)  # method, section 4; 174 classes
AUTHORS = " ".join(["S+ST"] * 7 + ["ST"] * 6 + ["S+ST"] * 3)


@pytest.mark.parametrize(
    ("strategy", "parameters", "macs"),
    [
        (" ".join(["S"] * 16), 23_902_190, 72_947_429_376),
        (" ".join(["S+ST"] * 16), 36_890_606, 117_956_505_600),
        (AUTHORS, 35_448_814, 112_201_920_512),
    ],
    ids=["S", "S+ST", "7 S+ST, 6 ST, 3 S+ST"],
)
@pytest.mark.usefixtures("zero_kernels")
def test_published_rows_of_resnet50(strategy: str, parameters: int, macs: int) -> None:
    found = cost.complexity(derived_resnet50(strategy), CLIP)
    assert (found.parameters, found.macs) == (parameters, macs)


@pytest.mark.usefixtures("zero_kernels")
def test_a_template_costs_what_all_its_paths_do() -> None:
    found = cost.complexity(template_resnet50(), CLIP)
    assert (found.parameters, found.macs) == (36_890_606, 117_956_505_600)


@pytest.mark.parametrize("gates", [{}, {"drop_layer": True}])
def test_gates_are_not_counted(gates: dict[str, Any]) -> None:
    uniform = cost.complexity(derived_micro(" ".join(["S+ST"] * 6)), (4, 16, 16))
    found = cost.complexity(template_micro(**gates), (4, 16, 16))
    assert set(found.layers) == set(uniform.layers)  # in another order
    assert len(found.layers) == len(uniform.layers)


def by_hand() -> Any:
    x = inputs = keras.Input((None, None, None, 3), name="video")
    x = Convolution(4, (1, 3, 3), (1, 2, 2), name="conv")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = FusionConv(5, name="fusion")(x)["output"]
    x = Convolution(6, (3, 3, 3), (2, 1, 1), name="full")(x)
    x = keras.layers.GlobalAveragePooling3D()(x)
    return keras.Model(inputs, keras.layers.Dense(7, name="head")(x))


def test_a_network_by_hand() -> None:
    """Clips of 3 x 5 x 6: the strided convolutions leave 3 x 3 x 3, then 2 x 3 x 3 cells."""
    found = cost.complexity(by_hand(), (3, 5, 6))
    assert {layer.name: (layer.parameters, layer.macs) for layer in found.layers} == {
        "conv": (9 * 3 * 4, 27 * 9 * 3 * 4),
        "bn": (8, 0),
        "fusion": ((1 + 3) * 4 * 5, 27 * (1 + 3) * 4 * 5),
        "full": (27 * 5 * 6, 18 * 27 * 5 * 6),
        "head": (6 * 7 + 7, 6 * 7),
    }
    assert found.parameters == sum(layer.parameters for layer in found.layers)
    assert found.macs == sum(layer.macs for layer in found.layers) == 2916 + 2160 + 14_580 + 42


def test_parameters_agree_with_keras() -> None:
    network = derived_micro("S ST S+ST - S ST")
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_weights)
    assert cost.complexity(network, (4, 16, 16)).parameters == trainable


def test_frozen_networks_cost_the_same() -> None:
    model = template_micro()
    before = cost.complexity(model, (4, 16, 16))
    freeze_gates(model)
    assert cost.complexity(model, (4, 16, 16)) == before
    model.trainable = False
    assert cost.complexity(model, (4, 16, 16)) == before


@pytest.mark.parametrize(
    "shape", [(224, 224), (16, 224, 224, 3), (0, 8, 8), (4, 8.5, 8), (None, 8, 8), ("a", 8, 8), 8]
)
def test_a_bad_clip_shape_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"clip_shape must be \(frames, height, width\).*Received"):
        cost.complexity(derived_micro("- - - - - -"), shape)


def test_expected_macs_are_the_mean_over_draws() -> None:
    model = template_micro(initial_drop=0.3)
    costs = cost.unit_costs(model, (4, 16, 16))
    space = ProbabilitySpace.from_model(model)
    drawn = np.array([costs.of(strategy)[1] for strategy in space.sample(2000, seed=0)])
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - costs.expected_macs(space)) < 4 * error


def test_a_network_built_for_other_clips_is_refused() -> None:
    model = derived_micro("S S S S S S", clip_shape=(4, 16, 16))
    with pytest.raises(ValueError, match=r"built for clips of \(4, 16, 16\).*\(8, 16, 16\)"):
        cost.complexity(model, (8, 16, 16))


def test_unit_costs_take_a_strategy_or_its_text() -> None:
    costs = cost.unit_costs(template_micro(), (4, 16, 16))
    assert costs.of("S ST - S+ST S S") == costs.of(FusionStrategy.parse("S ST - S+ST S S"))
    with pytest.raises(ValueError, match="2 units"):
        costs.of("S S")


def test_a_complexity_is_printed_as_its_totals_and_its_costliest_layers() -> None:
    found = cost.complexity(derived_micro(" ".join(["S+ST"] * 6)), (4, 16, 16))
    title, heads, *lines = str(found).splitlines()
    assert f"{found.parameters:,} parameters, {found.macs:,} MACs" in title
    assert heads.split() == ["layer", "parameters", "macs"]
    macs = [int(line.split()[-1].replace(",", "")) for line in lines[:10]]
    assert macs == sorted((layer.macs for layer in found.layers), reverse=True)[:10]
    assert lines[10:] == [f"... and {len(found.layers) - 10} more"]
    assert repr(found) == title
    assert "<table>" in found._repr_html_()
    assert [line[0] for line in found.short_table().lines] == [one.name for one in found.layers]

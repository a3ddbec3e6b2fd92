"""Strategies and spaces carried to other networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf import zoo
from vdroppath_tf.models.families import fusion_layers_of
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.strategies import ARCHITECTURES

SETTINGS = settings(max_examples=40)
units = st.lists(st.sampled_from(("S", "ST", "S+ST", "-")), min_size=1, max_size=70)
architectures = st.sampled_from(ARCHITECTURES)


@SETTINGS
@given(units.filter(lambda found: set(found) != {"-"}), architectures)
def test_the_result_fits_its_network(found, to):
    moved = zoo.transfer(FusionStrategy(tuple(found)), to=to)
    layers = fusion_layers_of(to)
    moved.check(len(layers), to, ("S", "ST"))
    assert all(unit != "-" or la.has_residual for unit, la in zip(moved, layers, strict=True))
    assert set(moved) <= set(found)


@pytest.mark.parametrize("to", ARCHITECTURES)
def test_uniform_stays_uniform(to):
    assert zoo.transfer(zoo.uniform("S+ST", "micro"), to) == zoo.uniform("S+ST", to)


def test_a_third_of_the_depth_stays_a_third():
    moved = zoo.transfer(FusionStrategy.parse("S ST S+ST"), to="resnet101")
    assert moved == FusionStrategy.parse("S " * 11 + "ST " * 11 + "S+ST " * 11, "resnet101")


def test_a_shorter_network_takes_the_layers_at_its_depths():
    source = FusionStrategy.parse("S ST " * 5 + "S+ST S+ST")  # 12 layers
    assert str(zoo.transfer(source, to="micro")) == "ST ST ST ST ST S+ST"


def test_the_same_length_keeps_every_layer():
    source = FusionStrategy.parse("S ST - S+ST S -")
    assert zoo.transfer(source, to="micro") == FusionStrategy(source.units, "micro")
    strategy = zoo.observed("resnet50")
    assert zoo.transfer(strategy, to="resnext50").units == strategy.units


def test_the_same_architecture_is_the_identity():
    strategy, space = zoo.published_strategy("ucf101"), zoo.published_space("ucf101")
    assert zoo.transfer(strategy, to="densenet121") is strategy
    assert zoo.transfer(space, to="densenet121") is space
    masked = FusionStrategy.parse("S@1 S S S S S", "micro")
    assert zoo.transfer(masked, to="micro") is masked


def test_t_is_st_in_transitions():
    """A DenseNet's transitions have no 3x3 in space."""
    moved = zoo.transfer(FusionStrategy.parse("S+T T T+ST S+T+ST"), to="densenet121")
    found = {
        unit
        for unit, layer in zip(moved, fusion_layers_of("densenet121"), strict=True)
        if layer.name.startswith("T")
    }
    assert found == {"S+ST", "ST"}
    assert moved == zoo.transfer(moved, to="densenet121")
    assert zoo.uniform("T", "densenet121")[6] == "ST"
    assert set(zoo.uniform("T", "densenet121")[:6]) == {"T"}
    assert set(zoo.uniform("T", "resnet50")) == {"T"}

    drop = np.tile([0.2, 0.3, 0.5], (6, 1))
    space = zoo.transfer(ProbabilitySpace(drop, branches=("S", "T", "ST")), to="densenet121")
    np.testing.assert_allclose(space.drop[6], [[0.2, 1.0, 0.15]])
    np.testing.assert_allclose(space.drop[5], [[0.2, 0.3, 0.5]])
    assert all("T" not in s[6].branches for s in space.sample(50, seed=0))


def test_an_empty_layer_with_no_shortcut_takes_the_nearest_path():
    """block2 and block4 (layers 1 and 3) of MobileNetV2 have no residual; block3 has."""
    source = FusionStrategy.parse("- - - ST S - " + "S+ST " * 10)
    assert str(zoo.transfer(source, to="mobilenet_v2")).startswith("ST - ST ST S S S+ST")


@pytest.mark.parametrize("dataset", zoo.DATASETS)
def test_a_space_carries_its_mode_along(dataset):
    space = zoo.published_space(dataset)
    for to in ("resnet50", "densenet201", "mobilenet_v2"):
        moved = zoo.transfer(space, to=to)
        layers = fusion_layers_of(to)
        assert moved.layers == tuple(layer.name for layer in layers)
        assert [*moved.has_residual] == [layer.has_residual for layer in layers]
        assert moved.mode() == zoo.transfer(space.mode(), to=to)
        assert {tuple(row[0]) for row in moved.drop} <= {tuple(row[0]) for row in space.drop}


def test_a_space_keeps_starts_and_d1():
    values = np.arange(1, 7)[:, None] / 10 * np.ones(2)
    space = ProbabilitySpace(values, values / 2, layer_drop=values[:, 0] / 3)
    moved = zoo.transfer(space, to="resnet50")
    drop = np.concatenate(moved.drop)
    np.testing.assert_array_equal(np.concatenate(moved.initial), drop / 2)
    np.testing.assert_array_equal(moved.layer_drop, drop[:, 0] / 3)
    assert drop[0, 0] == 0.1
    assert drop[-1, 0] == 0.6


def test_a_space_without_a_path_in_a_layer_can_still_be_drawn_from():
    drop = np.full((16, 2), 0.5)
    drop[[0, 2, 5]] = 1
    moved = zoo.transfer(ProbabilitySpace(drop), to="mobilenet_v2")
    assert not any((layer == 1).all() for layer in moved.drop)
    assert len(moved.sample(3)) == 3
    kept = zoo.transfer(ProbabilitySpace(drop), to="resnet50")
    np.testing.assert_array_equal(np.concatenate(kept.drop), drop)


@pytest.mark.parametrize(
    ("source", "to", "message"),
    [
        (FusionStrategy.parse("S"), "resnet5", "Unknown network. Did you mean 'resnet50'"),
        (FusionStrategy.parse("S", "micro"), "micro", "which has 6 fusion layers. Received: 1"),
        (FusionStrategy.parse("S S@10"), "micro", "per input.*layer 2 has 'S@10'"),
        (ProbabilitySpace((np.full((2, 2), 0.1),)), "micro", "per input.*a space with"),
        (FusionStrategy.parse("- -"), "mobilenet_v2", "No layer of the source has a path"),
    ],
)
def test_errors_say_what_was_expected(source, to, message):
    with pytest.raises(ValueError, match=message):
        zoo.transfer(source, to=to)

"""The published spaces and strategies against the figure they were read from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vdroppath_tf import zoo
from vdroppath_tf.models.families import fusion_layers_of
from vdroppath_tf.zoo import published

FIGURE = json.loads(Path(published._FILE).read_text())
each_dataset = pytest.mark.parametrize("dataset", zoo.DATASETS)


@each_dataset
def test_marginals_are_the_figures(dataset):
    marginals = zoo.published_space(dataset).marginals()
    shown = np.array([*FIGURE["datasets"][dataset]["marginals"].values()])
    assert shown.shape == (61, 3)
    found = np.stack([marginals[unit] for unit in FIGURE["units"]], axis=1)
    np.testing.assert_allclose(found, shown, atol=1e-3)


@each_dataset
def test_layers_are_the_networks(dataset):
    space = zoo.published_space(dataset)
    blocks = [[f"B{b}.L{n + 1}" for n in range(size)] for b, size in enumerate((6, 12, 24, 16), 1)]
    names = [*blocks[0], "T1", *blocks[1], "T2", *blocks[2], "T3", *blocks[3]]
    assert list(space.layers) == names
    layers = fusion_layers_of("densenet121")
    assert space.layers == tuple(layer.name for layer in layers)
    assert [*space.has_residual] == [layer.has_residual for layer in layers]
    assert space.architecture == "densenet121"
    assert [n for n, may in zip(names, space.has_residual, strict=True) if not may] == [
        *("T1", "T2", "T3")
    ]
    assert np.all(np.concatenate(space.initial) == 0.1)


@each_dataset
def test_the_strategy_is_a_draw_of_the_space(dataset):
    space, strategy = zoo.published_space(dataset), zoo.published_strategy(dataset)
    assert strategy.architecture == "densenet121"
    assert space.log_prob(space.mode()) >= space.log_prob(strategy) > -np.inf


def test_known_values_of_the_figure():
    """Read off by eye: the first bar of Something-Something V1, and what UCF101 drew."""
    first = {u: v[0] for u, v in zoo.published_space("something-something-v1").marginals().items()}
    assert first["S+ST"] == pytest.approx(0.4816, abs=1e-3)
    assert set(zoo.published_strategy("ucf101")) == {"S+ST"}
    assert zoo.published_strategy("kinetics400")[0] == "S"


def test_accuracies_are_table_2s():
    assert zoo.published_top1("something-something-v1") == {
        **{"S": 41.8, "ST": 47.5, "S+ST": 46.5, "strategy": 50.2}
    }
    rows = [[*zoo.published_top1(dataset).values()] for dataset in zoo.DATASETS]
    assert rows[1:] == [
        *([55.1, 60.5, 59.5, 62.4], [83.6, 83.1, 84.2, 84.2], [67.8, 68.3, 69.7, 71.7])
    ]


def test_what_is_returned_is_the_callers_own():
    zoo.published_top1("ucf101")["S"] = 0.0
    assert zoo.published_top1("ucf101")["S"] == 83.6


def test_unknown_data_set_offers_the_nearest():
    for read in (zoo.published_space, zoo.published_strategy, zoo.published_top1):
        with pytest.raises(ValueError, match=r"Did you mean 'kinetics400'.*Received: 'kinetics'"):
            read("kinetics")
        with pytest.raises(ValueError, match="'something-something-v2' or"):
            read("something-v2")

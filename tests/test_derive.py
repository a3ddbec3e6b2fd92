"""The test that holds the project together: a masked template is the derived network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny
from covering import covering

from vdroppath_tf import cost
from vdroppath_tf.derivation import derive, replace_classifier
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import template_micro, template_resnet50

UNITS = ("S", "ST", "S+ST", "-")
TOLERANCE = 1e-5


def trained_looking(model: Any, seed: int = 0) -> Any:
    """Weights and statistics such that every path, scale and bias shows in logits of order 1."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        kind = variable.path.split("/")[-1]
        if kind in ("moving_mean", "beta", "bias"):
            variable.assign(rng.normal(0, 0.3, variable.shape))
        elif kind in ("moving_variance", "gamma"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif kind == "logit":
            variable.assign(rng.normal(0, 2, variable.shape))
    return model


def clips(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype("uint8")


def largest_difference(model: Any, strategy: str, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Between the masked template and the derived network, over the scale of the logits (>= 1)."""
    set_strategy(model, strategy)
    masked = np.asarray(model(x, training=False))
    derived = np.asarray(derive(model, strategy)(x, training=False))
    return float(np.abs(masked - derived).max() / max(np.abs(masked).max(), 1.0)), masked


@pytest.mark.parametrize("drop_layer", [pytest.param(False, marks=pytest.mark.newest), True])
def test_a_masked_template_is_the_derived_network(
    drop_layer: bool, record_property: Callable[..., None]
) -> None:
    model = trained_looking(template_micro(clip_shape=(4, 16, 16), drop_layer=drop_layer))
    x = clips(2, 4, 16, 16)
    found, outputs = [], []
    chosen = covering(UNITS, 6)[: 6 if drop_layer else None]
    assert {unit for text in chosen for unit in text.split()} == set(UNITS)
    if not drop_layer:
        rows = [text.split() for text in chosen]
        for i, j in itertools.combinations(range(6), 2):
            assert len({(row[i], row[j]) for row in rows}) == len(UNITS) ** 2
    for strategy in chosen:
        difference, logits = largest_difference(model, strategy, x)
        assert difference <= TOLERANCE, strategy
        found.append(difference)
        outputs.append(logits.tobytes())
    assert len(set(outputs)) == len(chosen)  # every strategy is a network of its own
    record_property(f"masked template - derived, {len(found)} strategies", max(found))
    print(f"masked template - derived, {len(found)} strategies: {max(found):.1e}")


@pytest.mark.slow
def test_a_masked_resnet50_is_the_derived_network(record_property: Callable[..., None]) -> None:
    model = trained_looking(template_resnet50(10))
    x = clips(2, 4, 32, 32)
    found = [largest_difference(model, text, x)[0] for text in covering(UNITS, 16)[4:7]]
    record_property("masked resnet50 - derived, 3 strategies", max(found))
    print(f"masked resnet50 - derived, 3 strategies: {max(found):.1e}")
    assert max(found) <= TOLERANCE


@pytest.fixture(scope="module")
def template() -> Any:
    return trained_looking(template_micro(7, clip_shape=(4, 16, 16), num_train_examples=8))


def test_only_the_paths_of_the_strategy_remain(template: Any) -> None:
    text = "S ST S+ST - S ST"
    network = derive(template, text)
    kernels = [v.path.split("/") for v in network.weights if "fusion/" in v.path]
    found: dict[str, list[str]] = {}
    for layer, path, _ in kernels:
        found.setdefault(layer, []).append(path)
    expected = [["spatial"], ["spatiotemporal"], ["spatial", "spatiotemporal"]]
    assert list(found.values()) == [*expected, *expected[:2]]
    theirs = {v.path: v.value.numpy() for v in template.weights}
    for variable in network.weights:
        np.testing.assert_array_equal(variable.value.numpy(), theirs[variable.path])
    assert network.name == "derived_micro"
    assert network.output_shape == (None, 7)
    assert network.architecture == {**template.architecture, "strategy": text, "gates": {}}
    assert network.gates == []


def test_deriving_leaves_the_template_alone(template: Any) -> None:
    set_strategy(template, "S S S S S S")
    before = {v.path: v.value.numpy().copy() for v in template.weights}
    network = derive(template, "ST - S+ST S ST -")
    network.set_weights([value * 0 for value in network.get_weights()])
    for variable in template.weights:
        np.testing.assert_array_equal(variable.value.numpy(), before[variable.path])


def test_fine_tuning_goes_on_from_the_same_point(template: Any) -> None:
    """An S+ST layer keeps both kernels; there is no KL."""
    network = derive(template, "S+ST S+ST ST S - S")
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = network.get_weights()
    x, y = clips(2, 4, 16, 16), np.array([0, 1])
    history = network.fit(x, y, verbose=0).history
    assert set(history) == {"loss"}
    assert np.isfinite(history["loss"]).all()
    moved = [not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True)]
    assert sum(moved) > len(moved) // 2


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("S S", r"2 units.*6 fusion layers"),
        (FusionStrategy.uniform("S", 6, "resnet50"), r"'resnet50'.*'micro'"),
        ("S S S+T S S S", r"Layer 3 uses branch 'T'"),
        ("S@1 S S S S S", r"Layer 'stage1_block1_fusion' uses its inputs differently"),
    ],
)
def test_a_strategy_that_does_not_fit_is_refused(
    template: Any, strategy: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        derive(template, strategy)


def test_only_a_template_can_be_derived_from(template: Any) -> None:
    with pytest.raises(ValueError, match=r"'derived_micro' has no gated fusion layers"):
        derive(derive(template, "S S S S S S"), "S S S S S S")
    with pytest.raises(ValueError, match=r"'plain' has no gated fusion layers"):
        derive(keras.Sequential([keras.layers.Dense(1)], name="plain"), "S")


@pytest.mark.parametrize(
    "text", ["S ST S+ST - S ST", "- - - - - -", "S+ST S+ST S+ST S+ST S+ST S+ST"]
)
def test_the_cost_of_a_strategy_needs_no_network(template: Any, text: str) -> None:
    costs = cost.unit_costs(template, (4, 16, 16))
    built = cost.complexity(derive(template, text), (4, 16, 16))
    assert costs.of(FusionStrategy.parse(text)) == (built.parameters, built.macs)


@pytest.mark.parametrize("what", [["S"] * 6, None, 3])
def test_what_is_no_strategy_is_refused(template: Any, what: Any) -> None:
    with pytest.raises(TypeError, match=r"strategy must be a FusionStrategy or text, not "):
        derive(template, what)


def test_files_hold_whether_a_network_was_derived(tmp_path: Path) -> None:
    """One with a new classifier was as well; a file without the mark, or of weights: unknown."""
    model = tiny.template()
    derived, alone = derive(model, "S ST S+ST"), tiny.derived("S ST S+ST")
    assert (derived.derived, alone.derived) == (True, False)
    assert replace_classifier(derived, 7)[0].derived is True
    for network in (derived, alone):
        network.save(tmp_path / "network.keras")
        again = keras.saving.load_model(tmp_path / "network.keras")
        assert again.derived is network.derived
    older = {name: value for name, value in derived.get_config().items() if name != "derived"}
    assert type(derived).from_config(older).derived is False
    derived.save_weights(tmp_path / "network.weights.h5")
    derived.load_weights(tmp_path / "network.weights.h5")
    assert derived.derived is False
    assert "derived" not in model.get_config()

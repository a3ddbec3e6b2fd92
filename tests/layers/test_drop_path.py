"""VariationalDropPath on its own: noise, hard masks, KL, precision, what it saves."""

from __future__ import annotations

import inspect
import itertools
import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers import FusionConv, GatedDense
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.spaces.prior import PRIOR_STRENGTH

NON_DEFAULT: dict[str, Any] = {
    "paths": 3,
    "drop_layer": True,
    "initial_drop": 0.3,
    "temperature": 0.5,
    "noise": "batch",
    "kl": "paper",
    "weight_reg": 250.0,
    "prior_strength": None,
    "num_train_examples": 86_017,
    "has_residual": False,
    "residual_gate": "relaxed",
    "seed": 7,
}


def gate(paths: int = 2, *, name: str = "gate", **options: Any) -> Any:
    """A built layer that knows its N."""
    options = {"num_train_examples": 10, **options}
    layer = VariationalDropPath(paths, name=name, **options)
    layer.build()
    return layer


def keeps(layer: Any, batch: int = 4, *, training: bool = True) -> np.ndarray:
    return np.asarray(layer.keep(tf.constant(batch), training=training))


def test_noise_is_a_function_of_seed_name_and_step() -> None:
    first, again = gate(), gate()
    for _ in range(3):
        np.testing.assert_array_equal(keeps(first), keeps(again))
    steps = [keeps(first) for _ in range(4)]
    others = [keeps(gate(name="other")), keeps(gate(seed=1)), keeps(gate())]
    for one, other in itertools.combinations([*steps, *others], 2):
        assert not np.array_equal(one, other)
    assert int(first.noise_step) == 7


def test_the_step_counter_gives_a_step_back() -> None:
    """What resuming needs: the counter, and nothing else."""
    one, other = gate(), gate()
    for _ in range(5):
        keeps(one)
    other.noise_step.assign(5)
    np.testing.assert_array_equal(keeps(one), keeps(other))


def test_the_noise_is_the_same_in_a_graph() -> None:
    eager, traced = gate(), gate()
    step = tf.function(lambda: traced.keep(tf.constant(4), training=True))
    for _ in range(3):
        np.testing.assert_allclose(keeps(eager), step(), rtol=1e-5, atol=1e-7)


def test_a_place_in_the_batch_keeps_its_noise() -> None:
    np.testing.assert_array_equal(keeps(gate(), 4), keeps(gate(), 9)[:4])


def test_per_sample_and_per_batch() -> None:
    sample, batch = keeps(gate(noise="sample"), 64), keeps(gate(noise="batch"), 64)
    assert sample.shape == batch.shape == (64, 2)
    assert len(np.unique(sample[:, 0])) > 32  # some saturate at 1
    assert (batch == batch[0]).all()
    assert batch[0, 0] != batch[0, 1]


@pytest.mark.parametrize("p", [0.1, 0.4])
def test_paths_drop_with_their_probability(p: float) -> None:
    dropped = keeps(gate(initial_drop=p), 40_000) < 0.5
    assert np.abs(dropped.mean(0) - p).max() < 4 * math.sqrt(p * (1 - p) / 40_000)
    together = dropped.all(1).mean()  # the gates of a layer are independent
    assert abs(together - p * p) < 4 * math.sqrt(p * p * (1 - p * p) / 40_000)


def test_paths_are_kept_without_rescaling() -> None:
    layer, twin = gate(), gate()
    x = [tf.fill((4, 3, 2), 1.0), tf.fill((4, 3, 2), 10.0)]
    keep = keeps(twin)
    expected = keep[:, 0] + 10 * keep[:, 1]
    found = np.asarray(layer(x, training=True))
    np.testing.assert_allclose(found, np.broadcast_to(expected[:, None, None], (4, 3, 2)), 1e-6)
    assert (keep <= 1).all()


def test_d1_drops_what_the_layer_gives() -> None:
    layer, twin = gate(drop_layer=True), gate(drop_layer=True)
    keep = keeps(twin)
    assert keep.shape == (4, 3)
    found = np.asarray(layer([tf.ones((4, 1))] * 2, training=True))
    np.testing.assert_allclose(found[:, 0], (keep[:, 0] + keep[:, 1]) * keep[:, 2], rtol=1e-6)


def test_the_mode_runs_at_inference() -> None:
    layer = gate()
    np.testing.assert_array_equal(keeps(layer, training=False), np.ones((4, 2)))
    layer.logit.assign([2.0, -2.0])
    np.testing.assert_array_equal(keeps(layer, training=False), [[0.0, 1.0]] * 4)
    layer.logit.assign([2.0, 2.0])
    np.testing.assert_array_equal(keeps(layer, training=False), np.zeros((4, 2)))
    assert int(layer.noise_step) == 0


def test_a_layer_without_residual_keeps_its_best_path() -> None:
    layer = gate(has_residual=False)
    layer.logit.assign([3.0, 2.0])
    np.testing.assert_array_equal(layer.hard_mask(), [0.0, 1.0])


def test_d1_enters_the_mode() -> None:
    """With p1 > 1/2 the most probable outcome is the empty layer, whatever the paths say."""
    layer = gate(drop_layer=True)
    layer.layer_logit.assign(1.0)
    np.testing.assert_array_equal(layer.hard_mask(), [0.0, 0.0])


@pytest.mark.parametrize("mask", [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
def test_a_mask_overrides_the_mode(mask: list[float]) -> None:
    layer = gate(drop_layer=True)
    layer.set_mask(mask)
    np.testing.assert_array_equal(keeps(layer, training=False), [[*mask, 1.0]] * 4)
    layer.set_mask("mode")
    np.testing.assert_array_equal(keeps(layer, training=False), np.ones((4, 3)))


@pytest.mark.parametrize("has_residual", [True, False])
def test_random_masks_are_draws(has_residual: bool) -> None:
    """Eq. 6, one draw for the batch: hard, and as frequent as the space says."""
    layer = gate(initial_drop=0.4, has_residual=has_residual)
    layer.set_mask("random")
    draw = tf.function(lambda: layer.keep(tf.constant(2), training=False))
    draws = np.array([draw() for _ in range(3000)])
    assert (draws[:, 0] == draws[:, 1]).all()
    rows = [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    frequency = np.array([(draws[:, 0] == row).all(1).mean() for row in rows])
    expected = np.array([0.36, 0.24, 0.24, 0.16 if has_residual else 0.0])
    expected /= expected.sum()
    assert frequency.sum() == 1
    assert (np.abs(frequency - expected) <= 4 * np.sqrt(expected * (1 - expected) / 3000)).all()


def test_the_kl_by_hand() -> None:
    norms = tf.constant([2.0, 3.0])
    p, n, k = 0.1, 10, 5.0
    entropy = {
        "code": p * math.log(p) + (1 - p) * math.log(1 - p),
        "paper": p * math.log(p),
    }
    strength = {"code": k, "paper": k * k / 2}
    for form in ("code", "paper"):
        layer = gate(kl=form, weight_reg=k)
        layer([tf.ones((4, 1))] * 2, squared_norms=norms, training=True)
        expected = (2 * entropy[form] + strength[form] * (1 - p) * (2.0 + 3.0)) / n
        assert float(tf.add_n(layer.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("form", ["code", "paper"])
def test_a_prior_strength_acts_alike_for_any_n(form: str) -> None:
    """Only the entropy is divided by N then."""
    norms, p = tf.constant([2.0, 3.0]), 0.1
    entropy = p * math.log(p) + (1 - p) * math.log(1 - p) * (form == "code")
    for n in (10, 1000):
        layer = gate(kl=form, prior_strength=0.25, num_train_examples=n)
        layer([tf.ones((4, 1))] * 2, squared_norms=norms, training=True)
        expected = 2 * entropy / n + 0.25 * (1 - p) * (2.0 + 3.0)
        assert float(tf.add_n(layer.losses)) == pytest.approx(expected, rel=1e-5)
        assert layer.acting_strength == 0.25


def test_a_gate_that_is_told_neither_strength_has_the_default() -> None:
    layer = gate()
    assert (layer.weight_reg, layer.prior_strength) == (None, PRIOR_STRENGTH)
    assert gate(weight_reg=10.0).acting_strength == 1.0
    assert gate(weight_reg=10.0, num_train_examples=None).acting_strength is None
    with pytest.raises(ValueError, match=r"weight_reg=10\.0 and prior_strength=0\.1"):
        VariationalDropPath(weight_reg=10.0, prior_strength=0.1)


def test_an_older_config_keeps_its_weight_reg() -> None:
    config = gate(weight_reg=10.0).get_config()
    del config["prior_strength"]
    assert VariationalDropPath.from_config(config).weight_reg == 10.0
    for kind in (FusionConv, GatedDense):  # and where it was left out, which meant 10
        layer = kind.from_config({**kind(8).get_config(), "gate": {"num_train_examples": 5}})
        assert (layer.drop_path.weight_reg, layer.drop_path.prior_strength) == (10.0, None)
        again = kind.from_config(kind(8).get_config())
        assert again.drop_path.prior_strength == PRIOR_STRENGTH


def test_no_kl_where_nothing_is_learned() -> None:
    layer = gate()
    x = [tf.ones((4, 1))] * 2
    layer(x, squared_norms=tf.ones(2), training=False)
    assert layer.losses == []
    layer.trainable = False
    layer(x, squared_norms=tf.ones(2), training=True)
    assert layer.losses == []
    np.testing.assert_array_equal(keeps(layer, training=True), np.ones((4, 2)))
    assert int(layer.noise_step) == 0


def test_n_must_be_known() -> None:
    layer = gate(num_train_examples=None)
    with pytest.raises(ValueError, match=r"gate: the KL needs N.*num_train_examples="):
        layer([tf.ones((4, 1))] * 2, squared_norms=tf.ones(2), training=True)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_gates_are_float32_under_any_policy(policy: str) -> None:
    keras.config.set_dtype_policy(policy)  # conftest puts float32 back
    layer = gate(drop_layer=True)
    keras.config.set_dtype_policy("float32")
    half = "bfloat16" if "bfloat" in policy else "float16"
    for variable in (layer.logit, layer.layer_logit, layer.mask):
        assert variable.dtype == "float32"
    x = [tf.ones((4, 3), half)] * 2
    y = layer(x, squared_norms=tf.ones(2), training=True)
    assert y.dtype == half
    assert layer.losses[0].dtype == tf.float32
    with tf.GradientTape() as tape:
        keep = layer.keep(tf.constant(4), training=True)
    assert keep.dtype == tf.float32
    assert tape.gradient(keep, layer.logit.value).dtype == tf.float32


def test_the_shape_is_said_in_advance() -> None:
    layer = VariationalDropPath(2, num_train_examples=1)
    y = layer([keras.Input((3, 5)), keras.Input((3, 5))])
    assert y.shape == (None, 3, 5)


def test_another_number_of_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gate: expected 2 inputs.*Received: 3"):
        gate()([tf.ones((4, 1))] * 3)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("paths", 0),
        ("initial_drop", 0.0),
        ("initial_drop", 1.0),
        ("temperature", 0.0),
        ("noise", "pixel"),
        ("residual_gate", "soft"),
        ("kl", "exact"),
        ("weight_reg", -1.0),
        ("prior_strength", -1.0),
        ("num_train_examples", 0),
    ],
)
def test_bad_options_are_named(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{option} must be .*Received: {value!r}"):
        VariationalDropPath(**{option: value})


def test_the_config_holds_every_argument() -> None:
    parameters = inspect.signature(VariationalDropPath.__init__).parameters.values()
    signature = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}
    assert signature == set(NON_DEFAULT) | {"name", "dtype", "trainable"}
    layer = VariationalDropPath(**NON_DEFAULT, name="gate", trainable=False)
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert {key: getattr(again, key) for key in NON_DEFAULT} == NON_DEFAULT
    assert again.trainable is False
    assert again.get_config() == layer.get_config()


def test_gate_variables_have_logit_in_their_paths() -> None:
    layer = gate(drop_layer=True)
    assert [v.path for v in layer.trainable_variables] == ["gate/logit", "gate/layer_logit"]
    assert [v.path for v in layer.non_trainable_variables] == ["gate/mask", "gate/noise_step"]

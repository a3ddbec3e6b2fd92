"""Two replicas compute what one device does: noise, loss, gates, weights, batch-norm statistics.

Through `fit` with a tf.data set, on two logical CPU devices.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.layers.gates import freeze_gates, restored_gates, set_strategy
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training.optimizer import GateSGD

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (8, 4, 16, 16, 3)).astype("uint8")
LABELS = RNG.integers(0, 4, 8)

Trained = tuple[Any, dict[str, list[float]]]  # model, history


def clips() -> Any:
    return tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).batch(4, drop_remainder=True)


def template(scope: Any, **gates: Any) -> Any:
    keras.utils.set_random_seed(1)
    with scope():
        return rows.built("tiny", 4, clip_shape=(4, 16, 16), gates=gates)


def compiled(scope: Any, **gates: Any) -> Trained:
    model = template(scope, **gates)
    with scope():
        model.compile(
            optimizer=GateSGD(0.05, gate_multiplier=4.0, momentum=0.9),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
    return model, model.fit(clips(), validation_data=clips(), verbose=0).history


def compiled_by_fit(scope: Any, **gates: Any) -> Trained:
    model = template(scope, **gates)
    return model, model.fit(clips(), verbose=0).history


@pytest.fixture(scope="module")
def sample_noise(mirrored: Any) -> tuple[Trained, Trained]:
    return compiled(contextlib.nullcontext), compiled(mirrored.scope)


@pytest.fixture(scope="module")
def batch_noise_and_d1(mirrored: Any) -> tuple[Trained, Trained]:
    gates = {"noise": "batch", "drop_layer": True, "kl": "paper", "weight_reg": 3.0}
    return (
        compiled_by_fit(contextlib.nullcontext, **gates),
        compiled_by_fit(mirrored.scope, **gates),
    )


@pytest.fixture(scope="module")
def gates_per_input(mirrored: Any) -> tuple[Trained, Trained]:
    """Paths with batch norms of their own, T, D1 and the gated classifier too."""
    gates = {"drop_layer": True, "gate_classifier": True}
    options = {"branches": rows.ALL, "share_inputs": False, "blocks": (2,), "gates": gates}

    def trained(scope: Any) -> Trained:
        keras.utils.set_random_seed(1)
        with scope():
            model = rows.network("dense", num_classes=4, clip_shape=(4, 16, 16), **options)
        return model, model.fit(clips(), verbose=0).history

    return trained(contextlib.nullcontext), trained(mirrored.scope)


def values(model: Any) -> dict[str, np.ndarray]:
    return {v.path: np.asarray(v.value.numpy()) for v in model.weights}


def differences(one: Any, other: Any) -> dict[str, float]:
    """Largest difference by the last part of the paths, of values of order 1."""
    theirs = values(other)
    found: dict[str, float] = {}
    for path, value in values(one).items():
        difference = float(np.abs(value - theirs[path]).max() / max(np.abs(value).max(), 1.0))
        kind = path.split("/")[-1]
        found[kind] = max(found.get(kind, 0.0), difference)
    return found


@pytest.mark.parametrize("case", ["sample_noise", "batch_noise_and_d1", "gates_per_input"])
@pytest.mark.slow
def test_two_replicas_train_as_one(
    case: str, request: pytest.FixtureRequest, record_property: Callable[..., None]
) -> None:
    (single, history), (double, history_of_two) = request.getfixturevalue(case)
    found = differences(single, double)
    print(case, {kind: f"{difference:.1e}" for kind, difference in found.items()})
    for kind, difference in found.items():
        record_property(f"1 replica and 2, {case}, {kind}", difference)
    assert {"logit", "kernel", "gamma", "moving_mean", "moving_variance"} <= set(found)
    assert max(found.values()) <= 1e-5
    assert found["noise_step"] == found["mask"] == 0
    assert set(history) == set(history_of_two) > {"loss", "task_loss", "kl"}
    for name in history:
        np.testing.assert_allclose(history_of_two[name], history[name], rtol=1e-5, err_msg=name)
    pushes, pushes_of_two = single.kept_pushes(), double.kept_pushes()
    for name in ("data", "prior", "last_data", "last_prior"):
        np.testing.assert_allclose(pushes_of_two[name], pushes[name], rtol=1e-3, atol=1e-6)
    start = np.log(0.1 / 0.9)
    moved = [np.abs(v.numpy() - start).max() for v in single.weights if "logit" in v.path]
    assert min(moved) > 1e-5  # or equality would say nothing


def test_the_loss_counts_the_kl_once(sample_noise: tuple[Trained, Trained]) -> None:
    """Keras keeps the losses of all replicas in one list."""
    for _, history in sample_noise:
        cross_entropy = history["loss"][0] - history["kl"][0]
        assert 0 < cross_entropy < 5  # log 4 is 1.4, the KL some 44
        assert history["task_loss"] == pytest.approx([cross_entropy], rel=1e-5)
        assert not {"val_kl", "val_task_loss"} & set(history)


def test_n_is_that_of_all_replicas(batch_noise_and_d1: tuple[Trained, Trained]) -> None:
    for model, _ in batch_noise_and_d1:
        assert [gate.num_train_examples for gate in model.gates] == [8, 8]


def test_inference_under_two_replicas(sample_noise: tuple[Trained, Trained]) -> None:
    """A strategy; a last batch that leaves a replica without a clip; a random draw for all."""
    models = [model for model, _ in sample_noise]
    for strategy in ("mode", "S -"):
        for model in models:
            set_strategy(model, strategy)
        found = [model.predict(CLIPS[:5], batch_size=4, verbose=0) for model in models]
        np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    for model in models:
        set_strategy(model, "random")
        for gate in model.gates:
            gate.logit.assign([0.0, 0.0])
    draws = [[model.predict(CLIPS, batch_size=8, verbose=0) for _ in range(4)] for model in models]
    np.testing.assert_allclose(draws[1], draws[0], atol=1e-5)
    assert len({draw.tobytes() for draw in draws[0]}) > 1


def test_gates_are_read_and_frozen_under_replicas(sample_noise: tuple[Trained, Trained]) -> None:
    model = sample_noise[1][0]
    assert ProbabilitySpace.from_model(model).gated.shape == (2, 2)
    set_strategy(model, "mode")
    with restored_gates(model):
        set_strategy(model, "S S")
        freeze_gates(model)
    assert all(gate.trainable for gate in model.gates)
    np.testing.assert_array_equal(model.gates[0].mask.numpy(), [-1.0, -1.0])

"""One step in float64: what two replicas compute differs from one device's by rounding alone.

In float32 it cannot be seen for long: an input of a ReLU that is rounded to the other side of zero
moves weights by far more than their last bits. Gates are float32 here as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.training.optimizer import GateSGD

EXACT, SINGLE = 1e-13, 1e-6  # of values of order 1: in float64, and in float32
COUNT = 16  # with six clips on a replica, the float32 gates are rounded otherwise than with twelve
OPTIONS: dict[str, dict[str, Any]] = {
    "a gate for each clip, in parts": {},
    "a gate for the batch, D1, frozen batch norms": {
        "noise": "batch",
        "drop_layer": True,
        "weight_reg": 30.0,
    },
}


class PooledError(keras.losses.Loss):
    """Of what a network without its classifier, which is float32, makes of a clip."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean((tf.reduce_mean(y_pred, [1, 2, 3]) - y_true) ** 2, -1)


def clips() -> Any:
    """Clips and targets whose halves are unlike."""
    rng = np.random.default_rng(0)
    second = np.arange(COUNT) >= COUNT // 2
    shown = rng.integers(0, 128, (COUNT, *tiny.SHAPE, 3)) + 127 * second[:, None, None, None, None]
    targets = rng.normal(second[:, None], 1.0, (COUNT, 1))
    return tf.data.Dataset.from_tensors((shown.astype("uint8"), targets))


def stepped(scope: Any, case: str) -> dict[str, np.ndarray]:
    """All numbers after a step, and what ``fit`` shows of it."""
    options = {"row": tiny.ONE_LAYER, **OPTIONS[case]}
    keras.utils.set_random_seed(1)
    with scope():
        model = tiny.template(clip_shape=tiny.SHAPE, include_top=False, **options)
        tiny.draw_norms(model, seed=1, logits=1.0)
        change(model, case)
        optimizer = GateSGD(0.5, 3.0, momentum=0.9, weight_decay=0.1, clipnorm=0.5)
        model.compile(optimizer, PooledError(dtype="float64"), run_eagerly=True)
    history = model.fit(clips(), verbose=0, num_train_examples=20).history
    every = {v.path: v for v in (*model.weights, *model.optimizer.variables)}
    found = {path: tf.convert_to_tensor(v).numpy() for path, v in every.items()}
    return found | {name: np.float32(value) for name, (value,) in history.items()}


def change(model: Any, case: str) -> None:
    if "in parts" in case:
        model.accumulate = 2
    if "frozen" in case:
        for norm in batch_norms(model):
            norm.trainable = False


@pytest.mark.slow
@pytest.mark.parametrize("case", OPTIONS)
def test_a_step_of_two_replicas_is_that_of_one_device(
    case: str, mirrored: Any, record_property: Callable[..., None]
) -> None:
    keras.config.set_dtype_policy("float64")
    one, two = (stepped(scope, case) for scope in (contextlib.nullcontext, mirrored.scope))
    assert one.keys() == two.keys()
    worst = {EXACT: 0.0, SINGLE: 0.0}
    for name, value in one.items():
        bound = EXACT if value.dtype == "float64" else SINGLE
        error = np.abs(two[name].astype("float64") - value).max() / max(1.0, np.abs(value).max())
        assert error <= bound, name
        worst[bound] = max(worst[bound], float(error))
    print(f"{case}: float64 {worst[EXACT]:.1e}, float32 {worst[SINGLE]:.1e}")
    record_property(f"1 replica and 2 in float64, {case}", worst[EXACT])

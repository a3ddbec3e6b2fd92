"""SGD as one operation a variable, against Keras'."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.models.sgd import FusedSGD

OPTIONS: list[dict[str, Any]] = [
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {},
    {"momentum": 0.5, "weight_decay": 0.1},
    {"momentum": 0.9, "global_clipnorm": 0.5},
    {"momentum": 0.9, "gradient_accumulation_steps": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("graph", [False, True])
def test_steps_are_keras(options: dict[str, Any], graph: bool) -> None:
    rng = np.random.default_rng(0)
    start = [rng.normal(size=(3, 4)), rng.normal(size=5)]
    gradients = [[rng.normal(size=w.shape) for w in start] for _ in range(4)]
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    found = []
    for kind in (FusedSGD, keras.optimizers.SGD):
        weights = [keras.Variable(w, dtype="float32") for w in start]
        optimizer = kind(schedule, **options)
        optimizer.build(weights)
        step = optimizer.apply
        if graph:
            step = tf.function(optimizer.apply)
        for some in gradients:
            step([tf.constant(g, tf.float32) for g in some])
        found.append([np.asarray(v) for v in (*weights, *optimizer.variables)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_rows_of_a_table_are_updated_as_keras_does() -> None:
    slices = tf.IndexedSlices(tf.ones((2, 3)), tf.constant([0, 2]), tf.constant([4, 3]))
    found = []
    for kind in (FusedSGD, keras.optimizers.SGD):
        weight = keras.Variable(np.ones((4, 3)), dtype="float32")
        optimizer = kind(0.1)
        optimizer.build([weight])
        optimizer.apply([slices])
        found.append(np.asarray(weight))
    np.testing.assert_array_equal(*found)


def test_a_variable_is_one_operation() -> None:
    weights = [keras.Variable(np.ones(3), dtype="float32") for _ in range(10)]
    optimizer = FusedSGD(0.1, momentum=0.9)
    optimizer.build(weights)
    specs = [tf.TensorSpec(3)] * 10
    graph = tf.function(lambda *g: optimizer.apply(list(g))).get_concrete_function(*specs).graph
    kinds = [op.type for op in graph.get_operations()]
    assert kinds.count("ResourceApplyKerasMomentum") == 10
    assert len([k for k in kinds if k not in ("Placeholder", "ResourceApplyKerasMomentum")]) < 35
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is FusedSGD


@pytest.mark.parametrize("clip", [{"global_clipnorm": 0.5}, {"clipnorm": 0.3}, {"clipvalue": 0.2}])
def test_replicas_clip_what_one_device_clips(clip: dict[str, Any], mirrored: Any) -> None:
    """The gradient of the whole batch, not that of each replica."""
    gradients = np.array([[3.0, 0.1], [-1.0, 0.3]], "float32")  # of two halves of a batch
    with mirrored.scope():
        weight = keras.Variable(np.ones(2), dtype="float32")
        optimizer = FusedSGD(0.1, momentum=0.9, **clip)
        optimizer.build([weight])

    @tf.function
    def step() -> None:
        def on_replica() -> None:
            context: Any = tf.distribute.get_replica_context()
            optimizer.apply([tf.constant(gradients)[context.replica_id_in_sync_group]])

        mirrored.run(on_replica)

    step()
    alone = keras.Variable(np.ones(2), dtype="float32")
    single = FusedSGD(0.1, momentum=0.9, **clip)
    single.build([alone])
    single.apply([tf.constant(gradients.sum(0))])
    np.testing.assert_allclose(np.asarray(weight.value.numpy()), np.asarray(alone), rtol=1e-6)

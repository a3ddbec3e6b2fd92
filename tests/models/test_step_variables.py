"""A training step is traced once: what Keras would make while it is traced is there before."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import rows

from vdroppath_tf.models import steps
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.steps import Steps


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """An entry for each time that a training step is traced."""
    found: list[None] = []
    step = Steps.train_step

    def counted(self: Steps, data: Any) -> Any:
        found.append(None)
        return step(self, data)

    monkeypatch.setattr(Steps, "train_step", counted)
    return found


def compiled(kind: str, labels: str) -> Any:
    model = build_network(rows.TINY, rows.CLASSES, strategy=None if kind == "template" else "S ST")
    one_hot = labels == "one-hot"
    loss = keras.losses.CategoricalCrossentropy if one_hot else None
    loss = (loss or keras.losses.SparseCategoricalCrossentropy)(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    return model


def train(model: Any, training: str, labels: str) -> dict[str, Any]:
    clips = np.zeros((4, *rows.SHAPE, 3), "float32")
    classes = np.arange(4).reshape(4, *(1,) * (labels == "one column"))
    answers = np.eye(rows.CLASSES)[np.arange(4)] if labels == "one-hot" else classes
    if training == "train_on_batch":
        return [model.train_on_batch(clips, answers, return_dict=True) for _ in range(2)][-1]
    given: tuple[Any, ...] = (clips, answers)
    if training == "fit on a data set":
        import tensorflow as tf

        given = (tf.data.Dataset.from_tensor_slices(given).batch(2),)
    history = model.fit(*given, batch_size=None if len(given) == 1 else 2, verbose=0, epochs=2)
    return {name: values[-1] for name, values in history.history.items()}


@pytest.mark.parametrize(
    ("kind", "training", "labels"),
    [
        ("template", "fit", "classes"),
        ("derived", "fit on a data set", "one column"),
        ("derived", "fit", "one-hot"),
        ("derived", "train_on_batch", "classes"),
    ],
)
def test_one_trace(kind: str, training: str, labels: str, traces: list[None]) -> None:
    logs = train(compiled(kind, labels), training, labels)
    assert len(traces) == 1
    assert 0 <= logs["accuracy"] <= 1


@pytest.mark.parametrize("name", ["build_optimizer", "build_metrics"])
def test_without_it_there_are_two(
    name: str, traces: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, name, lambda *_: None)
    train(compiled("derived", "classes"), "fit", "classes")
    assert len(traces) == 2


def test_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that are made earlier are those that Keras makes."""
    logs = []
    for names in ((), ("build_optimizer", "build_metrics")):
        for name in names:
            monkeypatch.setattr(steps, name, lambda *_: None)
        keras.utils.set_random_seed(1)
        logs.append(train(compiled("derived", "classes"), "fit", "classes"))
    assert logs[0] == logs[1]

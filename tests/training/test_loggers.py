"""Loggers of other projects, through their own callbacks, without a network."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import keras
import pytest

from vdroppath_tf.training import RunFolder
from vdroppath_tf.training.loggers import ToLoggers, logging_to


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_logger_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=rf"pip install 'vdroppath_tf\[{name}\]'"):
        RunFolder("run", log=("tensorboard", name))


def test_an_unknown_logger() -> None:
    with pytest.raises(ValueError, match=r"Unknown log.*'tensorboard'.*Received: 'tensorbord'"):
        RunFolder("run", log=("tensorbord",))


def test_epochs_are_those_of_the_run() -> None:
    seen: list[Any] = []

    class Theirs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append((epoch, logs))

    ToLoggers([Theirs()], 4).on_epoch_end(0, {"loss": 1.0})
    assert seen == [(5, {"loss": 1.0})]


def test_a_run_goes_on_in_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow: Any = pytest.importorskip("mlflow")
    pytest.importorskip("pandas")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "theirs").as_uri())
    model = keras.Sequential([keras.layers.Dense(1)])
    for epoch in range(2):
        with logging_to(("tensorboard", "mlflow"), tmp_path, "{}") as callbacks:
            own = ToLoggers(callbacks, 0)
            own.set_model(model)
            own.on_epoch_end(epoch, {"loss": 2.0 - epoch})
    run = json.loads((tmp_path / "loggers.json").read_text())["mlflow"]
    points = mlflow.MlflowClient().get_metric_history(run, "loss")
    assert sorted((point.step, point.value) for point in points) == [(1, 2.0), (2, 1.0)]


def test_a_run_goes_on_in_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    found = []
    for epoch in range(2):
        with logging_to(("wandb",), tmp_path, "{}") as callbacks:
            own = ToLoggers(callbacks, 0)
            own.set_model(model)
            own.on_epoch_end(epoch, {"loss": 2.0 - epoch})
        found.append(json.loads((tmp_path / "loggers.json").read_text())["wandb"])
    assert found[0] == found[1]
    assert list((tmp_path / "wandb").glob("offline-run-*"))

"""Loggers of other projects, through their own callbacks, without a network."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
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

    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append((epoch, logs))

    ToLoggers([Own()], 4).on_epoch_end(0, {"loss": 1.0})
    assert seen == [(5, {"loss": 1.0})]


class Theirs(ModuleType):
    """Stands for a package of theirs, and notes what is asked of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: list[Any] = []
        self.active: Any = None

    def init(self, **given: Any) -> Any:
        self.asked.append(("init", given["id"], given["resume"], given["config"]))
        return SimpleNamespace(id="theirs", finish=lambda: self.asked.append("finish"))

    def active_run(self) -> Any:
        return self.active

    def start_run(self, *, run_id: str | None, run_name: str) -> Any:
        self.asked.append(("start", run_id, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="theirs"))

    def end_run(self) -> None:
        self.asked.append("end")

    def log_text(self, text: str, name: str) -> None:
        self.asked.append((name, text))

    def flush_async_logging(self) -> None:
        self.asked.append("flush")


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Theirs]:
    """Both packages, whether they are installed or not."""
    modules = {
        "wandb": ("wandb.integration", "wandb.integration.keras"),
        "mlflow": ("mlflow.keras", "mlflow.keras.callback"),
    }
    for name, inside in modules.items():
        for each in (name, *inside):
            monkeypatch.setitem(sys.modules, each, Theirs(each))
        callback = "WandbMetricsLogger" if name == "wandb" else "MlflowCallback"
        setattr(sys.modules[inside[-1]], callback, lambda name=name: f"callback of {name}")
    return {name: sys.modules[name] for name in modules}  # type: ignore[misc]


def test_both_loggers_resume_their_runs(theirs: dict[str, Theirs], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for _ in range(2):
        with logging_to(("wandb", "mlflow"), folder, '{"seed": 1}') as callbacks:
            assert callbacks == ["callback of wandb", "callback of mlflow"]
            assert "finish" not in theirs["wandb"].asked[-1:]
    config = {"seed": 1}
    assert theirs["wandb"].asked == [
        *(("init", None, None, config), "finish"),
        *(("init", "theirs", "allow", config), "finish"),
    ]
    text = ("recipe.json", '{"seed": 1}')
    assert theirs["mlflow"].asked == [
        *(("start", None, "run"), text, "flush", "end"),
        *(("start", "theirs", "run"), text, "flush", "end"),
    ]
    assert json.loads((folder / "loggers.json").read_text()) == {
        "wandb": "theirs",
        "mlflow": "theirs",
    }
    (folder / "loggers.json").write_text('{"wandb": 3}')
    with (
        pytest.raises(ValueError, match=r"loggers\.json: holds no identifiers of runs"),
        logging_to(("wandb",), folder, "{}"),
    ):
        pass


def test_a_run_of_the_users_in_mlflow_stays_open(theirs: dict[str, Theirs], tmp_path: Path) -> None:
    theirs["mlflow"].active = "the user's"
    with logging_to(("mlflow",), tmp_path, "{}") as callbacks:
        assert callbacks == ["callback of mlflow"]
    assert theirs["mlflow"].asked == [("recipe.json", "{}"), "flush"]
    assert json.loads((tmp_path / "loggers.json").read_text()) == {}


def test_epochs_between_pictures_are_none_or_more() -> None:
    with pytest.raises(ValueError, match=r"picture_every must be 0 or more\. Received: -1"):
        RunFolder("run", picture_every=-1)


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

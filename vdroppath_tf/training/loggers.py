"""Sends the logs of a run to Weights & Biases and MLflow."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.files import load_text, parse_json, write_json
from vdroppath_tf.names import named, unknown_name

LOGS = ("tensorboard", "wandb", "mlflow")
"""The loggers that can show a run while it trains."""
_FILE = "loggers.json"  # the identifiers of the loggers' runs, for when the run resumes


@named
def check_logs(logs: Sequence[str]) -> None:
    """Raises if a logger is unknown or not installed.

    Raises:
        ValueError: With the name of the logger, and what to install.
    """
    for name in logs:
        if name not in LOGS:
            raise unknown_name("log", name, LOGS)
        if name != "tensorboard" and importlib.util.find_spec(name) is None:
            raise ValueError(
                f"log={name} needs a package that is not installed: "
                f"pip install 'vdroppath_tf[{name}]'."
            )


class ToLoggers(keras.callbacks.Callback):
    """Passes the logs of an epoch to other libraries' callbacks, with epochs of the whole run.

    Each phase is a separate ``fit``, which counts its epochs from 0.

    Args:
        callbacks: The callbacks of the libraries.
        first: The number of the phase's first epoch in the whole run.
    """

    def __init__(self, callbacks: Sequence[Any], first: int) -> None:
        super().__init__()
        self.callbacks, self.first = callbacks, first

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for callback in self.callbacks:
            callback.set_model(self.model)
            callback.on_epoch_end(self.first + epoch + 1, dict(logs or {}))


@named
@contextlib.contextmanager
def logging_to(logs: Sequence[str], folder: Path, recipe: str) -> Iterator[list[Any]]:
    """Opens runs of the loggers, and yields their callbacks.

    When a run resumes, so do the loggers' runs. An epoch that was logged before the process was
    killed, but not saved, is logged twice: points that were sent cannot be withdrawn.

    Args:
        logs: Names of ``LOGS``; TensorBoard, which has a separate callback, is ignored.
        folder: The folder of the run.
        recipe: The recipe as JSON, which becomes the configuration of the loggers' runs.
    """
    opened: list[Any] = []
    wanted = [name for name in logs if name != "tensorboard"]
    if not wanted:
        yield opened
        return
    file = folder / _FILE
    known = load_text(file, _ids) if os.path.lexists(file) else {}
    with contextlib.ExitStack() as stack:
        if "wandb" in wanted:
            opened.append(_wandb(stack, folder, recipe, known))
        if "mlflow" in wanted:
            opened.append(_mlflow(stack, folder, recipe, known))
        write_json(file, known)
        yield opened


def _ids(text: str) -> dict[str, str]:
    """The names of the loggers, and their identifiers of the run."""
    try:
        found = parse_json(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise ValueError(
            "holds no identifiers of runs. Remove it: Weights & Biases and MLflow begin a new run."
        )
    return found


def _wandb(stack: contextlib.ExitStack, folder: Path, recipe: str, known: dict[str, str]) -> Any:
    import wandb
    from wandb.integration.keras import WandbMetricsLogger

    run = wandb.init(
        project="vdroppath",
        name=folder.name,
        dir=str(folder),
        id=known.get("wandb"),
        resume="allow" if "wandb" in known else None,
        config=json.loads(recipe),
    )
    stack.callback(run.finish)
    known["wandb"] = run.id
    return WandbMetricsLogger()


def _mlflow(stack: contextlib.ExitStack, folder: Path, recipe: str, known: dict[str, str]) -> Any:
    import mlflow
    from mlflow.keras.callback import MlflowCallback

    if mlflow.active_run() is None:  # otherwise the user's run, which stays open, is used
        run = mlflow.start_run(run_id=known.get("mlflow"), run_name=folder.name)
        stack.callback(mlflow.end_run)
        known["mlflow"] = run.info.run_id
    mlflow.log_text(recipe, "recipe.json")
    stack.callback(mlflow.flush_async_logging)
    return MlflowCallback()

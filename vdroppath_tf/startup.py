"""What ``import vdroppath_tf`` sets, without importing TensorFlow or Keras itself."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# Every class that Keras must find by its registered name -> the module that registers it.
KERAS_CLASSES = {
    "Convolution": "layers.convolution",
    "FusionConv": "layers.fusion",
    "FusionModel": "models.fusion_model",
    "GateSGD": "training.optimizer",
    "GatedDense": "layers.gated_dense",
    "VariationalDropPath": "layers.drop_path",
    "Zeros": "layers.zeros",
}


def choose_settings() -> None:
    """Chooses oneDNN's kernels and the Keras backend, where neither is chosen yet.

    Raises:
        ImportError: If Keras has another backend than TensorFlow, or is set to have.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" in sys.modules:  # then it is too late to choose
        backend = sys.modules["keras"].config.backend()
    if backend != "tensorflow":
        raise ImportError(
            f"vdroppath_tf needs Keras with the TensorFlow backend, and Keras is set to "
            f"{backend!r}. Set the environment variable KERAS_BACKEND=tensorflow before Keras is "
            "imported."
        )


def offer_keras_classes() -> None:
    """Lets ``keras.saving.load_model`` find this package's classes, now or once Keras is there.

    A class registers itself when its module is imported. Until then a stand-in has its place.
    """
    if "keras" in sys.modules:
        _register_stand_ins(sys.modules["keras"])
    else:
        after_import("keras", _register_stand_ins)


def _register_stand_ins(keras: Any) -> None:
    known = keras.saving.get_custom_objects()
    for name, module in KERAS_CLASSES.items():
        known.setdefault(f"vdroppath_tf>{name}", _StandIn(name, f"vdroppath_tf.{module}"))


class _StandIn:
    """What Keras finds in the place of a class whose module is not imported yet."""

    def __init__(self, name: str, module: str) -> None:
        self._name, self._module = name, module

    def from_config(self, config: dict[str, Any]) -> Any:
        """Imports the class, which registers it, and makes the object that is meant."""
        return getattr(importlib.import_module(self._module), self._name).from_config(config)


def after_import(name: str, action: Callable[[ModuleType], object]) -> None:
    """Calls ``action`` with a top-level module as soon as it has been imported, by anyone."""
    sys.meta_path.insert(0, _AfterImport(name, action))


class _AfterImport(MetaPathFinder):
    """Finds one module, once, and adds the call to how it is executed."""

    def __init__(self, name: str, action: Callable[[ModuleType], object]) -> None:
        self._name, self._action = name, action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute, action = spec.loader.exec_module, self._action

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            action(module)

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec

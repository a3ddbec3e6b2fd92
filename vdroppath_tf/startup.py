"""What ``import vdroppath_tf`` sets, without importing TensorFlow or Keras itself."""

from __future__ import annotations

import importlib
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from vdroppath_tf.start_up_lines import HIDE, filtered

VERSION = "0.1.0"
# Every class that Keras must find by its registered name -> the module that registers it.
KERAS_CLASSES = {
    "BatchNormalization": "layers.normalization",
    "Convolution": "layers.convolution",
    "FusionConv": "layers.fusion",
    "FusionModel": "models.fusion_model",
    "MaxPooling": "layers.pooling",
    "MeanAveragePrecision": "models.objectives",
    "SharesCrossentropy": "models.objectives",
    "FusedSGD": "models.sgd",
    "GateProduct": "layers.residual_gate",
    "GateSGD": "training.optimizer",
    "GatedDense": "layers.gated_dense",
    "VariationalDropPath": "layers.drop_path",
    "Zeros": "layers.zeros",
}

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""The variable by which TensorFlow, when it is imported, takes oneDNN's kernels or not."""
FROZEN_WEIGHTS = "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"
"""The variable by which TensorFlow takes the weights of convolutions for constants."""


def check_may_train() -> None:
    """Raises a ValueError in a process in which convolutions keep their first weights."""
    if os.environ.get(FROZEN_WEIGHTS, "").lower() in ("1", "true"):
        raise ValueError(
            f"The environment variable {FROZEN_WEIGHTS} is set, with which convolutions keep the "
            "weights that they begin with. It is for processes that only answer: unset it to train."
        )


def choose_settings() -> None:
    """Chooses oneDNN's kernels and the Keras backend, where neither is chosen yet.

    Raises:
        ImportError: If Keras has another backend than TensorFlow, or is set to have.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault(ONEDNN, "1")
        if os.environ.get(HIDE) == "1":  # by the program that started this one
            hide_start_up_lines()
    elif ONEDNN not in os.environ:
        _warn_without_onednn()
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" in sys.modules:  # then it is too late to choose
        backend = sys.modules["keras"].config.backend()
    if backend != "tensorflow":
        raise ImportError(
            f"vdroppath_tf needs Keras with the TensorFlow backend, and Keras is set to "
            f"{backend!r}. Set the environment variable KERAS_BACKEND=tensorflow before Keras is "
            "imported."
        )


def _warn_without_onednn() -> None:
    """Warns that TensorFlow was imported first, and left oneDNN's kernels off."""
    if platform.machine() not in ("x86_64", "AMD64"):  # of others, not every build has them
        return
    try:
        port: Any = importlib.import_module("tensorflow.python.util._pywrap_util_port")
        on = port.IsMklEnabled()
    except (ImportError, AttributeError):  # a version in which this is unknown
        return
    if not on:
        logging.getLogger("vdroppath_tf").warning(
            "TensorFlow was imported before vdroppath_tf, with oneDNN's kernels off, as it is by "
            "default on this CPU, where 3D convolutions train two to three times slower so. "
            "Import vdroppath_tf before TensorFlow and Keras, or set the environment variable "
            "%s=1 (0 keeps them off without this warning).",
            ONEDNN,
        )


def offer_keras_classes() -> None:
    """Lets ``keras.saving.load_model`` find this package's classes, now or once Keras is there.

    A class registers itself when its module is imported. Until then a stand-in has its place.
    """
    if "keras" in sys.modules:
        _register_stand_ins()
    else:
        around_import("keras", _with_stand_ins)


@contextmanager
def _with_stand_ins() -> Iterator[None]:
    yield
    _register_stand_ins()


def _register_stand_ins() -> None:
    known = sys.modules["keras"].saving.get_custom_objects()
    for name, module in KERAS_CLASSES.items():
        known.setdefault(f"vdroppath_tf>{name}", _StandIn(name, f"vdroppath_tf.{module}"))


class _StandIn:
    """What Keras finds in the place of a class whose module is not imported yet."""

    def __init__(self, name: str, module: str) -> None:
        self._name, self._module = name, module

    def from_config(self, config: dict[str, Any]) -> Any:
        """Imports the class, which registers it, and makes the object that is meant."""
        return getattr(importlib.import_module(self._module), self._name).from_config(config)


def hide_start_up_lines() -> None:
    """Has TensorFlow start without its lines, here and in the processes that this one starts.

    Errors and warnings stay, and all lines do where it does not start. Too late, and without
    effect, where TensorFlow has been imported already.
    """
    os.environ[HIDE] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if "tensorflow" not in sys.modules:
        around_import("tensorflow", _started_in_silence)


@contextmanager
def _started_in_silence() -> Iterator[None]:
    with filtered():
        yield
        sys.modules["tensorflow"].config.list_physical_devices()  # is what looks for a GPU


def around_import(name: str, context: Callable[[], AbstractContextManager[None]]) -> None:
    """Has a top-level module executed within a context, whoever imports it first."""
    if not any(isinstance(f, _AroundImport) and f.name == name for f in sys.meta_path):
        sys.meta_path.insert(0, _AroundImport(name, context))


class _AroundImport(MetaPathFinder):
    """Finds one module, once, and adds the context to how it is executed."""

    def __init__(self, name: str, context: Callable[[], AbstractContextManager[None]]) -> None:
        self.name, self._context = name, context

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        # it stays where it is until the module is executed: a spec may be asked for and not used
        others = [f for f in sys.meta_path if f is not self and hasattr(f, "find_spec")]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((each for each in found if each is not None), None)
        if spec is None or spec.loader is None:
            return spec
        execute, context = spec.loader.exec_module, self._context

        def execute_within(module: ModuleType) -> None:
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            with context():
                execute(module)

        spec.loader.exec_module = execute_within  # type: ignore[method-assign]
        return spec

"""Selects the format that is served, of those in a version's folder."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path

from absl import logging

from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.serving.formats.kinds import FORMATS
from vdroppath_tf.serving.runtime import Artefact, load_version

AUTO = "auto"
RUNTIMES = (AUTO, *FORMATS)


@named
def loader(runtime: str = AUTO) -> Callable[[Path], Artefact]:
    """Returns a function that loads a version.

    Args:
        runtime: str, the format that is served. ``"auto"`` selects OpenVINO in float32 if the
            version has it and ``openvino`` is installed, since it gives the answers of the
            SavedModel in less time; otherwise the SavedModel. Defaults to ``"auto"``.

    Returns:
        A callable that loads a folder, for ``Models``.

    Raises:
        ValueError: If the format is unknown.

    Example:
        ```python
        models = Models({"video": Path("served")}, loader("auto"))
        ```
    """
    if runtime not in RUNTIMES:
        raise unknown_name("runtime", runtime, RUNTIMES)
    return functools.partial(_load, runtime)


def _load(runtime: str, folder: Path) -> Artefact:
    there = folder / "openvino"
    if runtime == AUTO and there.is_dir() and importlib.util.find_spec("openvino") is not None:
        try:
            return load_version(there)
        except (ValueError, OSError, RuntimeError) as error:  # a damaged file must not stop it
            logging.warning("%s: is not served (%s); the SavedModel is", there, error)
    if runtime in (AUTO, "saved_model"):
        return load_version(folder)
    return load_version(folder if folder.name == runtime else folder / runtime)

"""Initialises a network: from ImageNet weights, a file of weights, or another run's result."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.derivation import derive
from vdroppath_tf.files import open_regular
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.inflation.conventions import keras_network, with_known
from vdroppath_tf.models.inflation.inflate import inflate
from vdroppath_tf.models.weights import copy_weights
from vdroppath_tf.names import named
from vdroppath_tf.training.model_files import load_network

IMAGENET = "imagenet"
_OF_A_RUN = {True: ("template.keras",), False: ("derived.keras", "network.keras", "template.keras")}


@named
def start_from(model: FusionModel, start: str | os.PathLike[str], labels: tuple[str, ...]) -> str:
    """Loads initial weights into a new network.

    Args:
        model: A template, or the network of one strategy.
        start: ``"imagenet"``, which Keras downloads; a file of 2D weights, see ``inflate``; a
            network of this package (``.keras``), or the folder of a run that holds one. A template
            starts from a template; the network of a strategy starts from such a network, or from a
            template, from which it is derived. If the classes differ, the classifier stays new.
        labels: The names of the new network's classes.

    Returns:
        A description of the weights that were loaded.

    Raises:
        ValueError: If there is no such file, or its weights do not fit.

    Example:
    ```python
    model = build_template(recipe, videos)
    print(start_from(model, "run/template.keras", train_videos.labels))
    ```
    """
    if os.fspath(start) == IMAGENET:
        return str(inflate(model, _imagenet(model)))
    path = _in_folder(Path(start), template=bool(model.gates))
    if not path.is_file():
        raise ValueError(
            f"There is no file {start} to start from. init= (--init) takes {IMAGENET!r}, a file of "
            "weights, a model of vdroppath, or the folder of a run."
        )
    if not _is_own(path):
        return str(inflate(model, path))
    trained, known = load_network(path)
    if model.gates and not trained.gates:
        raise ValueError(
            f"{path}: is the network of one strategy, but a template has more paths. "
            "Pass a template, or train its strategy: strategy= (--strategy)."
        )
    if trained.gates and not model.gates:
        trained = derive(trained, (model.architecture or {})["strategy"])
    new = () if known == labels else ("classifier/",)
    report = copy_weights(trained, model, may_be_new=lambda name: name.startswith(new))
    other = "" if known == labels else "; the classes differ, so the classifier is new"
    return f"{report}{other}"


def _in_folder(path: Path, *, template: bool) -> Path:
    """Returns the file of the network in the folder of a run."""
    if not path.is_dir():
        return path
    names = _OF_A_RUN[template]
    found = next((path / name for name in names if (path / name).is_file()), None)
    if found is None:
        raise ValueError(f"{path}: holds none of {', '.join(names)}. Has the run finished?")
    return found


def _is_own(path: Path) -> bool:
    """Whether a file is a network of this package, by its configuration."""
    if path.suffix != ".keras":
        return False
    with open_regular(path) as file:
        if not zipfile.is_zipfile(file):
            return False
        with zipfile.ZipFile(file) as archive:
            if "config.json" not in archive.namelist():
                return False
            with archive.open("config.json") as config:
                return b'"vdroppath_tf' in config.read(1 << 16)


def _imagenet(model: FusionModel) -> keras.Model:
    """Returns the 2D network with ImageNet weights, which Keras downloads and caches."""
    name = (model.architecture or {})["name"]
    build: Any = keras_network(name, with_known(None))
    if build is None:
        raise ValueError(
            f"init={IMAGENET}: keras.applications has no network {name!r}. Pass a file of weights, "
            "such as safetensors with torchvision's names, or another network."
        )
    try:
        return build(weights="imagenet", include_top=False)
    except Exception as error:  # Keras raises plain exceptions if a download fails
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"init={IMAGENET}: Keras could not download the weights of {name} ({reason}). Download "
            "them with keras.applications on a machine that is online, and pass the file."
        ) from None

"""Saves and loads models together with their recipe and their classes."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from absl import logging

from vdroppath_tf.files import load_text, open_regular, read_text, replacing, write_text
from vdroppath_tf.names import named
from vdroppath_tf.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from vdroppath_tf.models.fusion_model import FusionModel

# the errors of reading a damaged or forged file
_DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RecursionError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
RECIPE_FILE, LABELS_FILE = "recipe.json", "labels.txt"


@named
def save_model(
    model: FusionModel,
    path: str | os.PathLike[str],
    recipe: Recipe,
    labels: tuple[str, ...],
) -> None:
    """Writes a model atomically, with its recipe and its classes in the same folder.

    Args:
        model: A template or a derived network.
        path: The file, ``.keras``; its folder is created if it is missing.
        recipe: The recipe, which defines the clips of the model.
        labels: The names of the classes, by number.

    Raises:
        ValueError: See ``check_beside``.

    Example:
    ```python
    save_model(network, "derived/derived.keras", recipe, train_videos.labels)
    ```
    """
    path = Path(path)
    check_beside(path, recipe, labels)
    with replacing(path, shared=False) as file:
        model.save(file)
    for name, text in _beside(recipe, labels).items():
        write_text(path.with_name(name), text)
    logging.info("Wrote %s", path)


@named
def trained_file(folder: Path, model: FusionModel) -> Path:
    """Returns the file in the folder of a run that its trained model becomes."""
    return folder / ("template.keras" if model.gates else "network.keras")


@named
def check_beside(path: str | os.PathLike[str], recipe: Recipe, labels: tuple[str, ...]) -> None:
    """Raises if a model would replace the recipe or classes of another model.

    Raises:
        ValueError: If the folder has a ``recipe.json`` or ``labels.txt`` with other content.

    Example:
    ```python
    check_beside("run/network.keras", recipe, train_videos.labels)
    ```
    """
    path = Path(path)
    for name, text in _beside(recipe, labels).items():
        file = path.with_name(name)
        if os.path.lexists(file) and read_text(file) != text:
            raise ValueError(
                f"{file}: exists already, and does not belong to {path.name}. Write {path.name} to "
                "another folder."
            )


def _beside(recipe: Recipe, labels: tuple[str, ...]) -> dict[str, str]:
    """Returns the files that accompany a model, with their text."""
    names = "".join(f"{name}\n" for name in labels)
    return {RECIPE_FILE: recipe.to_json() + "\n", LABELS_FILE: names}


@named
def load_model(path: str | os.PathLike[str]) -> tuple[keras.Model, Recipe, tuple[str, ...]]:
    """Loads a model that ``save_model`` wrote, with its recipe and its classes.

    Raises:
        ValueError: If one of the files is missing or invalid.

    Example:
    ```python
    network, recipe, labels = load_model("run/derived.keras")
    ```
    """
    _check_there(path)
    beside = Path(path).with_name(RECIPE_FILE)
    if not beside.is_file():
        raise ValueError(
            f"{beside} is missing: it defines the clips of {path}. vdroppath writes it next to "
            "every model."
        )
    recipe = load_text(beside, Recipe.from_json)
    model, labels = load_network(path)
    return model, recipe, labels


@named
def load_network(path: str | os.PathLike[str]) -> tuple[keras.Model, tuple[str, ...]]:
    """Loads a network and its classes without a recipe, for uses that need no clips.

    Raises:
        ValueError: If the file is missing, damaged or not a network of this package.

    Example:
    ```python
    network, labels = load_network("run/derived.keras")
    ```
    """
    import keras

    from vdroppath_tf.models.keras_file import check_keras_file

    _check_there(path)
    try:
        check_keras_file(os.fspath(path))
        model = keras.saving.load_model(path)
    except _DAMAGE as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path}: not a model that vdroppath wrote, or damaged ({reason}). Write it again."
        ) from None
    if getattr(model, "architecture", None) is None:
        raise ValueError(f"{path}: is a model, but not one that vdroppath wrote.")
    names = Path(path).with_name(LABELS_FILE)
    classes = model.output_shape[-1]
    labels = read_labels(names) if os.path.lexists(names) else tuple(str(k) for k in range(classes))
    if len(labels) != classes:
        raise ValueError(f"{names}: lists {len(labels)} classes, but {path} has {classes}.")
    return model, labels


@named
def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Reads the names of classes, one on each line, in the order of their numbers.

    Raises:
        ValueError: If the file is not UTF-8 text.

    Example:
    ```python
    read_labels("run/labels.txt")  # ("right", "left", "down", "up")
    ```
    """
    return tuple(load_text(path, _lines))


def _lines(text: str) -> list[str]:
    """Splits text at newlines, but not at the other line ends of ``str.splitlines``."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


@named
def keras_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Lists the models in the folder of a run; none if it is not a folder.

    Example:
    ```python
    keras_files("run")  # [Path("run/derived.keras"), Path("run/template.keras")]
    ```
    """
    return sorted(p for p in Path(folder).glob("*.keras") if not p.name.startswith("."))


def _kind_of_other(path: Path) -> str:
    """Describes a file that is clearly not a model; returns "" if it may be one."""
    with open_regular(path) as file:
        first = file.read(4096).lstrip()
    if first.startswith(b"\x89HDF\r\n\x1a\n"):
        return "HDF5 (perhaps weights without their network)"
    if not first.startswith((b"{", b"[")):
        return ""
    found = re.search(rb'"format": *"(vdroppath_tf\.\w+/\d+)"', first)
    return f"JSON of {found[1].decode()}" if found else "JSON"


def _check_there(path: str | os.PathLike[str]) -> None:
    if inside := keras_files(path):
        raise ValueError(f"{path} is a folder. Pass a model in it: {', '.join(map(str, inside))}.")
    if not Path(path).is_file():
        if (Path(path) / "saved_model.pb").is_file():
            raise ValueError(
                f"{path} is a SavedModel, which is for serving. Expected the .keras file that it "
                "was exported from."
            )
        raise ValueError(f"There is no model {path}. Expected a .keras file that vdroppath wrote.")
    if kind := _kind_of_other(Path(path)):
        raise ValueError(
            f"{path}: is {kind}, not a model. Expected a .keras file that vdroppath wrote."
        )

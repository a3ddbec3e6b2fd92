"""What commands keep of a model: the network, and its recipe and its classes beside it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from absl import logging

from vdroppath_tf import training
from vdroppath_tf.files import replacing, write_text

if TYPE_CHECKING:
    import keras

RECIPE_FILE, LABELS_FILE = "recipe.json", "labels.txt"


def read_text(path: str | os.PathLike[str]) -> str:
    """A text file, or a ValueError that names it."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error}). Save it as UTF-8.") from None


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Names of classes, one a line, by number."""
    return tuple(read_text(path).splitlines())


def load_model(path: str) -> tuple[keras.Model, training.Recipe, tuple[str, ...]]:
    """A model that a command wrote, its recipe and its classes.

    Raises:
        ValueError: when one of them is missing or something else.
    """
    _check_there(path)
    beside = Path(path).with_name(RECIPE_FILE)
    if not beside.is_file():
        raise ValueError(
            f"{beside} is missing: it says how clips are made for {path}. vdroppath writes it "
            "beside every model."
        )
    try:
        recipe = training.Recipe.from_json(read_text(beside))
    except ValueError as error:
        raise ValueError(f"{beside}: {error}") from None
    model, labels = load_network(path)
    return model, recipe, labels


def _check_there(path: str) -> None:
    if inside := keras_files(path):
        raise ValueError(f"{path} is a folder. Pass a model in it: {', '.join(map(str, inside))}.")
    if not Path(path).is_file():
        raise ValueError(f"There is no model {path}. Expected a .keras file that vdroppath wrote.")


def keras_files(folder: str) -> list[Path]:
    """The models in a folder, as ``vdroppath train`` leaves one; none where it is no folder."""
    return sorted(p for p in Path(folder).glob("*.keras") if not p.name.startswith("."))


def load_network(path: str) -> tuple[keras.Model, tuple[str, ...]]:
    """A network of this package and its classes, for what needs no clips and so no recipe.

    Raises:
        ValueError: when it is missing, damaged or something else.
    """
    import keras

    _check_there(path)
    try:
        model = keras.saving.load_model(path)
    except (KeyError, OSError, TypeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path}: is no model that vdroppath wrote, or is damaged ({reason}). Write it again."
        ) from None
    if getattr(model, "architecture", None) is None:
        raise ValueError(f"{path}: is a model, but none of vdroppath. Expected one it wrote.")
    names = Path(path).with_name(LABELS_FILE)
    classes = model.output_shape[-1]
    labels = read_labels(names) if names.is_file() else tuple(str(k) for k in range(classes))
    if len(labels) != classes:
        raise ValueError(f"{names}: names {len(labels)} classes. {path} has {classes}.")
    return model, labels


def save_model(
    model: keras.Model, path: Path, recipe: training.Recipe, labels: tuple[str, ...]
) -> None:
    """Writes a model whole or not at all, with its recipe and its classes beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, shared=False) as file:
        model.save(file)
    write_text(path.with_name(RECIPE_FILE), recipe.to_json() + "\n")
    write_text(path.with_name(LABELS_FILE), "".join(f"{name}\n" for name in labels))
    logging.info("Wrote %s", path)

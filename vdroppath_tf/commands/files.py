"""Flags that name files, and what commands keep beside a model: its recipe and its classes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import keras
from absl import flags, logging

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.pipeline import FaultLog, training_clips
from vdroppath_tf.data.faults.log import MAX_BAD_FRACTION
from vdroppath_tf.data.faults.quarantine import read_quarantine, without
from vdroppath_tf.data.lists.flow import flow_manifest
from vdroppath_tf.files import replacing, write_text
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import Recipe
from vdroppath_tf.zoo import DATASETS, published_space

RECIPE_FILE, LABELS_FILE = "recipe.json", "labels.txt"
PUBLISHED = "published:"


class Needed(flags.Flag):
    """A flag of text that a command cannot do without; see ``cli``."""


def define_string(
    values: flags.FlagValues, name: str, text: str, default: Any = None, *, needed: bool = False
) -> None:
    """A flag of text; ``needed`` where there is no doing without."""
    if not needed:
        flags.DEFINE_string(name, default, text, flag_values=values)
        return
    parser, serializer = flags.ArgumentParser(), flags.ArgumentSerializer()
    flag = Needed(parser, serializer, name, default, text)
    flags.DEFINE_flag(flag, flag_values=values)


def read_text(path: str | os.PathLike[str]) -> str:
    """A text file, or a ValueError that names it."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error}). Save it as UTF-8.") from None


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Names of classes, one a line, by number."""
    return tuple(read_text(path).splitlines())


def open_space(source: str) -> ProbabilitySpace:
    """A space of a file, or `published:NAME`; a ValueError where there is none."""
    if source.startswith(PUBLISHED):
        return published_space(source.removeprefix(PUBLISHED))
    if not Path(source).is_file():
        raise ValueError(
            f"{source}: there is no such file. Expected a space that vdroppath wrote "
            f"(space.json), or {PUBLISHED}NAME with one of {', '.join(DATASETS)}."
        )
    return ProbabilitySpace.load(source)


def define_faults(values: flags.FlagValues) -> None:
    """Flags that say what becomes of videos that cannot be read."""
    text = "JSON file of vdroppath doctor or train: leaves out the videos it names"
    define_string(values, "quarantine", text)
    text = "share of bad videos from which on it is an error; 0: the first one is"
    flags.DEFINE_float("max_bad_fraction", MAX_BAD_FRACTION, text, 0.0, 1.0, flag_values=values)


def open_videos(
    source: str,
    labels: tuple[str, ...] | None = None,
    *,
    modality: str = "rgb",
    quarantine: str | None = None,
    **options: Any,
) -> Manifest:
    """The videos of a list, a folder or a data set; a labels.txt beside a list names its classes.

    Args:
        source: what `open_manifest` reads.
        labels: classes of the model these videos are for: a folder's classes must be among them.
        modality: of the recipe; for "flow", what is listed are folders of it.
        quarantine: file that names videos to leave out.
        **options: others of `open_manifest`; see `sources` for the flags.

    Raises:
        ManifestError: naming the file, the line and the value.
        ValueError: when the classes are not those of the model.
    """
    beside = Path(source).with_name(LABELS_FILE)
    own = read_labels(beside) if Path(source).is_file() and beside.is_file() else None
    if labels is not None and own is not None and own != labels:
        raise ValueError(
            f"{beside}: other classes than the model's. Expected {list(labels)[:9]}, one a line. "
            f"Found {list(own)[:9]}."
        )
    videos = open_manifest(source, labels=own if labels is None else labels, **options)
    if modality == "flow":
        videos = flow_manifest(videos)
    return videos if quarantine is None else _leave_out(videos, quarantine)


def _leave_out(videos: Manifest, quarantine: str) -> Manifest:
    named = read_quarantine(quarantine)
    kept = without(videos, named)
    left_out = len(videos) - len(kept)
    logging.info(
        "%s: leaves out %d of the %d videos of %s", quarantine, left_out, len(videos), videos.source
    )
    if named.faults and not left_out:  # no error: a quarantine may be another split's
        logging.warning(
            "%s: names %d videos, none of them in %s. Is its root right?",
            quarantine,
            len(named.faults),
            videos.source,
        )
    return kept


def load_model(path: str) -> tuple[keras.Model, Recipe, tuple[str, ...]]:
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
        recipe = Recipe.from_json(read_text(beside))
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


def save_model(model: keras.Model, path: Path, recipe: Recipe, labels: tuple[str, ...]) -> None:
    """Writes a model whole or not at all, with its recipe and its classes beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, shared=False) as file:
        model.save(file)
    write_text(path.with_name(RECIPE_FILE), recipe.to_json() + "\n")
    write_text(path.with_name(LABELS_FILE), "".join(f"{name}\n" for name in labels))
    logging.info("Wrote %s", path)


def keras_path(text: str) -> Path:
    """A path a model can be written to, or a ValueError before any work is done."""
    path = Path(text)
    if path.suffix != ".keras":
        raise ValueError(f"--out={text}: expected a file that ends in .keras.")
    return path


def say_not_recalibrated() -> None:
    """That a template is scored as it was trained, as nobody gave training videos."""
    logging.warning(
        "No --train_data: batch norm keeps the statistics of all paths mixed, and single "
        "strategies score below what they can."
    )


def recalibration_clips(videos: Manifest, recipe: Recipe, faults: FaultLog) -> Any:
    """Training clips to recalibrate batch norm on, however few there are."""
    batch = min(recipe.batch_size, len(videos))
    return training_clips(
        videos, recipe.sampling, batch_size=batch, seed=recipe.seed, faults=faults
    )

"""Loads exported networks of any format as one kind of object that answers clips."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named
from vdroppath_tf.serving.beside import read_manifest, read_sampling
from vdroppath_tf.serving.formats.kinds import FORMATS, SAVED_MODEL, Format, format_of
from vdroppath_tf.serving.version_folders import newest_version

ClipShape = tuple[int | None, int | None, int | None, int]
"""The frames, height, width and channels of a clip; None for an open size."""


@named
@dataclasses.dataclass(frozen=True, eq=False)
class Artefact:
    """A loaded network of any format; see ``load_artefact``.

    Attributes:
        path: Path, the folder.
        format: str, the format that runs, such as ``"saved_model"``.
        labels: tuple of str, the names of the classes.
        multi_label: bool, whether a clip may have any number of classes, each with a separate
            sigmoid; None for older exports, which do not state it.
        sampling: ClipSampling, how clips are made of videos.
        clip_shape: tuple, the frames, height, width and channels of a clip; None for an open size.
        run: Callable, returns the probabilities of clips that were checked.

    Example:
        ```python
        served = load_artefact("served/1")
        served.labels, served.clip_shape, served.answer(clips)
        ```
    """

    path: Path
    format: str
    labels: tuple[str, ...]
    multi_label: bool | None
    sampling: ClipSampling
    clip_shape: ClipShape
    run: Callable[[np.ndarray], np.ndarray] = dataclasses.field(repr=False)

    @property
    def channels(self) -> int:
        """The channels of a clip: 3 for RGB, 2 for optical flow."""
        return self.clip_shape[-1]

    def answer(self, clips: Any) -> np.ndarray:
        """Returns the probabilities of clips.

        Args:
            clips: array, uint8 ``(batch, time, height, width, channels)``, made as in ``sampling``:
                at least one, of the sizes of ``clip_shape``.

        Returns:
            float32 ``(batch, classes)``.

        Raises:
            ValueError: If the clips have another rank, other sizes or another dtype.
        """
        clips = np.asarray(clips)
        fits = clips.ndim == 5 and all(
            wanted in (None, found)
            for wanted, found in zip(self.clip_shape, clips.shape[1:], strict=True)
        )
        if not fits or clips.dtype != np.uint8 or not clips.size:
            kind = "RGB" if self.channels == 3 else "optical flow"
            names = ("time", "height", "width", "channels")
            sizes = ", ".join(
                name if size is None else str(size)
                for name, size in zip(names, self.clip_shape, strict=True)
            )
            raise ValueError(
                f"Clips must be {kind}, uint8 (batch, {sizes}), at least one. "
                f"Received: {clips.dtype.name} of shape {clips.shape}"
            )
        return self.run(clips)


@named
def load_artefact(
    path: str | os.PathLike[str], *, sampling: ClipSampling | None = None
) -> Artefact:
    """Loads a network that ``vdroppath export`` wrote.

    Example:
        ```python
        served = vdroppath_tf.serving.load_artefact("served/1")
        served.answer(clips).shape  # (10, 4)
        ```

    Args:
        path: path, the folder of a SavedModel, or of a network in another format. From a folder
            with several formats, such as ``served/1``, the SavedModel is loaded; pass the
            sub-folder of another, such as ``served/1/openvino``. From a folder of versions, such as
            ``served``, the newest is loaded.
        sampling: ClipSampling, how clips are made of videos. Defaults to None, as exported with the
            network.

    Returns:
        An ``Artefact``.

    Raises:
        ValueError: If the folder holds no such network.
    """
    return load_version(newest_version(Path(path)), sampling=sampling)


@named
def load_version(path: Path, *, sampling: ClipSampling | None = None) -> Artefact:
    """Loads the network in the folder of one version, or of one format.

    Args:
        path: The folder, in which no versions are sought.
        sampling: See ``load_artefact``.

    Raises:
        ValueError: See ``load_artefact``.
    """
    folder, kind, manifest = _found(path)
    for file in folder.rglob("*"):
        if not file.is_dir():
            open_regular(file).close()  # the runtimes wait at a pipe until somebody writes
    if kind is SAVED_MODEL:
        return _saved_model(folder, sampling)
    return _converted(folder, kind, manifest, sampling)


def _found(path: Path) -> tuple[Path, Format, dict[str, Any]]:
    """Finds the folder of an exported network, its format and its manifest."""
    for folder in (path, *(path / name for name in FORMATS)):
        manifest = read_manifest(folder) or {"artefact": SAVED_MODEL.name}
        kind = format_of(manifest["artefact"])
        if (folder / kind.file).is_file():
            return folder, kind, manifest
    raise ValueError(
        f"{path} holds no SavedModel ({SAVED_MODEL.file}), and no network in another format. "
        "Expected a folder that vdroppath export wrote."
    )


def _converted(
    folder: Path, kind: Format, manifest: dict[str, Any], sampling: ClipSampling | None
) -> Artefact:
    """Loads a network in another format than TensorFlow's, described by its manifest."""
    clip = manifest["input"]["clip"]
    code: Any = importlib.import_module(f"vdroppath_tf.serving.formats.{kind.module}")
    answer = code.load(kind, folder)
    return Artefact(
        folder,
        kind.name,
        tuple(manifest["labels"]),
        manifest["multi_label"],
        read_sampling(folder) if sampling is None else sampling,
        (clip["frames"], clip["height"], clip["width"], clip["channels"]),
        lambda clips: answer(clips)[1],
    )


def _saved_model(folder: Path, sampling: ClipSampling | None) -> Artefact:
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except (ValueError, OSError, MemoryError):
        raise
    except Exception as error:  # TensorFlow has no error of its own for files that are damaged
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{folder}: is not a whole SavedModel ({said}). Export the network again."
        ) from None
    missing = {"serving_default", "labels"} - set(loaded.signatures)
    if missing:
        raise ValueError(f"{folder}: the SavedModel has no signature {sorted(missing)}.")
    # Older exports have one signature for both.
    name, given = ("clips",) * 2 if "clips" in loaded.signatures else ("serving_default", "video")
    told = loaded.signatures["labels"]()

    def run(clips: np.ndarray) -> np.ndarray:
        # Refers to `loaded`, which must live as long as its signatures.
        found = loaded.signatures[name](**{given: tf.constant(clips)})
        return found["probabilities"].numpy()

    return Artefact(
        folder,
        "saved_model",
        tuple(label.decode() for label in told["labels"].numpy()),
        bool(told["multi_label"].numpy()) if "multi_label" in told else None,
        read_sampling(folder) if sampling is None else sampling,
        tuple(loaded.signatures[name].structured_input_signature[1][given].shape[1:]),
        run,
    )

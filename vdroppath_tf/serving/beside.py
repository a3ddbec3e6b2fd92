"""The files beside an exported network: the sampling of its clips, and its manifest."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import load_text, read_json, read_text, write_json
from vdroppath_tf.names import named

CLIP_FORMAT = "vdroppath_tf.clip/1"
EXTRA = "assets.extra"
"""The folder in which SavedModels keep files next to the graph."""
MANIFEST_FORMAT = "vdroppath_tf.artefact/1"
MANIFEST_FILE = "manifest.json"
_CLIP = Path(EXTRA, "clip.json")


@named
def write_sampling(saved_model: Path, sampling: ClipSampling) -> None:
    """Writes the sampling of a network's clips next to its SavedModel.

    Args:
        saved_model: The folder of the SavedModel.
        sampling: How its clips are made of videos.

    Example:
        ```python
        sampling = vdroppath_tf.data.ClipSampling(frames=16, short_edge=128, crop=112)
        write_sampling(Path("served/1"), sampling)
        ```
    """
    path = saved_model / _CLIP
    path.parent.mkdir(exist_ok=True)
    fields = {"format": CLIP_FORMAT, "sampling": dataclasses.asdict(sampling)}
    write_json(path, fields)


@named
def read_sampling(saved_model: Path) -> ClipSampling:
    """Reads the sampling of the clips of a SavedModel.

    Args:
        saved_model: The folder of the SavedModel.

    Returns:
        The sampling.

    Raises:
        ValueError: If the model has none, or the file has another format.

    Example:
        ```python
        sampling = read_sampling(Path("served/1"))
        ```
    """
    path = saved_model / _CLIP
    if not path.exists():
        raise ValueError(
            f"{path} is missing: the model does not describe how its clips are made. Export it "
            "with vdroppath export, or pass a ClipSampling to ServedModel."
        )
    try:
        text = read_text(path)
        fields: dict[str, Any] = read_json(text, CLIP_FORMAT, ["sampling"])["sampling"]
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()
        }
        return ClipSampling(**values)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: does not describe how clips are made ({error}). Export again."
        ) from None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Reads the manifest of an exported network; returns None for older exports, without one.

    Raises:
        ValueError: If it is damaged; the message names the file.
    """
    path = folder / EXTRA / MANIFEST_FILE
    if not os.path.lexists(path):
        return None
    return load_text(path, lambda text: read_json(text, MANIFEST_FORMAT))

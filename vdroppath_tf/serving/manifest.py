"""The manifest beside an exported network: its origin, its input, and how it was compared."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import sha256_of, write_json
from vdroppath_tf.serving.beside import EXTRA, MANIFEST_FILE, MANIFEST_FORMAT
from vdroppath_tf.serving.checking import Difference
from vdroppath_tf.serving.signatures import Sizes
from vdroppath_tf.startup import VERSION


@dataclasses.dataclass(frozen=True)
class Contents:
    """The contents of a manifest, except its files.

    Attributes:
        format: The format, such as ``"saved_model"``.
        labels: The names of the classes.
        multi_label: Whether a clip may have any number of them.
        sizes: The frames, height, width and channels of a clip; None for an open size.
        sampling: How clips are made of videos; None if it is unknown.
        network: The result of ``network_fields``.
        folded: The number of applications of each rule; None if nothing was folded.
        difference: The difference from the Keras network.
        about: Further fields.
    """

    format: str
    labels: tuple[str, ...]
    multi_label: bool
    sizes: Sizes
    sampling: ClipSampling | None
    network: Mapping[str, Any]
    folded: Mapping[str, Any] | None
    difference: Difference
    about: Mapping[str, Any]

    def fields(self) -> dict[str, Any]:
        """Returns the contents as JSON-able data."""
        frames, height, width, channels = self.sizes
        return {
            "format": MANIFEST_FORMAT,
            "artefact": self.format,
            **self.network,
            "labels": list(self.labels),
            "multi_label": self.multi_label,
            "input": {
                "clip": {"frames": frames, "height": height, "width": width, "channels": channels},
                "values": "RGB 0..255" if channels == 3 else "optical flow, 128 is no motion",
                "dtype": "uint8",
                "sampling": None if self.sampling is None else dataclasses.asdict(self.sampling),
            },
            "folded": self.folded,
            "difference": dataclasses.asdict(self.difference),
            "versions": {
                "vdroppath_tf": VERSION,
                "tensorflow": _tensorflow(),
                "keras": keras.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            **self.about,
        }


def network_fields(network: keras.Model) -> dict[str, Any]:
    """Returns the name, strategy, description and weights of a network, for its manifest.

    The hash of the weights covers their names, shapes and values in order.
    """
    architecture = getattr(network, "architecture", None) or {}
    digest = hashlib.sha256()
    for weight in network.weights:
        value = np.asarray(weight)
        digest.update(f"{weight.path} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return {
        "network": architecture.get("name", network.name),
        "strategy": architecture.get("strategy"),
        "architecture": architecture or None,
        "weights": {"numbers": int(network.count_params()), "sha256": digest.hexdigest()},
    }


def write_manifest(folder: Path, contents: Contents) -> None:
    """Writes the manifest to ``assets.extra`` of a folder, with the hashes of all files there."""
    path = folder / EXTRA / MANIFEST_FILE
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file != path)
    hashes = {str(file.relative_to(folder)): sha256_of(file) for file in files}
    path.parent.mkdir(exist_ok=True)
    write_json(path, {**contents.fields(), "files": hashes})


def _tensorflow() -> str:
    import tensorflow as tf

    return tf.__version__

"""Writes features to an npz or HDF5 file, with the videos, their classes and the settings."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.files import replacing, write_bytes
from vdroppath_tf.names import named
from vdroppath_tf.scoring.features import VideoFeatures, labels_of

FEATURES_FORMAT = "vdroppath_tf.features/1"
SUFFIXES = (".npz", ".h5", ".hdf5")


@named
def write_features(
    path: str | os.PathLike[str],
    found: Iterable[VideoFeatures],
    manifest: Manifest,
    about: Mapping[str, Any],
) -> int:
    """Writes features to a file atomically.

    Both formats hold ``features`` ``(videos, ..., channels)``, ``videos`` (paths), ``labels``
    (numbers; rows of 0 and 1 if videos have several classes), ``classes`` (names) and ``about``
    (JSON). An HDF5 file is written video by video; an npz file is assembled in memory.

    Args:
        path: The file, ``.npz``, ``.h5`` or ``.hdf5``.
        found: Iterable of VideoFeatures, such as ``video_features(...)``.
        manifest: Manifest, the videos that were listed.
        about: Mapping, the settings with which the features were made, as JSON-able data.

    Returns:
        The number of videos in the file.

    Raises:
        ValueError: If the file has another suffix, or there are no features.

    Example:
    ```python
    protocol = vdroppath_tf.data.PROTOCOLS["paper-1clip"]
    found = video_features(LayerOutputs(network, "pool"), test_videos, sampling, protocol)
    write_features("features.npz", found, test_videos, {"layer": "pool"})
    ```
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{os.fspath(path)}: expected a file that ends in {', '.join(SUFFIXES)}.")
    text = json.dumps({"format": FEATURES_FORMAT, **about})
    entries: list[VideoEntry] = []
    if suffix == ".npz":
        rows = []
        for each in found:
            entries.append(each.entry)
            rows.append(each.features)
        held = io.BytesIO()
        np.savez(
            held,
            about=np.array(text.encode()),
            features=np.stack(_some(rows, manifest)),
            videos=np.array([entry.path for entry in entries]),
            labels=labels_of(manifest, entries),
            classes=np.array(manifest.labels),
        )
        write_bytes(path, held.getvalue())
        return len(entries)
    with replacing(path) as new, h5py.File(new, "w") as file:
        file.attrs["about"] = text
        for each in found:
            _append(file, each.features)
            entries.append(each.entry)
        _some(entries, manifest)
        names = h5py.string_dtype()
        file.create_dataset("videos", data=[entry.path for entry in entries], dtype=names)
        file.create_dataset("labels", data=labels_of(manifest, entries))
        file.create_dataset("classes", data=list(manifest.labels), dtype=names)
    return len(entries)


def _append(file: h5py.File, features: np.ndarray) -> None:
    if "features" not in file:
        shape = features.shape
        file.create_dataset(
            "features", (0, *shape), features.dtype, maxshape=(None, *shape), chunks=(1, *shape)
        )
    rows = file["features"]
    rows.resize(len(rows) + 1, axis=0)
    rows[-1] = features


def _some(rows: list[Any], manifest: Manifest) -> list[Any]:
    if not rows:
        raise ValueError(f"{manifest.source}: none of its videos can be read; nothing was written.")
    return rows

"""A whole data set in one HDF5 file, and HDF5 files in class folders: found out, and named."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from vdroppath_tf.data.catalog import ManifestError, find_format, open_manifest
from vdroppath_tf.data.clips.pipeline import ClipSampling, evaluation_clips
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 8, 3), np.uint8)


def write(path: Path, **items: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, value in items.items():
            file[name] = value
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Videos as one data set, and as the authors have them, one data set a frame."""
    frames = {f"walk/v2/{k + 1:05d}": frame for k, frame in enumerate(FRAMES[1])}
    return write(tmp_path / "all.h5", **{"walk/v1": FRAMES[0], "run fast/v.1": FRAMES[2]}, **frames)


def test_it_is_found_out_and_read(archive: Path) -> None:
    assert find_format(archive) == "hdf5"
    manifest = open_manifest(archive)
    assert manifest.labels == ("run fast", "walk")
    assert [(e.name, e.label) for e in manifest] == [
        ("all.h5/run fast/v.1", 0),
        ("all.h5/walk/v1", 1),
        ("all.h5/walk/v2", 1),
    ]
    assert manifest.entries[1].source == Hdf5Frames(str(archive), "/walk/v1")
    clips = evaluation_clips(manifest, ClipSampling(5), batch_size=3)
    np.testing.assert_array_equal(next(iter(clips))[0], FRAMES[[2, 0, 1]])


def test_classes_of_another_manifest(archive: Path) -> None:
    labels = ("walk", "sit", "run fast")
    manifest = open_manifest(archive, labels=labels)
    assert (manifest.labels, [e.label for e in manifest]) == (labels, [2, 0, 0])
    with pytest.raises(ManifestError, match="'run fast' is not among the 1 classes"):
        open_manifest(archive, labels=["walk"])


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({}, "is empty"),
        ({"v": FRAMES[0]}, "/v holds no video"),
        ({"v/1": FRAMES[0, 0], "v/2": FRAMES[0, 1]}, r"/v/1 is uint8 \(6, 8, 3\). Expected a"),
        ({"a/v": h5py.SoftLink("/b/v"), "b/v": FRAMES[0]}, "'v' is a link"),
        ({"a": h5py.ExternalLink("other.h5", "/a")}, "'a' is a link to another place or file"),
    ],
)
def test_files_of_something_else(tmp_path: Path, items: dict, message: str) -> None:
    path = write(tmp_path / "all.hdf5", **items)
    with pytest.raises(ManifestError, match=f"^{path}.*{message}"):
        open_manifest(path)


def test_a_damaged_file_and_another_name(archive: Path) -> None:
    renamed = archive.rename(archive.with_name("all.data"))
    with pytest.raises(ManifestError, match=r"ends in \.h5 or \.hdf5"):
        open_manifest(renamed)
    renamed.rename(archive).write_bytes(archive.read_bytes()[:900])
    with pytest.raises(ManifestError, match=f"{archive}: cannot be read as HDF5"):
        open_manifest(archive)


def test_class_folders_of_hdf5_files(tmp_path: Path) -> None:
    for label, name, frames in (("a", "x.h5", FRAMES[0]), ("b", "y.HDF5", FRAMES[1])):
        (tmp_path / label).mkdir()
        write(tmp_path / label / name, video=frames)
    manifest = open_manifest(tmp_path)
    assert [(e.name, e.label) for e in manifest] == [("a/x.h5", 0), ("b/y.HDF5", 1)]
    assert open_manifest(tmp_path, format="folders-of-hdf5") == manifest
    np.testing.assert_array_equal(manifest.entries[1].source.read(range(5)), FRAMES[1])
    (tmp_path / "b" / "z.mp4").touch()
    with pytest.raises(ManifestError, match=r"'z\.mp4' is not of the kind 'hdf5'"):
        open_manifest(tmp_path)

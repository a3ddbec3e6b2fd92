"""Videos of several classes each, or of none, as far as batches of clips."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from vdroppath_tf.data.catalog import Manifest, ManifestError, open_manifest, write_manifest
from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.labels import empty_labels, set_label
from vdroppath_tf.data.clips.mixing import soft_labels
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import ClipSampling, evaluation_clips, training_clips
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.inventory import count_classes
from vdroppath_tf.data.sources.encode import write_video

CLASSES = [(0, 2), (), (1,), (2, 0, 1, 2)]
HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], np.float32)
SAMPLING = ClipSampling(2, clips_per_video=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for k in range(len(CLASSES)):
        write_video(folder / f"{k}.mp4", np.full((4, 16, 16, 3), 60 * k, np.uint8))
    return folder


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    videos = Collector(folder / "list.json", None, None, ["a", "b", "c"])
    for k, classes in enumerate(CLASSES):
        videos.add(f"{k}.mp4", classes, None, f"list.json:{k + 1}")
    return videos.manifest("videos")


def test_a_manifest_of_several_classes(manifest: Manifest) -> None:
    assert manifest.multi_label
    assert [entry.labels for entry in manifest] == [(0, 2), (), (1,), (0, 1, 2)]
    assert [entry.label for entry in manifest] == [0, -1, 1, 0]
    assert count_classes(manifest) == [2, 2, 2]
    first, *rest = manifest.entries
    other = dataclasses.replace(first, more_labels=(1,))
    assert dataclasses.replace(manifest, entries=(other, *rest)).digest() != manifest.digest()


def test_labels_of_several_classes(manifest: Manifest) -> None:
    labels = empty_labels(manifest, len(manifest))
    for row, entry in enumerate(manifest):
        set_label(labels, row, entry)
    np.testing.assert_array_equal(labels, HOT)
    assert soft_labels(labels, 3, 0.5) is labels


def test_a_class_that_has_no_name(folder: Path) -> None:
    videos = Collector(folder / "list.json", None, None, ["a", "b"])
    with pytest.raises(ManifestError, match=r"list\.json:1: label 2 has no name"):
        videos.add("0.mp4", (0, 2), None, "list.json:1")


def test_batches(manifest: Manifest) -> None:
    [(_, labels)] = evaluation_clips(manifest, SAMPLING, batch_size=4)
    np.testing.assert_array_equal(labels, HOT)
    assert labels.dtype == np.float32
    clips = evaluation_clips(manifest, SAMPLING, batch_size=4, split="test")
    assert clips.element_spec[1].shape == (4, 3)
    found = np.concatenate([labels for _, labels in clips])
    np.testing.assert_array_equal(found, HOT.repeat(2, 0))
    clips = training_clips(manifest, SAMPLING, batch_size=2, order=ClipOrder(epochs=1))
    shown = [(int(c[0, 0, 0, 0]), y) for batch in clips for c, y in zip(*batch, strict=True)]
    for grey, label in shown:
        np.testing.assert_array_equal(label, HOT[round(grey / 60)])


def test_bad_videos_are_left_out(manifest: Manifest, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "0.mp4").write_bytes(b"no video")
    videos = Collector(tmp_path / "list.json", folder.parent, None, ["a", "b", "c"])
    (folder / "bad.mp4").write_bytes(b"no video")
    for k in ("bad", 0, 1):
        videos.add(f"{folder.name}/{k}.mp4", CLASSES[0 if k == "bad" else int(k)], None, f":{k}")
    faults = FaultLog(0.5)
    clips = evaluation_clips(videos.manifest("videos"), SAMPLING, batch_size=2, faults=faults)
    found = np.concatenate([labels for _, labels in clips])
    np.testing.assert_array_equal(found, HOT[:2])


def test_mixing(manifest: Manifest) -> None:
    """The labels of a mixed clip are mixed too; there is no smoothing of several classes."""
    mixed = Augmentation(mixup=0.5)
    [(_, labels)] = training_clips(manifest, SAMPLING, batch_size=4, augment=mixed)
    total = labels.numpy().sum(0)
    assert labels.shape == (4, 3)
    assert ((total >= 0) & (total <= 4)).all()
    smooth = Augmentation(label_smoothing=0.1)
    with pytest.raises(ValueError, match="Pass label_smoothing=0"):
        training_clips(manifest, SAMPLING, batch_size=4, augment=smooth)


def test_a_manifest_file(manifest: Manifest, folder: Path) -> None:
    path = folder / "kept.jsonl"
    write_manifest(manifest, path)
    lines = path.read_text().splitlines()
    assert [json.loads(line)[1] for line in lines[1:]] == [[0, 2], [], [1], [0, 1, 2]]
    again = open_manifest(path)
    assert again.multi_label
    assert again.digest() == manifest.digest()
    for label in (0, [3], [-1], [True], ["0"], None):
        path.write_text("\n".join([lines[0], json.dumps(["0.mp4", label, None])]))
        with pytest.raises(ManifestError, match=r"jsonl:2: is .*of 3 classes"):
            open_manifest(path)
    header = {**json.loads(lines[0]), "multi_label": False}
    path.write_text("\n".join([json.dumps(header), lines[1]]))
    with pytest.raises(ManifestError, match=r"jsonl:2: is"):
        open_manifest(path)

"""`SequenceExample`s that TensorFlow wrote: exact frames by number, and damage is told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import tensorflow as tf
from exact_source import check_exact
from pictures import barcodes

from vdroppath_tf.data.catalog import find_format, open_manifest
from vdroppath_tf.data.faults.doctor import diagnose
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.records.framing import is_record_file, record_places
from vdroppath_tf.data.sources.container import VideoError

COUNT = 12


def _bytes(*values: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _example(label: int, text: str) -> tf.train.SequenceExample:
    frames = tf.train.FeatureList(feature=[_bytes(data) for data in barcodes(COUNT)])
    rate = tf.train.Feature(float_list=tf.train.FloatList(value=[12.5]))
    index = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    context = {"clip/label/index": index, "clip/label/text": _bytes(text.encode())}
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={**context, "image/frame_rate": rate}),
        feature_lists=tf.train.FeatureLists(feature_list={"image/encoded": frames}),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "clips"
    with tf.io.TFRecordWriter(str(file)) as writer:
        for label, text in ((1, "walk"), (0, "run"), (1, "walk")):
            writer.write(_example(label, text).SerializeToString())
    return file


def test_exact_frames(path: Path, tmp_path: Path) -> None:
    assert find_format(path) == "sequence-examples"
    manifest = open_manifest(path)
    assert (manifest.labels, [entry.label for entry in manifest]) == (("run", "walk"), [1, 0, 1])
    assert [entry.fps for entry in manifest] == [12.5] * 3
    for entry in manifest:
        check_exact(entry.source, COUNT)
    found = diagnose([("train", manifest)], tmp_path / "journal")
    assert (found.faults, found.decoded) == ((), 3 * COUNT)


def test_places_are_those_of_tensorflow(path: Path) -> None:
    data = path.read_bytes()
    read = [data[start : start + length] for start, length in record_places(str(path))]
    assert read == [record.numpy() for record in tf.data.TFRecordDataset(str(path))]


def test_damage(path: Path) -> None:
    whole = path.read_bytes()
    draw = random.Random(0)
    for _ in range(60):
        bad = bytearray(whole)
        for _ in range(4):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        path.write_bytes(bytes(bad))
        try:
            for entry in open_manifest(path, format="sequence-examples"):
                entry.source.read(range(COUNT))
        except (ManifestError, VideoError) as error:
            assert str(path) in str(error)  # noqa: PT017
    for end in (5, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(
            ManifestError, match=r"damaged or cut short at record|is not a TFRecord"
        ):
            open_manifest(path, format="sequence-examples")


def test_other_files_are_none(tmp_path: Path) -> None:
    for content in (b"", b"a.mp4 3 0\n" * 9, bytes(64)):
        (tmp_path / "x").write_bytes(content)
        assert not is_record_file(tmp_path / "x")
    with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
        writer.write(b"no message at all")
    with pytest.raises(ManifestError, match=r"x: record 0 is not a SequenceExample"):
        open_manifest(tmp_path / "x")

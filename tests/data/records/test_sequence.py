"""`SequenceExample`s that TensorFlow wrote: exact frames by number, and damage is told."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
import tensorflow as tf
from exact_source import check_exact
from pictures import barcodes

from vdroppath_tf.data.catalog import find_format, open_manifest
from vdroppath_tf.data.faults.doctor import diagnose
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.records.bytes import pack
from vdroppath_tf.data.records.framing import is_record_file, masked_crc32c, record_places
from vdroppath_tf.data.sources.container import VideoError

COUNT = 12


def _bytes(*values: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _index(label: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))


def _of_frames(*frames: tf.train.Feature) -> tf.train.SequenceExample:
    lists = {"image/encoded": tf.train.FeatureList(feature=frames)}
    return tf.train.SequenceExample(feature_lists=tf.train.FeatureLists(feature_list=lists))


def _of_context(**context: tf.train.Feature) -> tf.train.SequenceExample:
    feature = {name.replace("__", "/"): value for name, value in context.items()}
    return tf.train.SequenceExample(context=tf.train.Features(feature=feature))


def _pictures(count: int = COUNT) -> tf.train.SequenceExample:
    return _of_frames(*map(_bytes, barcodes(count)))


def _example(label: int, text: str) -> tf.train.SequenceExample:
    rate = tf.train.Feature(float_list=tf.train.FloatList(value=[12.5]))
    made = _of_context(
        clip__label__index=_index(label),
        clip__label__text=_bytes(text.encode()),
        image__frame_rate=rate,
    )
    made.MergeFrom(_pictures())
    return made


def _write(file: Path, *records: bytes) -> Path:
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    labels = ((1, "walk"), (0, "run"), (1, "walk"))
    return _write(tmp_path / "clips", *(_example(*each).SerializeToString() for each in labels))


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
    assert not is_record_file(tmp_path)
    huge = struct.pack("<Q", 1 << 40)
    (tmp_path / "x").write_bytes(huge + struct.pack("<I", masked_crc32c(huge)) + bytes(64))
    with pytest.raises(ManifestError, match=r"x: record 0 has 1099511627776 bytes, over"):
        open_manifest(tmp_path / "x")


@pytest.mark.parametrize(
    ("record", "match"),
    [
        (b"no message at all", r"x: record 0 is not a SequenceExample \(a field"),
        (b"\x0a\x7fa", r"not a SequenceExample \(a context of 127 bytes\)"),
        (b"\x0a" + b"\xff" * 12, r"not a SequenceExample \(a number without an end at byte 11\)"),
        (_of_context(label__index=_index(1 << 40)), "record 0: label is 1099511627776, expected 0"),
        (_of_context(label__index=tf.train.Feature()), "record 0: has no label"),
    ],
)
def test_no_clip(record: object, match: str, tmp_path: Path) -> None:
    data = record if isinstance(record, bytes) else record.SerializeToString()  # type: ignore[attr-defined]
    with pytest.raises(ManifestError, match=match):
        open_manifest(_write(tmp_path / "x", data))


@pytest.mark.parametrize(
    ("frames", "match"),
    [
        (_of_frames(), r"at byte 12 is damaged.*\(it holds no frame\)"),
        (_of_frames(_bytes(b"a", b"b")), r"frame 0 holds 2 pictures, expected one"),
        (_of_frames(_index(3)), r"frame 0 holds 0 pictures, expected one"),
    ],
)
def test_no_frames(frames: tf.train.SequenceExample, match: str, tmp_path: Path) -> None:
    frames.MergeFrom(_of_context(label__index=_index(0)))
    (entry,) = open_manifest(_write(tmp_path / "x", frames.SerializeToString()))
    with pytest.raises(VideoError, match=rf"x: 0: .*{match}"):
        entry.source.info()


def test_fields_that_are_not_known_are_passed_over(tmp_path: Path) -> None:
    """Each way in which protobuf writes a field, after the frames and inside the context."""
    unknown = b"\x78\x05" + b"\x79" + bytes(8) + b"\x7d" + bytes(4) + b"\x7a\x01a"
    entry = b"\x0a\x0blabel/index" + b"\x12\x08" + b"\x7a\x01a" + b"\x1a\x03\x0a\x01\x00"
    context = unknown + b"\x0a" + bytes([len(entry)]) + entry
    data = b"\x0a" + bytes([len(context)]) + context + _pictures(8).SerializeToString() + unknown
    (read,) = open_manifest(_write(tmp_path / "x", data))
    assert read.label == 0
    check_exact(read.source, 8)


def test_a_context_after_the_frames(tmp_path: Path) -> None:
    frames = _pictures(99).SerializeToString()
    assert len(frames) > 1 << 16, "the context would be among the bytes that are read first"
    context = _of_context(label__index=_index(0)).SerializeToString()
    (entry,) = open_manifest(_write(tmp_path / "x", frames + context))
    check_exact(entry.source, 99)


def test_labels_in_several_ways(tmp_path: Path) -> None:
    number, name = _of_context(label__index=_index(1)), _of_context(label__text=_bytes(b"run"))
    both = _write(tmp_path / "x", number.SerializeToString(), name.SerializeToString())
    with pytest.raises(ManifestError, match=r"some records have .*index', and others only .*text'"):
        open_manifest(both)
    numbers = _write(tmp_path / "x", number.SerializeToString())
    assert "no video is of class 0: the labels may count from 1" in open_manifest(numbers).notes
    with pytest.raises(ManifestError, match="record 0: label 1 has no name: 1 classes are known"):
        open_manifest(numbers, labels=("run",))


def test_no_record(tmp_path: Path) -> None:
    (tmp_path / "x.tfrecord").touch()
    with pytest.raises(ManifestError, match=r"x\.tfrecord: holds no record"):
        open_manifest(tmp_path / "x.tfrecord")


def test_a_shard_that_convert_wrote(tmp_path: Path) -> None:
    """Its folder holds an index, without which the frames cannot be found."""
    made = pack(barcodes(2), labels=[0], name="a", size=(32, 128))
    with pytest.raises(ManifestError, match="is a shard of records that vdroppath convert wrote"):
        open_manifest(_write(tmp_path / "x", made.data))


def test_cut_short_after_it_was_opened(path: Path) -> None:
    *_, entry = open_manifest(path)
    entry.source.validate_quickly()
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(VideoError, match=r"clips: 2: the file is cut short\. Copy it again"):
        entry.source.validate_quickly()
    with pytest.raises(VideoError, match=r"clips: is cut short at byte [0-9]+\. Copy it again"):
        entry.source.read([0])


def test_a_system_that_reads_few_bytes_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux reads at most 2 GB in a call, and a network's file system may read less."""
    entry, whole = open_manifest(path).entries[1], os.pread
    few = lambda file, length, offset: whole(file, min(length, 1000), offset)  # noqa: E731
    monkeypatch.setattr(os, "pread", few)
    check_exact(entry.source, COUNT)

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import record_files
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from record_files import FRAMES, VIDEOS, numbers

from vdroppath_tf.data.catalog import Manifest, ManifestError, open_manifest
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import (
    ClipSampling,
    VideoCache,
    evaluation_clips,
    training_clips,
)
from vdroppath_tf.data.records import bytes as record_bytes
from vdroppath_tf.data.records import video as record_video
from vdroppath_tf.data.records.bytes import frame_places, frame_times, pack
from vdroppath_tf.data.records.index import INDEX_FILE
from vdroppath_tf.data.records.reader import check_shards, read_records
from vdroppath_tf.data.records.stream import stream_clips
from vdroppath_tf.data.records.video import RecordVideo
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.remote import files as remote
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.jpeg import read_jpeg
from vdroppath_tf.data.sources.source import Box

SHARDS = 2


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return record_files.write_list(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="module")
def folder(videos: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "train"
    write_records(out, videos, shards=SHARDS)
    return out


@pytest.fixture(scope="module")
def records(folder: Path) -> Manifest:
    return read_records(folder)


def video(records: Manifest, number: int = 1) -> RecordVideo:
    source = records.entries[number].source
    assert isinstance(source, RecordVideo)
    return source


class TestReading:
    def test_open_manifest_finds_them(self, folder: Path, records: Manifest) -> None:
        assert open_manifest(folder) == records
        with pytest.raises(ManifestError, match="root does not go with the format 'records'"):
            open_manifest(folder, root=folder)

    def test_the_manifest_is_that_of_the_videos(self, videos: Manifest, records: Manifest) -> None:
        assert records.labels == videos.labels
        for record, entry in zip(records, videos, strict=True):
            assert (record.label, record.num_frames) == (entry.label, entry.num_frames)
            assert record.path.endswith(f".tfrecord: {Path(entry.path).name}")

    @pytest.mark.parametrize("at_once", [0, 1 << 20])
    def test_exact_frames(
        self, records: Manifest, at_once: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Read in one go, as small records are, and frame by frame, as large ones."""
        monkeypatch.setattr(record_video, "_AT_ONCE", at_once)
        for number in range(VIDEOS):
            wanted = [7, 3, 3, 16, 0]
            expected = [number * FRAMES + k for k in wanted]
            assert numbers(video(records, number).read(wanted)) == expected

    def test_equals_decoding_the_same_bytes(self, records: Manifest) -> None:
        source, box = video(records), Box(3, 10, 11, 21)
        frames = source.read([5, 2], short_edge=24, box=box)
        for frame, number in zip(frames, (5, 2), strict=True):
            expected = read_jpeg(source.jpeg(number), "", short_edge=24, box=box)
            np.testing.assert_array_equal(frame, expected)

    def test_only_the_frames_wanted_are_read(
        self, records: Manifest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(record_video, "_AT_ONCE", 0)
        read, source = list[int](), video(records)
        expected = [source.record.head, len(source.jpeg(4))]

        def counted(path: str, offset: int, length: int) -> bytes:
            read.append(length)
            return remote.read_range(path, offset, length)

        monkeypatch.setattr(record_video, "read_range", counted)
        source.read([4])
        assert read == expected

    def test_looks_at_the_record(self, records: Manifest) -> None:
        for entry in records:
            entry.source.validate()

    @pytest.mark.parametrize("indices", [[-1], [FRAMES], [0, 10**9], []])
    def test_frames_that_are_not_there(self, records: Manifest, indices: list[int]) -> None:
        with pytest.raises(VideoError, match=r"video 1\.mp4.*frame"):
            video(records).read(indices)

    def test_too_much_at_once(self, records: Manifest) -> None:
        with pytest.raises(VideoError, match="are read at once"):
            video(records).read(range(FRAMES), short_edge=10_000)

    def test_any_reader_of_tfrecord_reads_them(self, folder: Path, records: Manifest) -> None:
        """TensorFlow's own reader and parser, which knows nothing of heads and indices."""
        spec = {
            "label": tf.io.FixedLenFeature([], tf.int64),
            "name": tf.io.FixedLenFeature([], tf.string),
            "fps": tf.io.FixedLenFeature([], tf.float32),
            "frames": tf.io.VarLenFeature(tf.string),
        }
        files = sorted(str(path) for path in folder.glob("*.tfrecord"))
        assert [Path(file).name for file in files] == [
            f"train-0000{k}-of-0000{SHARDS}.tfrecord" for k in range(SHARDS)
        ]
        found = {}
        for record in tf.data.TFRecordDataset(files):
            example = tf.io.parse_single_example(record, spec)
            found[example["name"].numpy().decode()] = example
        assert len(found) == VIDEOS
        for entry in records:
            assert isinstance(entry.source, RecordVideo)
            example = found[entry.source.record.name]
            assert (int(example["label"]), float(example["fps"])) == (entry.label, 25.0)
            assert entry.num_frames == len(example["frames"].values)
            assert example["frames"].values[3].numpy() == entry.source.jpeg(3)


class TestTraining:
    SAMPLING = ClipSampling(4, stride=3, random_stride=True)

    def test_the_same_clips_as_from_video_files(self, videos: Manifest, records: Manifest) -> None:
        def seen(manifest: Manifest) -> list[tuple[list[int], list[int]]]:
            clips = training_clips(
                manifest, self.SAMPLING, batch_size=2, order=ClipOrder(5, epochs=2)
            )
            return [(numbers(c.numpy()), y.numpy().tolist()) for c, y in clips]

        assert seen(records) == seen(videos)

    def test_tf_data_equals_eager_and_resumes(self, records: Manifest) -> None:
        sampling = dataclasses.replace(self.SAMPLING, short_edge=(16, 20), crop=16, flip=True)
        loader = ClipLoader(records, sampling, cache=VideoCache(), workers=1)
        clips = training_clips(
            records,
            sampling,
            batch_size=2,
            order=ClipOrder(first_epoch=3, first_step=1, epochs=None),
        )
        places = [(3, 1), (3, 2), (4, 0), (4, 1)]
        for (clip, label), (epoch, step) in zip(clips.take(4), places, strict=True):
            expected = loader.training_batch(0, epoch, step, 2)
            np.testing.assert_array_equal(clip, expected[0])
            np.testing.assert_array_equal(label, expected[1])

    def test_evaluation(self, videos: Manifest, records: Manifest) -> None:
        sampling = ClipSampling(3, stride=2, clips_per_video=3)
        seen = [
            [numbers(c.numpy()) for c, _ in evaluation_clips(m, sampling, batch_size=6, split=s)]
            for m in (videos, records)
            for s in ("test",)
        ]
        assert seen[0] == seen[1]


class TestLabels:
    def test_by_name(self, folder: Path) -> None:
        labels = ("still", "up", "left", "right")
        renamed = read_records(folder, labels=labels)
        assert renamed.labels == labels
        assert [entry.label for entry in renamed][:3] == [2, 3, 0]

    def test_a_class_that_is_unknown(self, folder: Path) -> None:
        with pytest.raises(ManifestError, match="class 'still' is not among the labels"):
            read_records(folder, labels=("left", "right"))

    def test_numbers_stay(self, videos: Manifest, tmp_path: Path) -> None:
        plain = dataclasses.replace(videos, labels=("0", "1", "2"))
        write_records(tmp_path / "numbers", plain, shards=1)
        named = read_records(tmp_path / "numbers", labels=("a", "b", "c", "d"))
        assert [entry.label for entry in named] == [entry.label for entry in videos]


class TestDamage:
    """Whatever is wrong with a file is found when it is read, and named."""

    @pytest.fixture
    def copy(self, folder: Path, tmp_path: Path) -> Path:
        out = tmp_path / "train"
        out.mkdir()
        for file in folder.iterdir():
            (out / file.name).write_bytes(file.read_bytes())
        return out

    @staticmethod
    def flip(source: RecordVideo, place: int) -> None:
        with open(source.shard, "r+b") as file:
            file.seek(source.record.offset + place)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 4]))

    def test_in_a_frame(self, copy: Path) -> None:
        source = video(read_records(copy), 3)
        data = Path(source.shard).read_bytes()
        self.flip(source, data.index(source.jpeg(9)) + 700 - source.record.offset)
        assert numbers(source.read([8, 10])) == [3 * FRAMES + 8, 3 * FRAMES + 10]
        with pytest.raises(VideoError, match=r"00001-of.*: video 3\.mp4: .*the CRC of frame 9"):
            source.read([8, 9])
        with pytest.raises(VideoError, match=r"train-00001-of-00002\.tfrecord\. Copy them again"):
            check_shards(copy)

    def test_in_the_head(self, copy: Path) -> None:
        source = video(read_records(copy))
        self.flip(source, 12 + source.record.head // 2)
        with pytest.raises(VideoError, match="the CRC of its head is wrong"):
            source.read([0])
        with pytest.raises(VideoError, match="the CRC of its head is wrong"):
            source.validate()

    def test_another_record_there(self, copy: Path) -> None:
        source = video(read_records(copy))
        wrong = dataclasses.replace(source.record, length=source.record.length - 1)
        with pytest.raises(VideoError, match="no record of this length begins there"):
            RecordVideo(source.shard, wrong).validate()

    @pytest.mark.parametrize("left", [0, 3, 0.5])
    def test_cut_short(self, copy: Path, left: float) -> None:
        source = video(read_records(copy), VIDEOS - 1)
        data = Path(source.shard).read_bytes()
        end = source.record.offset + int(left if left > 1 else left * source.record.length)
        Path(source.shard).write_bytes(data[:end])
        for attempt in (source.validate, lambda: source.read([FRAMES - 1])):
            with pytest.raises(VideoError, match=r"cut short.*video 5\.mp4"):
                attempt()

    def test_a_shard_is_a_pipe(self, copy: Path) -> None:
        """Nobody writes into it, so reading it would never end."""
        source = video(read_records(copy))
        Path(source.shard).unlink()
        os.mkfifo(source.shard)
        for attempt in (source.validate, lambda: source.read([0])):
            with pytest.raises(VideoError, match=r"00001-of-00002\.tfrecord.*not a regular file"):
                attempt()
        with pytest.raises(OSError, match=r"00001-of-00002\.tfrecord: is not a regular file"):
            stream_clips(copy, ClipSampling(2), batch_size=1)

    def test_a_shard_is_missing(self, copy: Path) -> None:
        source = video(read_records(copy))
        Path(source.shard).unlink()
        with pytest.raises(VideoError, match=r"00001-of-00002\.tfrecord: does not exist"):
            source.read([0])
        with pytest.raises(VideoError, match="missing, or different from"):
            check_shards(copy)

    def test_found_before_a_run(self, copy: Path) -> None:
        manifest = read_records(copy)
        check_videos(manifest, ClipSampling(4))
        Path(video(manifest).shard).unlink()
        with pytest.raises(VideoError, match=r"00001-of-00002\.tfrecord: does not exist"):
            check_videos(manifest, ClipSampling(4))

    def test_whole_shards_pass(self, copy: Path) -> None:
        done: list[tuple[int, int]] = []
        check_shards(copy, on_shard=lambda *each: done.append(each))
        assert done == [(1, 2), (2, 2)]

    @pytest.mark.parametrize(
        ("field", "value", "match"),
        [
            ("format", "vdroppath_tf.records/2", "newer vdroppath_tf.*records/1"),
            ("labels", "left", "expected 'labels'"),
            ("fields", ["shard"], "the 'fields' shard, offset"),
            ("shards", [], "'shards', a list that is not empty"),
            ("shards", [{"file": "../x-00000-of-00001.tfrecord"}], "shard 0: file is '../x"),
            ("shards", [{"file": "x-00000-of-00001.tfrecord", "bytes": 9}], "bytes and sha256"),
            ("records", {}, "'records', a list"),
            ("records", [[0, 1]], "record 0: expected 10 values"),
            ("shard", 2, "record 1: shard is 2, expected 0 to 1"),
            ("offset", -1, "record 1: offset is '-1'"),
            ("length", 1 << 40, "record 1: length is"),
            ("length", True, "record 1: length is 'True'"),
            ("head", 1 << 20, "record 1: does not fit into its shard"),
            ("label", 3, "record 1: label is '3', expected 0 to 2"),
            ("num_frames", 0, "record 1: num_frames is '0'"),
            ("height", 1 << 20, "record 1: height is"),
            ("width", 1.5, r"record 1: width is '1\.5'"),
            ("name", None, "record 1: name is 'None'"),
            ("label", [0], r"record 1: label is '\[0\]', expected the number of one class"),
        ],
    )
    def test_an_index_that_cannot_be(
        self, copy: Path, field: str, value: object, match: str
    ) -> None:
        index = json.loads((copy / INDEX_FILE).read_text())
        if field in index:
            index[field] = value
        else:
            index["records"][1][index["fields"].index(field)] = value
        (copy / INDEX_FILE).write_text(json.dumps(index))
        with pytest.raises(ManifestError, match=rf"index\.json: .*{match}"):
            open_manifest(copy)

    def test_a_video_twice_in_the_index(self, copy: Path) -> None:
        index = json.loads((copy / INDEX_FILE).read_text())
        index["records"].append(index["records"][1])
        (copy / INDEX_FILE).write_text(json.dumps(index))
        count = len(index["records"]) - 1
        with pytest.raises(
            ManifestError, match=f"record {count}: is at the same place as record 1"
        ):
            open_manifest(copy)

    @pytest.mark.parametrize(
        ("label", "match"),
        [
            (2, "record 1: label is '2', expected a list of numbers of classes"),
            ([2, 0, 2], r"record 1: a class is repeated in \[2, 0, 2\]"),
            ([2, 3], "record 1: label is '3', expected 0 to 2"),
        ],
    )
    def test_an_index_of_several_classes(self, copy: Path, label: object, match: str) -> None:
        index = json.loads((copy / INDEX_FILE).read_text())
        index["settings"]["multi_label"] = True
        place = index["fields"].index("label")
        for record in index["records"]:
            record[place] = [0]
        index["records"][1][place] = label
        (copy / INDEX_FILE).write_text(json.dumps(index))
        with pytest.raises(ManifestError, match=rf"index\.json: .*{match}"):
            open_manifest(copy)

    @pytest.mark.parametrize("text", ["", "[" * 100_000, "\0", '{"format": 1}', "[1]"])
    def test_no_index_at_all(self, copy: Path, text: str) -> None:
        (copy / INDEX_FILE).write_text(text)
        with pytest.raises(ManifestError, match=r"index\.json: .*(JSON|format)"):
            open_manifest(copy)

    def test_no_records_here(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match="vdroppath convert wrote"):
            read_records(tmp_path)


frame_lists = st.lists(st.binary(max_size=300) | st.just(b"x" * 20_000), min_size=1, max_size=9)


class TestBytes:
    @settings(max_examples=50)
    @given(frame_lists)
    def test_frames_are_where_the_head_says(self, frames: list[bytes]) -> None:
        made = pack(frames, labels=[1], name="a", size=(2, 3), fps=None)
        places = frame_places(made.data[: made.head], len(made.data), len(frames))
        found = [made.data[a:b] for a, b in zip(places.starts, places.ends, strict=True)]
        assert found == frames

    def test_heads_of_other_records(self) -> None:
        frames = [bytes(100), bytes(100)]
        made = pack(frames, labels=[1], name="a", size=(2, 3), times=np.array([0.0, 0.5]))
        head = made.data[: made.head]
        with pytest.raises(ValueError, match="more bytes of frames than the record"):
            frame_places(head, made.head + 150, 2)
        np.testing.assert_array_equal(frame_times(head, 2), [0, 0.5])
        with pytest.raises(ValueError, match="2 times for 3 frames"):
            frame_times(head, 3)

    def test_too_large_for_a_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(record_bytes, "MAX_RECORD", (1 << 26) + 99)
        with pytest.raises(ValueError, match=r"its 1 frames take 100 bytes.*Set a smaller short_"):
            pack([bytes(100)], labels=[1], name="a", size=(2, 3))

    @settings(max_examples=100)
    @given(frame_lists, st.data())
    def test_no_head_leads_outside(self, frames: list[bytes], data: st.DataObject) -> None:
        """A head comes from a file: whatever it says, frames lie in their record."""
        made = pack(frames, labels=[1], name="a", size=(2, 3), fps=25.0)
        head = bytearray(made.data[: made.head])
        for _ in range(data.draw(st.integers(1, 4))):
            head[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
        try:
            places = frame_places(bytes(head), len(made.data), len(frames))
        except ValueError:
            return
        assert (places.starts >= len(head)).all()
        assert (places.ends <= len(made.data)).all()
        assert (places.starts <= places.ends).all()

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import record_files
import tensorflow as tf
from film_files import draw
from kept_servers import kept
from kinds_of_turned_pictures import jpeg, tiff
from record_files import FRAMES, VIDEOS, numbers

from vdroppath_tf.data.catalog import Manifest, ManifestError
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.records import stream_ops
from vdroppath_tf.data.records.bytes import pack
from vdroppath_tf.data.records.reader import read_records
from vdroppath_tf.data.records.service import start_dispatcher, start_worker
from vdroppath_tf.data.records.stream import stream_clips
from vdroppath_tf.data.records.stream_ops import ClipOps
from vdroppath_tf.data.records.writer import write_records

SAMPLING = ClipSampling(4, stride=2)
Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stream")
    write_records(home / "records", record_files.write_list(home / "videos"), shards=3)
    return home / "records"


@pytest.fixture(scope="module")
def records(folder: Path) -> Manifest:
    return read_records(folder)


def arrays(clips: tf.data.Dataset) -> list[Pair]:
    return [(c.numpy(), y.numpy()) for c, y in clips]


def video_of(clip: np.ndarray) -> int:
    return numbers(clip)[0] // FRAMES


class TestHere:
    def test_every_video_once_an_epoch_with_its_label(
        self, folder: Path, records: Manifest
    ) -> None:
        clips = stream_clips(folder, SAMPLING, batch_size=2, epochs=3)
        assert clips.element_spec == (
            tf.TensorSpec((2, 4, 32, 128, 3), tf.uint8),
            tf.TensorSpec((2,), tf.int64),
        )
        assert int(clips.cardinality()) == 3 * VIDEOS // 2
        seen = Counter[int]()
        for batch, labels in arrays(clips):
            for clip, label in zip(batch, labels.tolist(), strict=True):
                shown = numbers(clip)
                assert np.diff(shown).tolist() == [2, 2, 2]
                entry = records.entries[video_of(clip)]
                assert shown[-1] % FRAMES < (entry.num_frames or 0)
                assert label == entry.label
                seen[video_of(clip)] += 1
        assert seen == dict.fromkeys(range(VIDEOS), 3)

    def test_labels_by_name(self, folder: Path, records: Manifest) -> None:
        labels = ("still", "up", "left", "right")
        clips = stream_clips(folder, SAMPLING, batch_size=1, epochs=1, labels=labels)
        for batch, label in arrays(clips):
            name = records.labels[records.entries[video_of(batch[0])].label]
            assert labels[int(label[0])] == name
        with pytest.raises(ManifestError, match="class 'right' is not among"):
            stream_clips(folder, SAMPLING, batch_size=1, labels=("still", "left"))

    def test_a_function_of_the_seed(self, folder: Path) -> None:
        def run(seed: int) -> list[list[int]]:
            clips = stream_clips(folder, SAMPLING, batch_size=1, epochs=3, seed=seed)
            return [numbers(clip) for clip, _ in arrays(clips)]

        first = run(0)
        assert run(0) == first
        assert run(1) != first
        assert sorted(first[:VIDEOS]) != sorted(first[VIDEOS : 2 * VIDEOS]), "epochs are alike"

    def test_starts_cover_the_video(self, folder: Path) -> None:
        """As `dense_indices`: starts from 0 to num_frames - frames * stride, both included."""
        sampling = ClipSampling(4, stride=4)
        clips = stream_clips(folder, sampling, batch_size=1, epochs=30)
        starts: dict[int, set[int]] = {}
        for clip, _ in arrays(clips):
            starts.setdefault(video_of(clip), set()).add(numbers(clip)[0] % FRAMES)
        assert starts == {v: set(range(2 if v % 2 == 0 else 5)) for v in range(VIDEOS)}

    def test_past_the_end_the_last_frame_repeats(self, folder: Path) -> None:
        sampling = ClipSampling(4, stride=9)
        shown = numbers(arrays(stream_clips(folder, sampling, batch_size=1, epochs=1))[0][0])
        first = shown[0]
        last = first + (FRAMES if (first // FRAMES) % 2 else FRAMES - 3) - 1
        assert shown == [first, first + 9, last, last]

    def test_random_strides(self, folder: Path) -> None:
        sampling = ClipSampling(3, stride=4, random_stride=True)
        clips = stream_clips(folder, sampling, batch_size=1, epochs=12)
        strides = {np.diff(numbers(clip))[0] for clip, _ in arrays(clips)}
        assert strides == {1, 2, 3, 4}

    def test_crops_are_parts_of_the_frames(self, folder: Path, records: Manifest) -> None:
        sampling = ClipSampling(1, crop=(16, 24), flip=True)
        tops, flips = set(), set()
        for batch, _ in arrays(stream_clips(folder, sampling, batch_size=6, epochs=2)):
            for clip in batch:
                place = self.find(clip[0], records)
                tops.add(place[0])
                flips.add(place[1])
        assert len(tops) > 3
        assert flips == {False, True}

    @staticmethod
    def find(crop: np.ndarray, records: Manifest) -> tuple[int, bool]:
        """Where a crop is in TensorFlow's own decoding of some frame, and if it is mirrored."""
        for entry in records:
            for k in range(entry.num_frames or 0):
                frame = tf.io.decode_jpeg(entry.source.jpeg(k)).numpy()  # type: ignore[attr-defined]
                windows = np.lib.stride_tricks.sliding_window_view(frame, crop.shape)[:, :, 0]
                for flip in (False, True):
                    same = (windows == (crop[:, ::-1] if flip else crop)).all((-3, -2, -1))
                    if same.any():
                        return int(np.argwhere(same)[0, 0]), flip
        raise AssertionError("this crop is in no frame")

    def test_scaled(self, folder: Path, records: Manifest) -> None:
        sampling = ClipSampling(1, short_edge=(32, 48), crop=(32, 30))
        found = {True: 0, False: 0}
        for batch, _ in arrays(stream_clips(folder, sampling, batch_size=6, epochs=1)):
            for clip in batch:
                try:
                    self.find(clip[0], records)
                    found[True] += 1
                except AssertionError:  # of a larger picture
                    found[False] += 1
        assert min(found.values()) > 0
        whole = ClipSampling(2, short_edge=16)
        for batch, _ in arrays(stream_clips(folder, whole, batch_size=2, epochs=1)):
            assert batch.shape == (2, 2, 16, 64, 3)
            assert len(numbers(batch)) == 4

    def test_segments_span_the_video(self, folder: Path) -> None:
        """A frame of each, as `segment_indices`: every one is drawn sooner or later."""
        sampling = ClipSampling(3, sampler="segments")
        clips = stream_clips(folder, sampling, batch_size=1, epochs=40)
        seen: dict[tuple[int, int], set[int]] = {}
        for clip, _ in arrays(clips):
            for part, number in enumerate(numbers(clip)):
                seen.setdefault((video_of(clip), part), set()).add(number % FRAMES)
        for (video, part), frames in seen.items():
            count = FRAMES if video % 2 else FRAMES - 3
            drawn = {int(k / 60 * count / 3 + part * count / 3) for k in range(60)}
            assert frames <= drawn
            assert len(drawn - frames) <= 1, "one that lies in two segments is seldom drawn"

    def test_scaled_crops(self, folder: Path) -> None:
        """Of shares at most one step apart, of the largest 1:2 crop of 32x128."""
        sampling = ClipSampling(1, crop=(16, 32), crop_scales=(1.0, 0.5))
        clips = stream_clips(folder, sampling, batch_size=4, epochs=2)
        assert clips.element_spec[0] == tf.TensorSpec((4, 1, 16, 32, 3), tf.uint8)
        ops = stream_ops.ClipOps(sampling, 0, (16, 32), [0])
        sizes = set()
        for k in range(40):
            seed = tf.constant([k, 0], tf.int64)
            draws = tf.random.stateless_uniform([6], seed, dtype=tf.float64)
            frame = tf.constant([32, 128], tf.int64)
            top, left, tall, wide = ops.window(frame, draws, seed).numpy().tolist()
            assert top + tall <= 32
            assert left + wide <= 128
            sizes.add((tall, wide))
        assert sizes == {(32, 64), (32, 32), (16, 64), (16, 32)}
        assert len(arrays(clips)) == VIDEOS // 2

    def test_labels_with_a_direction_are_not_mirrored(self, tmp_path: Path) -> None:
        videos = dataclasses.replace(record_files.write_list(tmp_path / "videos"), directional=True)
        write_records(tmp_path / "records", videos)
        assert read_records(tmp_path / "records").directional
        sampling = ClipSampling(2, flip=True)
        with pytest.raises(ValueError, match=r"records: its labels have a direction"):
            stream_clips(tmp_path / "records", sampling, batch_size=1)
        meant = dataclasses.replace(sampling, flip_directional=True)
        assert len(arrays(stream_clips(tmp_path / "records", meant, batch_size=6, epochs=1))) == 1

    def test_no_end(self, folder: Path) -> None:
        clips = stream_clips(folder, SAMPLING, batch_size=4)
        assert sum(1 for _ in clips.take(VIDEOS)) == VIDEOS

    def test_damage_is_an_error(self, folder: Path, tmp_path: Path) -> None:
        for file in folder.iterdir():
            data = bytearray(file.read_bytes())
            if file.suffix == ".tfrecord":
                data[len(data) // 3] ^= 1
            (tmp_path / file.name).write_bytes(data)
        with pytest.raises(tf.errors.DataLossError):
            arrays(stream_clips(tmp_path, SAMPLING, batch_size=1, epochs=1))

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"batch_size": 0}, "at least 1"),
            ({"batch_size": 1, "epochs": 0}, "at least 1"),
            ({"batch_size": 1, "shuffle_buffer": 0}, "at least 1"),
            ({"batch_size": 2 * VIDEOS + 1, "epochs": 2}, "only 12 clips"),
        ],
    )
    def test_bad_arguments(self, folder: Path, options: dict[str, int], match: str) -> None:
        with pytest.raises(ValueError, match=match):
            stream_clips(folder, SAMPLING, **options)  # type: ignore[arg-type]

    def test_it_can_do_all_samplings(self) -> None:
        assert {f.name for f in dataclasses.fields(ClipSampling)} == stream_ops._DONE_HERE

    def test_a_record_without_times(self) -> None:
        """As older versions wrote them."""
        made = pack([jpeg(draw(1)[0])] * 2, labels=[0], name="old", size=(48, 64))
        ops = ClipOps(ClipSampling(frames=2, fps=5), 0, (48, 64), [0])
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)old.*--source_fps"):
            ops.clip(tf.constant(0, tf.int64), tf.constant(made.data))

    def test_samplings_it_cannot_do_are_refused(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream_ops, "_DONE_HERE", stream_ops._DONE_HERE - {"flip"})
        with pytest.raises(ValueError, match=r"does not support ClipSampling\(flip=True\)"):
            stream_clips(folder, ClipSampling(4, flip=True), batch_size=1)
        stream_clips(folder, ClipSampling(4), batch_size=1)

    def test_videos_of_two_sizes(self, folder: Path, tmp_path: Path) -> None:
        shutil.copytree(folder, tmp_path / "records")
        index = json.loads((folder / "index.json").read_text())
        index["records"][1][index["fields"].index("height")] = 64
        (tmp_path / "records" / "index.json").write_text(json.dumps(index))
        with pytest.raises(ManifestError, match=r"records: its videos give clips of 2 sizes"):
            stream_clips(tmp_path / "records", SAMPLING, batch_size=1)

    def test_no_records(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match="vdroppath convert"):
            stream_clips(tmp_path, SAMPLING, batch_size=1)


def network(sampling: ClipSampling) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((sampling.frames, 32, 128, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


def seen_by(clips: tf.data.Dataset) -> Counter[int]:
    return Counter(video_of(clip) for batch, _ in arrays(clips) for clip in batch)


class TestService:
    def test_two_workers_share_the_videos(self, folder: Path) -> None:
        dispatcher = kept(start_dispatcher())
        address = dispatcher.target
        for _ in range(2):
            kept(start_worker(address))
        clips = stream_clips(folder, SAMPLING, batch_size=1, epochs=2, service=address)
        assert seen_by(clips) == dict.fromkeys(range(VIDEOS), 2)

    def test_a_taken_port(self) -> None:
        dispatcher = kept(start_dispatcher())
        port = int(dispatcher.target.rpartition(":")[2])
        with pytest.raises(OSError, match=f"port {port}: cannot be used"):
            start_worker(dispatcher.target, port)
        with pytest.raises(OSError, match=f"port {port}: cannot be used"):
            start_dispatcher(port)

    @pytest.fixture
    def servers(self) -> Iterator[str]:
        """A dispatcher and a worker as a user starts them, in processes of their own."""
        running: list[subprocess.Popen[str]] = []

        def start(*options: str) -> str:
            command = [sys.executable, "-m", "vdroppath_tf", "dataservice", *options]
            running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            assert running[-1].stderr is not None
            for line in running[-1].stderr:
                if found := re.match(r"(Dispatcher|Worker) .*?((grpc://)?localhost:\d+)", line):
                    return found[2]
            raise AssertionError(f"{options}: ended with {running[-1].wait()}")

        try:
            address = start("--host=localhost")
            start(f"--dispatcher={address}")
            yield address
        finally:
            for process in running:
                process.terminate()
                process.communicate()

    @pytest.mark.slow
    def test_fit_on_clips_of_other_processes(self, folder: Path, servers: str) -> None:
        clips = stream_clips(folder, SAMPLING, batch_size=2, epochs=2, service=servers)
        assert seen_by(clips).keys() <= set(range(VIDEOS))
        endless = stream_clips(folder, SAMPLING, batch_size=2, service=servers)
        history = network(SAMPLING).fit(endless, steps_per_epoch=5, epochs=2, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
        assert len(history.history["loss"]) == 2


@pytest.mark.parametrize("before", [b"", bytes.fromhex("ffe000104a46494600010100000100010000")])
def test_turned_pictures_are_refused_in_the_graph(before: bytes) -> None:
    """Records of somebody else: TensorFlow's operations would leave their frames turned."""
    pictures = [jpeg(frame, tiff(6)) for frame in draw(2)]
    pictures = [picture[:2] + before + picture[2:] for picture in pictures]
    made = pack(pictures, labels=[0], name="somebody's", size=(48, 64), fps=None)
    ops = ClipOps(ClipSampling(frames=2), 0, (48, 64), [0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)somebody's.*EXIF"):
        ops.clip(tf.constant(0, tf.int64), tf.constant(made.data))


def test_square_pixels_are_those_of_the_conversion(folder: Path) -> None:
    sampling = ClipSampling(frames=2, square_pixels=True)
    with pytest.raises(ValueError, match="--square_pixels"):
        stream_clips(folder, sampling, batch_size=2)

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import barcode
import keras
import numpy as np
import pytest
import tensorflow as tf

import vdroppath_tf
from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import (
    ClipSampling,
    FaultLog,
    VideoCache,
    evaluation_clips,
    training_clips,
    video_errors,
)
from vdroppath_tf.data.sources.decode import VideoError, read_frames
from vdroppath_tf.data.sources.encode import write_video

VIDEOS, FRAMES, BATCH = 11, 12, 3
STEPS = VIDEOS // BATCH
SAMPLING = ClipSampling(4, stride=2, random_stride=True, short_edge=(24, 28), crop=20, flip=True)
Pair = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    lines = []
    for k in range(VIDEOS):
        coarse = rng.integers(0, 256, (FRAMES, 4, 6, 3), np.uint8)
        write_video(folder / f"{k}.mp4", coarse.repeat(8, 1).repeat(8, 2))
        lines.append(f"{k}.mp4 {FRAMES} {k}\n")
    (folder / "list.txt").write_text("".join(lines))
    return open_manifest(folder / "list.txt")


def arrays(clips: tf.data.Dataset) -> list[Pair]:
    return [(c.numpy(), y.numpy()) for c, y in clips]


def equal(first: list[Pair], second: list[Pair]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])
        for a, b in zip(first, second, strict=True)
    )


def eager(manifest: Manifest, epoch: int, seed: int = 0) -> list[Pair]:
    loader = ClipLoader(manifest, SAMPLING, cache=VideoCache(), workers=1)
    return [loader.training_batch(seed, epoch, step, BATCH) for step in range(STEPS)]


class TestTraining:
    def test_spec(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(epochs=2))
        spec = (
            tf.TensorSpec((BATCH, 4, 20, 20, 3), tf.uint8),
            tf.TensorSpec((BATCH,), tf.int64),
        )
        assert clips.element_spec == spec
        assert int(clips.cardinality()) == 2 * STEPS
        endless = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(epochs=None))
        assert endless.cardinality() == tf.data.INFINITE_CARDINALITY

    def test_equals_eager(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(epochs=2))
        assert equal(arrays(clips), eager(manifest, 0) + eager(manifest, 1))

    def test_every_video_at_most_once_an_epoch(self, manifest: Manifest) -> None:
        labels = np.concatenate([y for _, y in eager(manifest, 0)])
        assert len(set(labels.tolist())) == STEPS * BATCH

    def test_each_pass_is_the_next_epoch(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(first_epoch=5))
        for epoch in (5, 6, 7):
            assert equal(arrays(clips), eager(manifest, epoch))

    def test_a_look_is_no_pass(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH)
        for _ in range(3):
            next(iter(clips))
        assert equal(arrays(clips), eager(manifest, 0))

    def test_threads_and_cache_change_nothing(self, manifest: Manifest) -> None:
        expected = eager(manifest, 0) + eager(manifest, 1)
        for parallel, room in [(1, 0), (5, 0), (2, 1 << 26), (3, 40_000)]:
            clips = training_clips(
                manifest,
                SAMPLING,
                batch_size=BATCH,
                order=ClipOrder(epochs=2),
                num_parallel=parallel,
                cache_bytes=room,
            )
            assert equal(arrays(clips), expected)

    def test_hosts_together_see_what_one_would(self, manifest: Manifest) -> None:
        whole = eager(manifest, 0) + eager(manifest, 1)
        parts = [
            arrays(training_clips(manifest, SAMPLING, batch_size=BATCH, order=order))
            for order in (ClipOrder(epochs=2, shard=(i, BATCH)) for i in range(BATCH))
        ]
        together = [
            (np.concatenate([c for c, _ in rows]), np.concatenate([y for _, y in rows]))
            for rows in zip(*parts, strict=True)
        ]
        assert equal(together, whole)

    @pytest.mark.parametrize("shard", [(2, 2), (-1, 3), (0, 0), (0, 2)])
    def test_shards_that_cannot_be(self, manifest: Manifest, shard: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match="shard"):
            training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(shard=shard))

    def test_mixing_needs_whole_batches(self, manifest: Manifest) -> None:
        order, mixed = ClipOrder(shard=(0, 2)), Augmentation(mixup=0.2)
        with pytest.raises(ValueError, match=r"work on whole batches; .* shard \(0, 2\)"):
            training_clips(manifest, SAMPLING, batch_size=2, order=order, augment=mixed)

    def test_resuming_is_the_tail_of_the_whole(self, manifest: Manifest) -> None:
        whole = eager(manifest, 0, seed=7) + eager(manifest, 1, seed=7) + eager(manifest, 2, seed=7)
        for epoch, step in itertools.product(range(2), range(STEPS)):
            tail = whole[epoch * STEPS + step :][:4]
            clips = training_clips(
                manifest,
                SAMPLING,
                batch_size=BATCH,
                order=ClipOrder(7, None, epoch, step),
            )
            assert equal(arrays(clips.take(len(tail))), tail)

    def test_part_of_an_epoch_once(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(first_step=1))
        assert int(clips.cardinality()) == STEPS - 1
        assert equal(arrays(clips), eager(manifest, 0)[1:])
        with pytest.raises(tf.errors.InvalidArgumentError, match="can be read only once"):
            arrays(clips)

    def test_seed_and_epoch_change_clips(self, manifest: Manifest) -> None:
        runs = [eager(manifest, e, s)[0][0].tobytes() for e in range(3) for s in range(3)]
        assert len(set(runs)) == 9

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"batch_size": VIDEOS + 1}, f"1 to {VIDEOS}, the number of videos"),
            ({"batch_size": 0}, "batch_size"),
            ({"batch_size": BATCH, "order": ClipOrder(first_step=STEPS)}, "first_step"),
            ({"batch_size": BATCH, "num_parallel": 0}, "num_parallel"),
            ({"batch_size": BATCH, "cache_bytes": -1}, "max_bytes"),
        ],
    )
    def test_bad_arguments(self, manifest: Manifest, arguments: dict[str, Any], match: str) -> None:
        with pytest.raises(ValueError, match=match):
            training_clips(manifest, SAMPLING, **arguments)
        with pytest.raises(ValueError, match="no video is selected"):
            training_clips(manifest.select([]), SAMPLING, batch_size=1)

    @pytest.mark.parametrize("numbers", [{"first_epoch": -1}, {"epochs": 0}])
    def test_orders_that_cannot_be(self, numbers: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(numbers))):
            ClipOrder(**numbers)


class TestEvaluation:
    def test_every_video_once_in_order(self, manifest: Manifest) -> None:
        sampling = ClipSampling(4, stride=2)
        clips = evaluation_clips(manifest, sampling, batch_size=4)
        assert int(clips.cardinality()) == 3
        batches = arrays(clips)
        assert [len(y) for _, y in batches] == [4, 4, 3]
        assert np.concatenate([y for _, y in batches]).tolist() == list(range(VIDEOS))
        assert equal(batches, arrays(clips))
        expected = read_frames(manifest.entries[5].path, [2, 4, 6, 8])
        assert np.array_equal(batches[1][0][1], expected)

    def test_scaled_centre_crop(self, manifest: Manifest) -> None:
        sampling = ClipSampling(1, short_edge=16, crop=(8, 10), flip=True)
        [(clips, _), *_] = arrays(evaluation_clips(manifest, sampling, batch_size=4))
        expected = read_frames(manifest.entries[3].path, [5], short_edge=16)
        assert np.array_equal(clips[3], expected[:, 4:12, 7:17])

    def test_clips_of_a_test_video_are_adjacent(self, manifest: Manifest) -> None:
        sampling = ClipSampling(2, clips_per_video=3)
        clips = evaluation_clips(manifest, sampling, batch_size=6, split="test")
        batches = arrays(clips)
        assert int(clips.cardinality()) == len(batches) == 6
        labels = np.concatenate([y for _, y in batches])
        assert labels.tolist() == np.repeat(np.arange(VIDEOS), 3).tolist()
        frames = read_frames(manifest.entries[1].path, [5, 6])
        assert np.array_equal(batches[0][0][4], frames)

    def test_bad_arguments(self, manifest: Manifest) -> None:
        with pytest.raises(ValueError, match="multiple of the 2 clips"):
            evaluation_clips(
                manifest, ClipSampling(2, clips_per_video=2), batch_size=3, split="test"
            )
        with pytest.raises(ValueError, match="'train'"):
            evaluation_clips(manifest, ClipSampling(2), batch_size=3, split="train")
        with pytest.raises(ValueError, match="evaluation is not random"):
            evaluation_clips(manifest, SAMPLING, batch_size=3)


class TestCache:
    def test_bound(self, manifest: Manifest) -> None:
        one = FRAMES * 32 * 48 * 3
        cache = VideoCache(3 * one + 5)
        for _ in range(2):
            arrays(evaluation_clips(manifest, ClipSampling(2), batch_size=4, cache_bytes=cache))
            assert cache.used_bytes == 3 * one

    def test_each_video_is_decoded_once(
        self, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from vdroppath_tf.data.sources import video as video_file

        paths: list[str] = []

        def spy(path: str, *args: object, **kwargs: object) -> np.ndarray:
            paths.append(path)
            return read_frames(path, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(video_file, "read_frames", spy)
        cache = VideoCache(1 << 26)
        sampling = ClipSampling(4, short_edge=24, crop=20)
        for _ in range(2):
            arrays(training_clips(manifest, sampling, batch_size=VIDEOS, cache_bytes=cache))
            arrays(evaluation_clips(manifest, sampling, batch_size=4, cache_bytes=cache))
        assert sorted(paths) == sorted(e.path for e in manifest)


class TestGone:
    """TensorFlow keeps each function that a data set calls, which must not keep the videos."""

    @pytest.mark.parametrize("make", [training_clips, evaluation_clips])
    def test_with_its_data_set(self, manifest: Manifest, make: Any) -> None:
        cache = VideoCache(10**9)
        clips = make(manifest, ClipSampling(8), batch_size=2, cache_bytes=cache)
        first = next(iter(clips))[0].numpy()
        later = iter(clips.map(lambda clip, label: (clip, label)).prefetch(1))
        kept = weakref.ref(cache)
        del clips, cache
        gc.collect()
        assert next(later)[0].shape == first.shape  # an iterator keeps what it reads
        assert kept() is not None
        del later
        gc.collect()
        assert kept() is None


def tiny_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((4, 20, 20, 3)),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(VIDEOS),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


class TestKeras:
    def test_fit_moves_on_by_its_epochs(self, manifest: Manifest) -> None:
        clips = training_clips(manifest, SAMPLING, batch_size=BATCH)
        tiny_model().fit(clips, epochs=3, verbose=0, shuffle=False)
        assert equal(arrays(clips), eager(manifest, 3))

    def test_two_replicas(self, manifest: Manifest) -> None:
        code = Path(__file__).parents[1] / "two_replicas.py"
        env = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        run = subprocess.run(
            [sys.executable, "-W", "error", str(code), manifest.source],
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        assert run.stdout.splitlines()[-1] == "same"


class TestBadVideos:
    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Manifest:
        for k in range(4):
            path = barcode.write(tmp_path / f"{k}.mp4", FRAMES)
        path.write_bytes(path.read_bytes()[:-900])
        (tmp_path / "list.txt").write_text("".join(f"{k}.mp4 12 {k}\n" for k in range(4)))
        return open_manifest(tmp_path / "list.txt")

    def test_iterating(self, damaged: Manifest) -> None:
        sampling = ClipSampling(4, crop=20)
        for clips in (
            training_clips(damaged, sampling, batch_size=2, faults=FaultLog(0)),
            evaluation_clips(damaged, sampling, batch_size=2),
        ):
            with pytest.raises(
                tf.errors.InvalidArgumentError, match=r"VideoError: .*3\.mp4: is cut"
            ):
                arrays(clips)
            with pytest.raises(VideoError) as caught, video_errors():
                arrays(clips)
            assert str(caught.value).startswith(damaged.entries[3].path)
            assert str(caught.value).endswith("take it off the list.")

    def test_fit(self, damaged: Manifest) -> None:
        sampling = ClipSampling(4, crop=20)
        clips = training_clips(damaged, sampling, batch_size=2, faults=FaultLog(0))
        with pytest.raises(VideoError, match=r"3\.mp4: is cut short: .* list\.$"), video_errors():
            tiny_model().fit(clips, verbose=0, shuffle=False)

    def test_other_errors_pass(self) -> None:
        with pytest.raises(tf.errors.NotFoundError), video_errors():
            tf.io.read_file("/no/such/file")

    def test_fewer_frames_than_listed(self, manifest: Manifest, tmp_path: Path) -> None:
        barcode.write(tmp_path / "a.mp4", 5)
        (tmp_path / "list.txt").write_text("a.mp4 6 0\n")
        clips = training_clips(open_manifest(tmp_path / "list.txt"), ClipSampling(2), batch_size=1)
        match = r"holds 5 frames, but .*list\.txt:1 lists 6"
        with pytest.raises(VideoError, match=match), video_errors():
            arrays(clips)

    def test_frames_of_two_sizes(self, tmp_path: Path) -> None:
        for name, side in (("a", 32), ("b", 48)):
            (tmp_path / name).mkdir()
            write_video(tmp_path / name / "x.mp4", np.zeros((3, side, 32, 3), np.uint8))
        manifest = open_manifest(tmp_path)
        clips = evaluation_clips(manifest, ClipSampling(2), batch_size=1)
        match = r"b/x\.mp4 .* 32x48, but .*a/x\.mp4 are 32x32"
        with pytest.raises(VideoError, match=match), video_errors():
            arrays(clips)


def test_only_the_pipeline_imports_tensorflow() -> None:
    # The package root may import TensorFlow: a bare parent stands in for it.
    code = """
import sys, types
package = types.ModuleType("vdroppath_tf")
package.__path__ = [sys.argv[1]]
sys.modules["vdroppath_tf"] = package
import vdroppath_tf.data.catalog, vdroppath_tf.data.clips.positions
import vdroppath_tf.data.sources.decode
import vdroppath_tf.data.sources.encode, vdroppath_tf.data.clips.loader
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
rooms = {m.split(".")[1] for m in sys.modules if m.startswith("vdroppath_tf.")}
others = rooms - {"argument_kinds", "brief", "data", "files", "names", "ranges"}
assert not others, others
"""
    package = Path(vdroppath_tf.__file__).parent
    subprocess.run([sys.executable, "-c", code, str(package)], check=True, timeout=60)

"""score_videos: accuracies by hand, their denominators, and what a result holds."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf.commands import class_files
from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.pipeline import evaluation_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.scoring.video_scores import VideoScores
from vdroppath_tf.scoring.videos import mean_over_views, score_videos

CLASSES, FRAMES = 6, 12
SAMPLING = ClipSampling(4, short_edge=20, crop=16)
WEIGHTS = np.random.default_rng(1).normal(0, 0.05, (9, CLASSES))


def network(clips: np.ndarray) -> np.ndarray:
    """Probabilities that depend on time and place."""
    features = [clips.mean((1, 2, 3)), clips[:, 0, 0, 0], clips[:, -1, -1, -1]]
    logits = np.concatenate(features, 1) @ WEIGHTS
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return (odds / odds.sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    for k in range(5):
        coarse = rng.integers(0, 256, (FRAMES, 4, 7, 3), np.uint8)
        write_video(folder / f"{k}.mp4", coarse.repeat(4, 1).repeat(4, 2))
    (folder / "list.txt").write_text("".join(f"{k}.mp4 {FRAMES} {k}\n" for k in range(5)))
    return folder


def names() -> tuple[str, ...]:
    return tuple("abcdef")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> Manifest:
    return open_manifest(folder / "list.txt", labels=names())


def test_ten_clips_by_three_crops_by_hand(manifest: Manifest) -> None:
    scores = score_videos(network, manifest, SAMPLING, PROTOCOLS["10x3"], batch_size=64)
    expected = []
    for entry in manifest:
        frames = entry.source.read(range(FRAMES))  # 16x28: the crop's height already
        views = [
            frames[start : start + 4, :, left : left + 16]
            for start in (0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
            for left in (0, 6, 12)
        ]
        expected.append(network(np.stack(views)).mean(0))
    np.testing.assert_allclose(scores.probabilities, expected, atol=1e-6)
    assert scores.truths.tolist() == [0, 1, 2, 3, 4]
    ranked = np.argsort(-np.array(expected), 1)
    assert scores.top1 == np.mean(ranked[:, 0] == range(5))
    assert scores.top5 == np.mean([k in row[:5] for k, row in enumerate(ranked)])


def test_the_network_sees_few_clips_at_a_time(manifest: Manifest) -> None:
    seen = []

    def watched(clips: np.ndarray) -> np.ndarray:
        seen.append(len(clips))
        return network(clips)

    done: list[int] = []
    options: dict[str, Any] = {"sampling": SAMPLING, "protocol": PROTOCOLS["10x3"]}
    small = score_videos(watched, manifest, **options, batch_size=7, on_video=done.append)
    assert seen == [7, 7, 7, 7, 2] * 5
    assert done == [1] * 5
    large = score_videos(network, manifest, **options, batch_size=100)
    np.testing.assert_allclose(small.probabilities, large.probabilities, atol=1e-6)


def test_one_view_is_plain_evaluation(motion: Any) -> None:
    keras.utils.set_random_seed(2)
    model, videos = tiny.derived("S ST S+ST", 4), motion.manifest("test")
    sampling = ClipSampling(3)  # of 4 frames
    scores = score_videos(model, videos, sampling, PROTOCOLS["paper-1clip"], batch_size=3)
    clips = evaluation_clips(videos, sampling, batch_size=8, faults=FaultLog(0.0))
    softmax = keras.ops.softmax(model.predict(clips, verbose=0))
    np.testing.assert_allclose(scores.probabilities, softmax, atol=1e-6)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    plain = model.evaluate(clips, verbose=0, return_dict=True)
    assert scores.top1 == pytest.approx(plain["accuracy"])


def test_mean_over_views() -> None:
    flat = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])
    assert mean_over_views(flat, 2).tolist() == [[0.5, 0.5], [0.375, 0.625]]
    assert mean_over_views(flat, 1).tolist() == flat.tolist()


def test_what_cannot_be_read_leaves_the_denominator(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "2.mp4").write_bytes(b"no video")
    manifest = open_manifest(copy / "list.txt", labels=names())
    one_clip = PROTOCOLS["paper-1clip"]
    scores = score_videos(network, manifest, SAMPLING, one_clip, faults=FaultLog(0.5))
    assert scores.truths.tolist() == [0, 1, 3, 4]
    assert [Path(video).name for video in scores.videos] == ["0.mp4", "1.mp4", "3.mp4", "4.mp4"]
    assert (scores.scored, scores.account()) == (4, "4 of 5 videos")
    data = scores.fields()["data"]
    assert (data["listed"], data["scored"]) == (5, 4)
    whole = open_manifest(folder / "list.txt", labels=names()).select([0, 1, 3, 4])
    same = score_videos(network, whole, SAMPLING, one_clip)
    assert np.array_equal(same.probabilities, scores.probabilities)
    with pytest.raises(VideoError, match=r"2\.mp4"):
        score_videos(network, manifest, SAMPLING, one_clip, faults=FaultLog(0.0))


def test_bad_arguments(manifest: Manifest) -> None:
    one_clip = PROTOCOLS["paper-1clip"]
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        score_videos(network, manifest, SAMPLING, one_clip, batch_size=0)
    with pytest.raises(ValueError, match=r"0\.mp4: the network's answer is not a number"):
        score_videos(lambda clips: network(clips) * np.nan, manifest, SAMPLING, one_clip)
    with pytest.raises(ValueError, match=r"has 6 classes\. Expected the 5 of the network"):
        score_videos(lambda clips: network(clips)[:, :5], manifest, SAMPLING, one_clip)


@pytest.fixture
def scores(manifest: Manifest) -> VideoScores:
    answers = [0, 1, 2, 1, 1, 2, 0, 2]
    probabilities = np.full((8, CLASSES), 0.1, np.float32)
    probabilities[range(8), answers] = 0.5
    entries = (manifest.entries * 2)[:8]
    return VideoScores(
        PROTOCOLS["paper-2clip"],
        SAMPLING,
        dataclasses.replace(manifest, entries=(*entries, *entries[:2])),
        videos=tuple(f"{k}.mp4" for k in range(8)),
        truths=np.array([0, 1, 1, 2, 2, 3, 3, 5]),
        probabilities=probabilities,
    )


class TestVideoScores:
    def test_shares(self, scores: VideoScores) -> None:
        assert scores.top1 == 2 / 8
        # of equals the first classes count, so class 5 is the one that five leave out
        assert scores.top5 == 7 / 8
        assert scores.standard_error(scores.top1) == math.sqrt(0.25 * 0.75 / 8)

    def test_classes_and_confusions(self, scores: VideoScores) -> None:
        assert [(c["name"], c["videos"], c["top1"]) for c in scores.per_class()] == [
            ("a", 1, 1.0),
            ("b", 2, 0.5),
            ("c", 2, 0.0),
            ("d", 2, 0.0),
            ("e", 0, None),
            ("f", 1, 0.0),
        ]
        found = [(c["truth"], c["answer"], c["videos"]) for c in scores.confusions()]
        assert found == [
            ("c", "b", 2),
            ("b", "c", 1),
            ("d", "a", 1),
            ("d", "c", 1),
            ("f", "c", 1),
        ]
        assert len(scores.confusions(2)) == 2

    def test_the_files_of_classes_of_videos_with_several(
        self, scores: VideoScores, tmp_path: Path
    ) -> None:
        """A line for each class has its average precision, and there are no confusions."""
        truths = np.eye(CLASSES, dtype=np.float32)[scores.truths]
        truths[0, 1] = 1.0
        videos = dataclasses.replace(scores.manifest, multi_label=True)
        several = dataclasses.replace(scores, manifest=videos, truths=truths)
        class_files.write(several, confusion=None, per_class=str(tmp_path / "classes.csv"))
        with open(tmp_path / "classes.csv", newline="") as file:
            lines = list(csv.DictReader(file))
        assert [line["videos"] for line in lines] == ["1", "3", "2", "2", "0", "1"]
        assert [line["correct"] for line in lines] == [""] * CLASSES
        for line, known in zip(lines, several.per_class(), strict=True):
            assert line["average_precision"] == str(known["average_precision"] or "")
        with pytest.raises(ValueError, match="no confusion matrix for videos with several classes"):
            class_files.write(several, confusion=str(tmp_path / "c.csv"), per_class=None)
        assert not (tmp_path / "c.csv").exists()

    def test_json(self, scores: VideoScores) -> None:
        fields = json.loads(json.dumps(scores.fields(), allow_nan=False))
        assert fields["format"] == "vdroppath_tf.test/1"
        assert fields["protocol"] == {
            "name": "paper-2clip",
            "clips": 2,
            "crops": 1,
            "averaging": "mean softmax",
        }
        assert (fields["data"]["listed"], fields["data"]["scored"]) == (10, 8)
        assert fields["top1_standard_error"] == scores.standard_error(0.25)

    def test_arrays_need_no_pickle(self, scores: VideoScores, tmp_path: Path) -> None:
        scores.save_arrays(tmp_path / "scores.npz")
        assert [path.name for path in tmp_path.iterdir()] == ["scores.npz"]
        with np.load(tmp_path / "scores.npz", allow_pickle=False) as arrays:
            assert tuple(arrays["videos"].tolist()) == scores.videos
            assert tuple(arrays["classes"].tolist()) == names()
            assert np.array_equal(arrays["labels"], scores.truths)
            assert np.array_equal(arrays["probabilities"], scores.probabilities)

    def test_numbers_must_agree(self, scores: VideoScores) -> None:
        with pytest.raises(ValueError, match="8 answers, 7 labels and 8 videos"):
            dataclasses.replace(scores, truths=scores.truths[:7])


def test_the_hash_is_of_the_data_not_of_its_place(folder: Path, tmp_path: Path) -> None:
    manifest = open_manifest(folder / "list.txt", labels=names())
    copy = shutil.copytree(folder, tmp_path / "copy")
    moved = open_manifest(copy / "list.txt", labels=names())
    assert moved.digest() == manifest.digest()
    others = [
        manifest.select([0, 1, 2]),
        manifest.select([1, 0, 2, 3, 4]),
        dataclasses.replace(manifest, labels=tuple("fedcba")),
        open_manifest(folder / "list.txt"),
    ]
    assert len({each.digest() for each in (manifest, *others)}) == 5

"""Answers of a SavedModel for video files, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import read_frames
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.derivation import derive
from vdroppath_tf.serving.beside import read_sampling, write_sampling
from vdroppath_tf.serving.export import export_saved_model
from vdroppath_tf.serving.predict import ServedModel

SAMPLING = ClipSampling(4, 2, short_edge=24, crop=(16, 20), clips_per_video=3)
LABELS = ("right", "left", "down", "up")


@pytest.fixture(scope="module")
def network() -> Any:
    return derive(tiny.template(num_train_examples=10), "S ST S+ST")


@pytest.fixture(scope="module")
def served(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Change nothing of it: copy it."""
    path = export_saved_model(network, tmp_path_factory.mktemp("served") / "1", labels=LABELS)
    write_sampling(path, SAMPLING)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "a film.mp4"
    write_video(path, np.random.default_rng(0).integers(0, 256, (30, 24, 32, 3), np.uint8))
    return path


def test_an_answer_is_the_mean_over_the_clips_of_a_video(
    served: Path, network: Any, video: Path
) -> None:
    (answer,) = ServedModel(served).predict([video])
    clips = []
    for start in (0, 11, 22):  # of 30 frames, 8 in a clip
        frames = read_frames(video, [start, start + 2, start + 4, start + 6], short_edge=24)
        clips.append(frames[:, 4:20, 6:26])
    expected = tf.nn.softmax(network(np.stack(clips), training=False)).numpy().mean(0)
    found = [answer.probabilities[name] for name in LABELS]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert answer.file == str(video)
    assert answer.label == LABELS[int(expected.argmax())]
    assert list(answer.probabilities.values()) == sorted(found, reverse=True)


def test_the_sampling_travels_with_the_model(served: Path, video: Path) -> None:
    assert read_sampling(served) == SAMPLING
    assert ServedModel(served).sampling == SAMPLING
    other = ClipSampling(4)
    assert ServedModel(served, other).sampling == other


def test_a_damaged_video_is_named_and_the_ones_before_it_answered(
    served: Path, video: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(video.read_bytes()[:300])
    answers = ServedModel(served).predict([video, bad])
    assert next(answers).file == str(video)
    with pytest.raises(VideoError, match=r"bad\.mp4: is cut short"):
        next(answers)


def test_clips_of_another_kind_are_refused(served: Path) -> None:
    model = ServedModel(served)
    clips = np.zeros((1, 4, 16, 16, 3), np.uint8)
    assert model.probabilities(clips).shape == (1, 4)
    for bad, found in (
        (clips[0], r"uint8 of shape \(4, 16, 16, 3\)"),
        (clips[..., :1], r"uint8 of shape \(1, 4, 16, 16, 1\)"),
        (clips.astype("float32"), r"float32 of shape"),
    ):
        with pytest.raises(ValueError, match=rf"^Clips must be RGB, uint8 .* Received: {found}"):
            model.probabilities(bad)


def test_a_folder_that_is_no_such_model(served: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing holds no SavedModel \(saved_model\.pb\)"):
        ServedModel(tmp_path / "nothing")
    module = tf.Module()
    module.f = tf.function(lambda: {"x": tf.constant(1)}, input_signature=[])
    tf.saved_model.save(module, str(tmp_path / "other"), {"serving_default": module.f})
    with pytest.raises(ValueError, match=r"other: the SavedModel has no signature \['labels'\]"):
        ServedModel(tmp_path / "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"clip\.json is missing: .* vdroppath export"),
        ("{", r"clip\.json: .*Not JSON"),
        ('{"format": "vdroppath_tf.clip/2", "sampling": {}}', r"clip\.json: .*newer vdroppath_tf"),
        ('{"format": "vdroppath_tf.clip/1", "sampling": 4}', r"clip\.json: "),
        ('{"format": "vdroppath_tf.clip/1", "sampling": {"framse": 4}}', "framse"),
        ('{"format": "vdroppath_tf.clip/1", "sampling": {"frames": 0}}', "frames must be"),
    ],
)
def test_a_sampling_that_is_none(
    served: Path, tmp_path: Path, text: str | None, message: str
) -> None:
    copy = tmp_path / "1"
    shutil.copytree(served, copy)
    beside = copy / "assets.extra" / "clip.json"
    assert json.loads(beside.read_text())["format"] == "vdroppath_tf.clip/1"
    if text is None:
        beside.unlink()
    else:
        beside.write_text(text)
    with pytest.raises(ValueError, match=message):
        ServedModel(copy)

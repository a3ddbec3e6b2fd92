"""What the signatures of an exported network make of videos, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.data.clips.positions import dense_indices, segment_indices
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.records.framing import record_places
from vdroppath_tf.data.records.wire import fields
from vdroppath_tf.data.sources.resize import resize_frames
from vdroppath_tf.files import sha256_of
from vdroppath_tf.serving import export_saved_model, load_artefact
from vdroppath_tf.serving.beside import read_manifest
from vdroppath_tf.serving.checking import Reference
from vdroppath_tf.serving.views import Views

SAMPLING = ClipSampling(4, 2, short_edge=40, crop=32, clips_per_video=3)
LABELS = ["right", "left", "down", "up", "still"]


def smooth(time: int, height: int, width: int, batch: int = 2) -> np.ndarray:
    """Videos that scaling does not depend on the details of."""
    b, t, y, x = np.mgrid[:batch, :time, :height, :width]
    waves = [np.sin((x + 5 * t + 9 * b) / 9 + c) * np.cos((y - 3 * t) / 7) for c in range(3)]
    return (127 + 100 * np.stack(waves, -1)).astype(np.uint8)


@pytest.fixture(scope="module")
def network() -> Any:
    return rows.randomized(rows.built("tiny", strategy="S+ST ST"))


@pytest.fixture(scope="module")
def served(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Change nothing of it: copy it."""
    folder = tmp_path_factory.mktemp("served") / "1"
    about = {"recipe": {"network": "tiny"}}
    return export_saved_model(network, folder, labels=LABELS, sampling=SAMPLING, about=about)


@pytest.fixture(scope="module")
def loaded(served: Path) -> Any:
    return tf.saved_model.load(str(served))


@pytest.fixture(scope="module")
def serve(loaded: Any) -> Callable[..., dict[str, np.ndarray]]:
    def call(name: str, **inputs: Any) -> dict[str, np.ndarray]:
        given = {key: tf.constant(value) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in loaded.signatures[name](**given).items()}

    return call


def test_a_video_of_any_size_is_scaled_and_cropped_as_in_evaluation(
    serve: Any, network: Any
) -> None:
    """And the answer is the mean over its clips, spread evenly over the frames."""
    video = smooth(12, 60, 90)
    found = serve("serving_default", video=video)
    answers, logits = [], []
    for start in (0, 4, 8):
        frames = [resize_frames(one[start : start + 4], 40, 60) for one in video]
        clips = np.stack(frames)[:, :, 4:36, 14:46]
        logits.append(network(clips, training=False).numpy())
        answers.append(tf.nn.softmax(logits[-1]).numpy())
    np.testing.assert_allclose(found["probabilities"], np.mean(answers, 0), atol=2e-2)
    np.testing.assert_allclose(found["logits"], np.mean(logits, 0), atol=1e-1)
    order = np.argsort(-found["probabilities"], 1)
    assert found["top_labels"].tolist() == [[LABELS[k].encode() for k in row] for row in order]
    assert (np.diff(found["top_scores"]) <= 0).all()


def test_one_clip_is_answered_as_it_is(serve: Any) -> None:
    clips = smooth(4, 32, 32)
    direct = serve("clips", clips=clips)["logits"]
    scaled = serve("serving_default", video=smooth(4, 40, 40)[:, :, 4:36, 4:36])["logits"]
    assert np.abs(direct - scaled).max() > 1e-3  # 32 pixels are scaled to 40, and cropped
    whole = smooth(4, 40, 40)
    cut = serve("clips", clips=whole[:, :, 4:36, 4:36])["logits"]
    np.testing.assert_allclose(serve("serving_default", video=whole)["logits"], cut, atol=1e-5)


def test_jpeg_files_are_decoded_in_the_graph(serve: Any) -> None:
    """Of any sizes, as each is scaled and cropped."""
    frames = [smooth(4, 40, 40, 1)[0], smooth(4, 60, 50, 1)[0]]
    jpegs = [[tf.io.encode_jpeg(one, quality=100).numpy() for one in video] for video in frames]
    found = serve("jpeg_frames", jpeg_frames=np.array(jpegs, object))
    pictures = [np.stack([tf.io.decode_jpeg(one).numpy() for one in video]) for video in jpegs]
    for row, video in zip(found["logits"], pictures, strict=True):
        expected = serve("serving_default", video=video[None])["logits"][0]
        np.testing.assert_allclose(row, expected, atol=5e-2)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("video", np.zeros((0, 4, 40, 40, 3), np.uint8), "video must be .*received the shape"),
        ("video", np.zeros((4, 40, 40, 3), np.uint8), "video must be .*received the shape"),
        ("video", np.zeros((1, 3, 40, 40, 3), np.uint8), "video must be .*at least 4 frames"),
        ("video", np.zeros((1, 4, 40, 40, 4), np.uint8), "video must be .*width, 3"),
        ("clips", np.zeros((1, 4, 32, 33, 3), np.uint8), "clips must be .*4, 32, 32, 3"),
        ("jpeg_frames", np.full((0, 4), b"", object), "jpeg_frames must be .*received the shape"),
        ("jpeg_frames", np.full((1, 3), b"", object), "jpeg_frames must be .*at least 4 frames"),
        ("jpeg_frames", np.full((4,), b"", object), "jpeg_frames must be .*received the shape"),
        ("jpeg_frames", np.full((1, 4), b"GIF89a", object), "jpeg_frames holds .*not a JPEG file"),
        ("jpeg_frames", np.full((1, 4), b"", object), "jpeg_frames holds .*not a JPEG file"),
    ],
)
def test_what_is_refused_in_the_graph(serve: Any, name: str, value: Any, message: str) -> None:
    signature = "serving_default" if name == "video" else name
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?s){message}"):
        serve(signature, **{name: value})


def test_another_dtype_is_refused(loaded: Any) -> None:
    """By TensorFlow, before the graph runs."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a uint8"):
        loaded.signatures["serving_default"](video=tf.zeros((1, 4, 40, 40, 3), tf.float32))


@pytest.mark.parametrize("total", [4, 5, 9, 12, 31])
@pytest.mark.parametrize("sampler", ["dense", "segments"])
def test_the_frames_are_those_of_the_protocol(total: int, sampler: str) -> None:
    sampling = ClipSampling(4, clips_per_video=3, sampler=sampler)
    video = tf.reshape(tf.range(total, dtype=tf.int32), (1, total, 1, 1, 1))
    clips, views = Views(sampling).of_video(tf.cast(video, tf.uint8))
    count = 3 if total > 4 else 1
    if sampler == "dense":
        expected = dense_indices(total, 4, 1, split="test", clips=count)
    else:
        expected = segment_indices(total, 4, split="test", clips=count)
    assert int(views) == count
    np.testing.assert_array_equal(clips[..., 0, 0, 0], expected)


def test_three_crops_are_views_too() -> None:
    sampling = ClipSampling(1, short_edge=4, crop=4, crops_per_clip=3)
    video = np.arange(4 * 7, dtype=np.uint8).reshape(1, 1, 4, 7, 1)
    clips, views = Views(sampling).of_video(tf.constant(video))
    assert int(views) == 3
    for clip, left in zip(clips, (0, 2, 3), strict=True):
        np.testing.assert_array_equal(clip[0], video[0, 0, :, left : left + 4])


def test_the_first_signature_is_that_of_videos(loaded: Any) -> None:
    assert list(loaded.signatures) == ["serving_default", "jpeg_frames", "clips", "labels"]


def test_the_manifest(served: Path, network: Any) -> None:
    found = read_manifest(served)
    assert found is not None
    assert (found["artefact"], found["network"], found["strategy"]) == (
        "saved_model",
        "tiny",
        "S+ST ST",
    )
    assert found["labels"] == LABELS
    assert found["input"]["clip"] == {"frames": 4, "height": 32, "width": 32, "channels": 3}
    assert found["input"]["sampling"]["stride"] == 2
    assert found["recipe"] == {"network": "tiny"}
    assert 0.0 <= found["difference"]["largest"] <= found["difference"]["bound"]
    assert found["folded"]["convolutions merged into another"] == 1
    assert found["folded"]["macs"] > 0
    for name, digest in found["files"].items():
        assert sha256_of(served / name) == digest
    assert set(found["files"]) >= {"saved_model.pb", "assets.extra/clip.json"}
    assert load_artefact(served).clip_shape == (4, 32, 32, 3)
    assert read_manifest(served.parent) is None


def test_the_request_that_warms_up(served: Path, serve: Any) -> None:
    """Its fields are those of TensorFlow Serving's messages."""
    path = served / "assets.extra" / "tf_serving_warmup_requests"
    ((start, length),) = list(record_places(str(path)))
    data, end = path.read_bytes(), start + length
    for number in (6, 1):  # of the PredictionLog a PredictLog, of that a PredictRequest
        ((found, start, end),) = list(fields(data, start, end))
        assert found == number
    parts = {number: (first, last) for number, first, last in fields(data, start, end)}
    assert data[slice(*parts[1])].endswith(b"serving_default")
    entry = {number: (first, last) for number, first, last in fields(data, *parts[2])}
    assert data[slice(*entry[1])] == b"video"
    tensor = tf.io.parse_tensor(data[slice(*entry[2])], tf.uint8)
    assert serve("serving_default", video=tensor)["logits"].shape == (1, 5)


def test_nothing_is_written_where_logits_differ(
    network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(network: Any, clips: np.ndarray, source: str) -> Reference:
        return Reference(clips, np.ones((len(clips), 5)), source, False)

    monkeypatch.setattr(Reference, "of", other)
    with pytest.raises(
        ValueError, match=r"differ from the network's by .* more than the allowed .*\. Nothing"
    ):
        export_saved_model(network, tmp_path / "1", sampling=SAMPLING)
    assert list(tmp_path.iterdir()) == []


def test_equal_answers_are_counted() -> None:
    logits = np.array([[3.0, 1.0], [0.0, 1.0], [2.0, 0.0], [0.0, 9.0]])
    reference = Reference(np.zeros((4, 1, 1, 1, 3), np.uint8), logits, "given", False)
    assert reference.same_answers(logits) == 1.0
    assert reference.same_answers(np.array([[1, 0], [1, 0], [5, 4], [0, 3]])) == 0.75


def test_what_does_not_fit(network: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"clips must be uint8 .* fit \(4, 32, 32, 3\)"):
        export_saved_model(
            network, tmp_path / "1", sampling=SAMPLING, clips=np.zeros((1, 4, 32, 30, 3), "uint8")
        )
    fixed = rows.network("tiny", strategy="S S")
    with pytest.raises(ValueError, match=r"The network takes clips of \(4, 32, 32, 3\)"):
        export_saved_model(fixed, tmp_path / "1", sampling=ClipSampling(8))
    assert list(tmp_path.iterdir()) == []


def test_unfolded_it_is_the_network_as_it_is(network: Any, tmp_path: Path) -> None:
    path = export_saved_model(network, tmp_path / "1", sampling=SAMPLING, fold=False)
    manifest = json.loads((path / "assets.extra" / "manifest.json").read_text())
    assert manifest["folded"] is None
    weights = {name for name, _ in tf.train.list_variables(str(path / "variables" / "variables"))}
    assert len([name for name in weights if "weights" in name]) == len(network.variables)

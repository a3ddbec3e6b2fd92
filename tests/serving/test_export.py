"""SavedModels: what they say is what the network says, and TensorFlow alone can load them."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf
import tiny

from vdroppath_tf.derivation import derive
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.serving import load_artefact
from vdroppath_tf.serving.export import export_saved_model
from vdroppath_tf.serving.folding.fold import fold
from vdroppath_tf.serving.signatures import Served
from vdroppath_tf.zoo import get_model

RNG = np.random.default_rng(7)
VIDEO = RNG.integers(0, 256, (3, *tiny.SHAPE, 3), np.uint8)
LABELS = ["right", "left", "down", "up"]


@pytest.fixture(scope="module")
def template() -> Any:
    keras.utils.set_random_seed(2)
    model = tiny.template(num_train_examples=10)
    tiny.draw_norms(model, seed=2)
    return model


@pytest.fixture(scope="module")
def network(template: Any) -> Any:
    return derive(template, "S ST S+ST")


@pytest.fixture(scope="module")
def served(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Change nothing of it: copy it."""
    return export_saved_model(network, tmp_path_factory.mktemp("served") / "1", labels=LABELS)


def server(path: Path) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """What a SavedModel answers; loading one takes seconds."""
    loaded = tf.saved_model.load(str(path))

    def serve(video: np.ndarray) -> dict[str, np.ndarray]:
        found = loaded.signatures["serving_default"](video=tf.constant(video))
        return {name: value.numpy() for name, value in found.items()}

    return serve


def answers(path: Path, video: np.ndarray) -> dict[str, np.ndarray]:
    return server(path)(video)


def check(path: Path, network: Any) -> float:
    """Probabilities and logits of a SavedModel against a network; the largest difference."""
    found = answers(path, VIDEO)
    logits = network(VIDEO, training=False).numpy()
    assert set(found) == {"logits", "probabilities", "top_labels", "top_scores"}
    np.testing.assert_allclose(found["probabilities"], tf.nn.softmax(found["logits"]), atol=1e-6)
    np.testing.assert_allclose(found["probabilities"].sum(1), 1.0, rtol=1e-6)
    difference = float(np.abs(found["logits"] - logits).max())
    assert difference <= 1e-5
    return difference


def test_it_says_what_the_network_says(served: Path, network: Any) -> None:
    check(served, network)


def test_a_template_serves_the_strategy_it_runs(template: Any, tmp_path: Path) -> None:
    set_strategy(template, "ST - S")
    try:
        path = export_saved_model(template, tmp_path / "1")
    finally:
        set_strategy(template, "mode")
    check(path, derive(template, "ST - S"))


@pytest.mark.slow
def test_every_pair_of_units(record_property: Any) -> None:
    """Of a network of two layers."""
    keras.utils.set_random_seed(2)
    template = rows.built("tiny", 4, clip_shape=tiny.SHAPE)
    tiny.draw_norms(template, seed=2)
    strategies = [" ".join(pair) for pair in itertools.product(("S", "ST", "S+ST", "-"), repeat=2)]
    worst = 0.0
    for strategy in strategies:
        network = derive(template, strategy)
        expected = network(VIDEO, training=False).numpy()
        worst = max(worst, float(np.abs(fold(network)(VIDEO).numpy() - expected).max()))
    assert worst <= 1e-5
    record_property("folded and network, largest difference of logits", worst)
    print(f"folded and network, {len(strategies)} strategies: {worst:.1e}")


ALONE = """
import json, sys
import numpy as np
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
serve, labels = loaded.signatures["serving_default"], loaded.signatures["labels"]
answer = {}
for name in sys.argv[2:]:
    found = serve(video=tf.constant(np.load(name)))
    numbers = ("logits", "probabilities")
    answer[name] = {key: found[key].numpy().tolist() for key in numbers}
(spec,) = serve.structured_input_signature[1].values()
said = ""
try:
    serve(video=tf.zeros([0, 4, 16, 16, 3], tf.uint8))
except tf.errors.InvalidArgumentError as error:
    said = error.message
foreign = [m for m in sys.modules if m.split(".")[0] in ("vdroppath_tf", "av")]
text = [name.decode() for name in labels()["labels"].numpy()]
spec = [spec.name, spec.shape.as_list(), spec.dtype.name]
print(json.dumps([answer, text, spec, said, foreign]))
"""


@pytest.mark.slow
def test_tensorflow_alone_can_load_it(served: Path, network: Any, tmp_path: Path) -> None:
    """In a folder from which the package cannot be imported; clips of several sizes."""
    clips = {
        "one.npy": VIDEO,
        "two.npy": RNG.integers(0, 256, (1, 7, 24, 20, 3), np.uint8),
    }
    for name, clip in clips.items():
        np.save(tmp_path / name, clip)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(served), *clips],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer, labels, spec, said, foreign = json.loads(done.stdout.splitlines()[-1])
    for name, clip in clips.items():
        logits = network(clip, training=False).numpy()
        np.testing.assert_allclose(answer[name]["logits"], logits, atol=1e-5)
        np.testing.assert_allclose(answer[name]["probabilities"], tf.nn.softmax(logits), atol=1e-5)
    assert labels == LABELS
    assert spec == ["video", [None, None, None, None, 3], "uint8"]
    assert "at least one clip of at least one frame" in said
    assert foreign == []


@pytest.fixture(scope="module")
def serve(served: Path) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    return server(served)


def test_empty_clips_are_refused(serve: Any) -> None:
    for shape in ((0, 4, 16, 16, 3), (1, 0, 16, 16, 3)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="at least one clip"):
            serve(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "shape",
    [
        (16, 16, 3),
        (4, 16, 16, 3),
        (1, 1, 4, 16, 16, 3),
        (1, 4, 16, 16, 1),
        (1, 4, 16, 16, 4),
        (1, 4, 0, 16, 3),
    ],
)
def test_other_shapes_are_refused_in_the_graph(serve: Any, shape: tuple[int, ...]) -> None:
    received = rf"(?s)video must be \(batch, time, height, width, 3\).*\[{shape[0]}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=received):
        serve(np.zeros(shape, np.uint8))


def test_sizes_that_the_network_fixed(tmp_path: Path) -> None:
    network = tiny.derived("S ST S", clip_shape=(4, 16, None), channels=2)
    serve = server(export_saved_model(network, tmp_path / "1"))
    assert serve(np.zeros((1, 4, 16, 9, 2), np.uint8))["logits"].shape == (1, 4)
    for shape in ((1, 5, 16, 9, 2), (1, 4, 17, 9, 2), (1, 4, 16, 9, 3)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"batch, 4, 16, width, 2\)"):
            serve(np.zeros(shape, np.uint8))


def test_clips_that_the_pools_leave_nothing_of(tmp_path: Path) -> None:
    """The mean of nothing would be no number."""
    network = get_model("derived_nano_dense", "S S S S", 4)
    assert network.least_clip == (1, 5, 5)
    serve = server(export_saved_model(network, tmp_path / "1"))
    assert np.isfinite(serve(np.zeros((1, 1, 5, 5, 3), np.uint8))["logits"]).all()
    for size in ((4, 5), (5, 4), (1, 1)):
        clips = np.zeros((1, 8, *size, 3), np.uint8)
        with pytest.raises(tf.errors.InvalidArgumentError, match="5 x 5 pixels"):
            serve(clips)


def test_answers_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """Before anything is written, and in the graph."""
    network = tiny.derived("S ST S")
    network.layers[-1].bias.assign([0.0, np.nan, 0.0, 0.0])
    with pytest.raises(ValueError, match="that are not finite"):
        export_saved_model(network, tmp_path / "1")
    assert list(tmp_path.iterdir()) == []
    sizes = (None, None, None, 3)
    served = Served(lambda clips: network(clips), sizes, (1, 1, 1), LABELS, False, None)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no finite numbers"):
        served.signatures()["serving_default"](tf.constant(VIDEO))


def test_numbers_are_the_labels_where_none_are_given(network: Any, tmp_path: Path) -> None:
    path = export_saved_model(network, str(tmp_path / "deep" / "er" / "1"))
    labels = tf.saved_model.load(str(path)).signatures["labels"]()["labels"]
    assert labels.numpy().tolist() == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "b", "c"], "4 classes. Received: 3 labels"),
        (["a", "b", "a", "c"], r"different name. Repeated: \['a'\]"),
    ],
)
def test_labels_that_do_not_fit(
    network: Any, tmp_path: Path, labels: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        export_saved_model(network, tmp_path / "1", labels=labels)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(served: Path, network: Any, tmp_path: Path) -> None:
    before = tiny.tree(served)
    with pytest.raises(FileExistsError, match="is there already"):
        export_saved_model(network, served)
    assert tiny.tree(served) == before
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("more")
    for name in ("thesis", "file"):
        with pytest.raises(FileExistsError, match="no SavedModel, so it is not overwritten"):
            export_saved_model(network, tmp_path / name, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "more"


def test_overwriting(template: Any, served: Path, tmp_path: Path) -> None:
    other = derive(template, "- S ST")
    path = export_saved_model(template, tmp_path / "1")
    export_saved_model(other, path, overwrite=True)
    check(path, other)
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]  # nothing half done is left


def test_a_failed_export_leaves_the_old_folder_whole(
    served: Path, network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    shutil.copytree(served, tmp_path / "1")
    before = tiny.tree(tmp_path)

    def full_disk(_: Any, path: str, *__: Any) -> None:
        Path(path).mkdir()
        (Path(path) / "saved_model.pb").write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(tf.saved_model, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        export_saved_model(network, tmp_path / "1", overwrite=True)
    assert tiny.tree(tmp_path) == before


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_damaged_saved_model_is_named(served: Path, tmp_path: Path, share: float) -> None:
    """TensorFlow itself says "Read less bytes than requested", of no file."""
    damaged = Path(shutil.copytree(served, tmp_path / "1"))
    (weights,) = damaged.glob("variables/variables.data*")
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="1: is not a whole SavedModel"):
        load_artefact(damaged)
    weights.unlink()
    os.mkfifo(weights)
    with pytest.raises(ValueError, match=r"variables\.data.* is not a regular file"):
        load_artefact(damaged)

"""Kinds of use of networks: other data, one class, clips that are too small, and other shapes."""

from __future__ import annotations

import copy
import functools
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from kind import Kind, expect

FRAMES = (2, 8, 8)


def small_network(row: str = "resnet", **options: Any) -> Any:
    """Returns a template with one or two fusion layers."""
    from vdroppath_tf.models import densenet, mobilenet_v2, resnet
    from vdroppath_tf.models.build import build_network

    rows: dict[str, Any] = {
        "resnet": resnet.Row(
            "one", resnet.Stem(2, (1, 3, 3), (1, 2, 2), pool=False), (resnet.Stage(1, 2, 1, 1),)
        ),
        "densenet": densenet.Row("pools", 2, 2, (1, 1)),
        "mobilenet_v2": mobilenet_v2.Row("wide", 2, 4, (mobilenet_v2.Stage(2, 2, 1, 2),)),
    }
    return build_network(rows[row], options.pop("num_classes", 3), **options)


def _clips(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((count, *FRAMES, 3), np.uint8), np.arange(count) % 3


def _in_a_file(model: Any, at: Path) -> Any:
    import keras

    model.save(at / "model.keras")
    return keras.saving.load_model(at / "model.keras")


def _in_json(model: Any, _: Path) -> Any:
    import keras

    return keras.models.model_from_json(model.to_json())


def _in_a_config(model: Any, _: Path) -> Any:
    return type(model).from_config(model.get_config())


def _cloned(model: Any, _: Path) -> Any:
    import keras

    return keras.models.clone_model(model)


_COPIES: dict[str, Callable[[Any, Path], Any]] = {
    "itself": lambda model, _: model,
    "a .keras file": _in_a_file,
    "a config": _in_a_config,
    "JSON": _in_json,
    "a deep copy": lambda model, _: copy.deepcopy(model),
    "a pickle": lambda model, _: pickle.loads(pickle.dumps(model)),  # noqa: S301
    "a clone": _cloned,
}


def _counts(copied: str, given: int | None) -> Kind:
    """Makes a kind: the N of the KL after a second `fit`, on other data."""

    def try_it(at: Path) -> None:
        from vdroppath_tf.models.objectives import default_compile

        model = small_network(gates={"num_train_examples": given} if given else {})
        model.compile(**default_compile(3), run_eagerly=True)
        model.fit(*_clips(8), batch_size=8, verbose=0)
        again = _COPIES[copied](model, at)
        expect(again.gates[0].given_examples, given, "kept")
        again.compile(**default_compile(3), run_eagerly=True)
        again.fit(*_clips(4), batch_size=4, verbose=0)
        expect(again.gates[0].num_train_examples, given or 4, "N of the other data")

    what = "given" if given else "counted"
    return Kind(f"N of the KL: {what}, {copied}", "kept" if given else "counted again", try_it)


def _one_class(name: str, make: Callable[[], object]) -> Kind:
    return Kind(f"one class: {name}", "refused", lambda _: make(), "2 or more|of one class")


def _replaced() -> None:
    from vdroppath_tf.derivation import replace_classifier

    replace_classifier(small_network(), 1)


def _list_of_one_class() -> None:
    from vdroppath_tf import training
    from vdroppath_tf.data import Manifest, VideoEntry
    from vdroppath_tf.data.sources.video import VideoFile

    entry = VideoEntry(VideoFile("/a.mp4"), 0, None, "list.txt:1")
    clips = training.Clips(Manifest((entry,) * 64, ("falling",), "list.txt"))
    training.build_template(training.RECIPES["small"], clips)


@functools.cache
def _serving(row: str) -> Any:
    """Returns `serving_default` of an exported network."""
    import tensorflow as tf

    from vdroppath_tf.serving import export_saved_model

    with tempfile.TemporaryDirectory() as folder:
        path = export_saved_model(small_network(row), Path(folder) / "1")
        loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    serve.owner = loaded  # keeps the weights alive
    return serve


def _served(name: str, row: str, shape: tuple[int, ...], refusal: str | None) -> Kind:
    """Makes a kind: `serving_default` is called with zeros of a shape."""

    def try_it(_: Path) -> None:
        import tensorflow as tf

        try:
            found = _serving(row)(video=tf.zeros(shape, tf.uint8))["probabilities"].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from None
        expect(bool(np.isfinite(found).all()), True, "finite")
        expect(found.shape, (shape[0], 3), "shape of the probabilities")

    expected = "an answer" if refusal is None else "refused, with the input's name"
    return Kind(f"exported network: {name}", expected, try_it, refusal)


def _too_small(at: Path) -> None:
    found = small_network("densenet").predict(np.zeros((1, 8, 4, 4, 3), np.uint8), verbose=0)
    expect(bool(np.isfinite(found).all()), True, "finite")


KINDS = (
    *(_counts(copied, None) for copied in _COPIES),
    *(_counts(copied, 100) for copied in ("a .keras file", "a clone")),
    *(
        _one_class(f"a {row}", lambda row=row: small_network(row, num_classes=1))  # type: ignore[misc]
        for row in ("resnet", "densenet", "mobilenet_v2")
    ),
    _one_class("a new classifier", _replaced),
    _one_class("a list", _list_of_one_class),
    _served("a clip", "resnet", (1, 2, 8, 8, 3), None),
    _served("several clips of one pixel", "resnet", (2, 1, 1, 1, 3), None),
    _served("without a batch", "resnet", (2, 8, 8, 3), "video must be"),
    _served("one picture", "resnet", (8, 8, 3), "video must be"),
    _served("six axes", "resnet", (1, 1, 2, 8, 8, 3), "video must be"),
    _served("grey", "resnet", (1, 2, 8, 8, 1), "video must be"),
    _served("with alpha", "resnet", (1, 2, 8, 8, 4), "video must be"),
    _served("no clip", "resnet", (0, 2, 8, 8, 3), "at least one clip"),
    _served("no frame", "resnet", (1, 0, 8, 8, 3), "at least one clip"),
    _served("no pixel", "mobilenet_v2", (1, 2, 8, 0, 3), "1 x 1 pixels"),
    _served("smaller than the pools", "densenet", (1, 8, 4, 4, 3), "5 x 5 pixels"),
    _served("as small as the pools take", "densenet", (1, 1, 5, 5, 3), None),
    Kind("network in Python: smaller than its pools", "refused", _too_small, "5 x 5 pixels"),
)

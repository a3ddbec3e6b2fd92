"""What a network starts from: weights of a 2D network, or another run's result."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import shallow
import sources_2d
import tiny

from vdroppath_tf.models.inflation.inflate import inflate
from vdroppath_tf.training import save_model, start_from, starts

OTHER = ("one", "two", "three")


def weights_of(model: Any) -> dict[str, Any]:
    return {v.path: v.numpy() for v in model.weights}


def test_from_another_run(chain_of: Path) -> None:
    """With the same classes all of it; with others the classifier is new."""
    trained = keras.saving.load_model(chain_of / "template.keras")
    labels = tuple((chain_of / "labels.txt").read_text().split())
    model = tiny.template()
    said = start_from(model, chain_of, labels)
    assert "weights copied" in said
    for path, value in weights_of(trained).items():
        np.testing.assert_array_equal(value, weights_of(model)[path])
    model = tiny.template(3)
    before = weights_of(model)
    assert "the classifier is new" in start_from(model, chain_of / "template.keras", OTHER)
    for path, value in weights_of(model).items():
        wanted = before if path.startswith("classifier/") else weights_of(trained)
        np.testing.assert_array_equal(value, wanted[path])


def test_a_strategy_starts_from_a_template_and_not_the_reverse(
    chain_of: Path, tmp_path: Path
) -> None:
    network = tiny.derived("S ST S+ST", 3)
    start_from(network, chain_of / "template.keras", OTHER)
    trained = keras.saving.load_model(chain_of / "template.keras")
    stem = next(path for path in weights_of(network) if "stem" in path and "kernel" in path)
    np.testing.assert_array_equal(weights_of(network)[stem], weights_of(trained)[stem])
    network.save(tmp_path / "derived.keras")
    with pytest.raises(ValueError, match="is the network of one strategy, but a template"):
        start_from(tiny.template(3), tmp_path / "derived.keras", OTHER)
    again = tiny.derived("S ST S+ST", 3)
    start_from(again, tmp_path, OTHER)
    for path, value in weights_of(network).items():
        if not path.startswith("classifier/"):
            np.testing.assert_array_equal(value, weights_of(again)[path])


@pytest.fixture
def chain_of(motion: Any, tmp_path: Path) -> Path:
    """The folder of a run with a template."""
    model = tiny.template()
    tiny.draw_norms(model, seed=1, logits=0.5)
    save_model(model, tmp_path / "run" / "template.keras", tiny.recipe(), motion.labels)
    return tmp_path / "run"


def test_what_is_not_there_or_does_not_fit(tmp_path: Path) -> None:
    model = tiny.template()
    with pytest.raises(ValueError, match=r"^There is no file .*nothing\.keras to start from"):
        start_from(model, tmp_path / "nothing.keras", OTHER)
    with pytest.raises(ValueError, match=r": holds none of template\.keras"):
        start_from(model, tmp_path, OTHER)
    with pytest.raises(ValueError, match=r"keras\.applications has no network 'nano'"):
        start_from(model, "imagenet", OTHER)


def test_files_that_are_no_network_of_this_package_are_2d_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what they hold, not by the endings of their names alone."""
    asked: list[str] = []
    monkeypatch.setattr(starts, "inflate", lambda model, path: asked.append(path.name))
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    for name in ("damaged.keras", "2d.h5"):
        (tmp_path / name).write_bytes(b"no zip")
    names = ["whole.keras", "empty.keras", "damaged.keras", "2d.h5"]
    model = tiny.template(3)
    for name in names:
        start_from(model, tmp_path / name, OTHER)
    assert asked == names


def test_imagenet_is_what_keras_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a shallow network of keras.applications with drawn weights stands for it."""
    drawn = sources_2d.keras_resnet(include_top=False)
    asked: list[Any] = []

    def downloaded(**given: Any) -> Any:
        asked.append(given)
        return drawn

    monkeypatch.setattr(starts, "keras_network", lambda name, known: downloaded)
    model, other = (rows.built(shallow.RESNET, 3, shortcut="conv") for _ in range(2))
    other.set_weights(model.get_weights())  # the new classifier is drawn
    said = start_from(model, "imagenet", OTHER)
    assert asked == [{"weights": "imagenet", "include_top": False}]
    assert said == str(inflate(other, drawn))
    for path, value in weights_of(other).items():
        np.testing.assert_array_equal(value, weights_of(model)[path])


def test_a_download_that_fails_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**given: Any) -> Any:
        raise Exception("URL fetch failure on https://storage.googleapis.com/x: None -- refused")

    monkeypatch.setattr(starts, "keras_network", lambda name, known: unreachable)
    with pytest.raises(ValueError, match=r"could not download .* \(URL fetch .*pass the file"):
        start_from(tiny.template(), "imagenet", OTHER)

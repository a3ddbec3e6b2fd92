"""The space in TensorBoard: read back and held against the model it was read from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny
from event_files import events_of, pictures, scalars
from matplotlib.colors import to_rgb

from vdroppath_tf.cost import unit_costs
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.layers.gates import freeze_gates
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import SpaceToTensorBoard
from vdroppath_tf.training.tensorboard import picture_of

CLIPS = np.random.default_rng(0).integers(0, 256, (8, *tiny.SHAPE, 3)).astype("uint8")
LABELS = np.arange(8) % 4


def fit(model: Any, callback: SpaceToTensorBoard, epochs: int = 2, **options: Any) -> Any:
    """A plain `model.fit`."""
    options = {"batch_size": 4, "epochs": epochs, "verbose": 0, **options}
    return model.fit(CLIPS, LABELS, callbacks=[callback], **options).history


def test_a_plain_fit_logs_the_space(tmp_path: Path) -> None:
    model = tiny.template(weight_reg=10.0)  # a prior that moves what a picture shows
    history = fit(model, SpaceToTensorBoard(tmp_path, clip_shape=tiny.SHAPE))
    events, space = events_of(tmp_path), ProbabilitySpace.from_model(model)
    for name, values in history.items():
        expected = dict(enumerate(values, 1))
        assert scalars(events, f"epoch/{name}") == pytest.approx(expected, rel=1e-6)
    assert all(scalars(events, "epoch/kl").values())
    for layer, row in zip(space.layers, space.drop, strict=True):
        for branch, p in zip(space.branches, row[0], strict=True):
            assert scalars(events, f"drop/{layer}/{branch}")[2] == pytest.approx(p, rel=1e-6)
    macs = unit_costs(model, tiny.SHAPE).expected_macs(space)
    assert scalars(events, "expected_macs")[2] == pytest.approx(macs, rel=1e-6)
    found = pictures(events, "marginals")
    assert list(found) == [1, 2]
    np.testing.assert_array_equal(found[2], picture_of(space))
    assert (found[1] != found[2]).any()


def test_a_run_of_phases_has_a_picture_wherever_gates_moved(whole_run: tiny.Run) -> None:
    """Of the warm-up one; of the epochs with gates each."""
    found = pictures(events_of(whole_run.folder / "tensorboard"), "marginals")
    assert list(found) == [1, 3, 4, 5]
    np.testing.assert_array_equal(
        found[5], picture_of(ProbabilitySpace.from_model(whole_run.model))
    )


def test_the_picture_has_the_marginals_as_areas() -> None:
    """A third of the bars is S, two thirds are ST, and so are their pixels, but for edges."""
    picture = picture_of(ProbabilitySpace(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])))

    def area(unit: str) -> int:
        color = np.rint(np.array(to_rgb(COLORS[unit])) * 255)
        return int((picture == color).all(axis=-1).sum())

    assert area("ST") == pytest.approx(2 * area("S"), rel=0.05)
    assert area("S+ST") < area("S") / 20  # the legend, and nothing else
    assert area("S") > picture[..., 0].size / 20


@pytest.mark.newest
@pytest.mark.parametrize(("every", "steps"), [(2, [12, 14]), (3, [12]), (0, [])])
def test_how_often_it_draws(tmp_path: Path, every: int, steps: list[int]) -> None:
    callback = SpaceToTensorBoard(
        tmp_path, clip_shape=tiny.SHAPE, picture_every=every, first_epoch=10
    )
    fit(tiny.template(row=tiny.ONE_LAYER), callback, epochs=4)
    events = events_of(tmp_path)
    assert list(scalars(events, "expected_macs")) == [11, 12, 13, 14]
    assert ("marginals" in events.Tags()["tensors"]) == bool(steps)
    assert list(pictures(events, "marginals") if steps else []) == steps


@pytest.mark.newest
def test_gates_that_rest_take_one_picture(tmp_path: Path) -> None:
    model = tiny.template(row=tiny.ONE_LAYER, clip_shape=tiny.SHAPE)  # says its clip shape itself
    freeze_gates(model)
    fit(model, SpaceToTensorBoard(tmp_path), epochs=3)
    events = events_of(tmp_path)
    assert list(pictures(events, "marginals")) == [1]
    assert len(scalars(events, "expected_macs")) == 3


def test_a_network_without_gates_has_what_keras_logged(tmp_path: Path) -> None:
    history = fit(tiny.derived("S ST S+ST"), SpaceToTensorBoard(tmp_path), epochs=1)
    assert {*events_of(tmp_path).Tags()["tensors"]} == {f"epoch/{name}" for name in history}


def test_any_keras_model_may_have_it(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model, SpaceToTensorBoard(tmp_path), epochs=1)
    assert events_of(tmp_path).Tags()["tensors"] == ["epoch/loss"]


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"picture_every and first_epoch .*Received: -1, 0"):
        SpaceToTensorBoard(tmp_path, picture_every=-1)
    with pytest.raises(ValueError, match=r"any size.*Pass clip_shape=\(frames, height, width\)"):
        fit(tiny.template(), SpaceToTensorBoard(tmp_path))
    with pytest.raises(ValueError, match=r"clip_shape must be \(frames, height, width\)"):
        fit(tiny.template(), SpaceToTensorBoard(tmp_path, clip_shape=(4, 16)))
    assert not list(tmp_path.iterdir())

"""The ResNet function: its rows, its names, its blocks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import rows

from vdroppath_tf import cost
from vdroppath_tf.layers.gates import fusion_layers, set_strategy
from vdroppath_tf.models.common import average_pool, max_pool
from vdroppath_tf.models.families import row_of
from vdroppath_tf.models.resnet import Row, Stem
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import derived_micro, derived_resnet50, template_micro, template_resnet50

CLIPS = np.random.default_rng(0).integers(0, 256, (3, 4, 16, 16, 3)).astype("uint8")


def randomize(model: Any, seed: int = 0) -> None:
    """Batch-norm statistics and scales that are not those of a new network."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        kind = variable.path.split("/")[-1]
        if kind in ("moving_mean", "beta"):
            variable.assign(rng.normal(0, 0.5, variable.shape))
        elif kind in ("moving_variance", "gamma"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))


def test_the_rows_are_those_of_the_paper() -> None:
    row = row_of("resnet50")
    assert isinstance(row, Row)
    stages = row.stages
    assert row.stem == Stem(64, (5, 7, 7), (1, 2, 2), True)
    assert [stage.blocks for stage in stages] == [3, 4, 6, 3]
    assert [stage.filters * stage.expansion for stage in stages] == [256, 512, 1024, 2048]
    assert [stage.stride for stage in stages] == [1, 2, 2, 2]


def test_the_micro_row_sees_single_frames_before_its_fusion_layers() -> None:
    row = row_of("micro")
    assert isinstance(row, Row)
    stem = row.stem
    assert stem.size[0] == stem.stride[0] == 1
    assert not stem.pool
    assert cost.complexity(template_micro(), (8, 64, 64)).parameters <= 300_000
    # with S everywhere the order of the frames means nothing
    network = derived_micro("S S S S S S", clip_shape=(4, 16, 16))
    np.testing.assert_allclose(network(CLIPS), network(CLIPS[:, ::-1]), atol=1e-5)
    network = derived_micro("S S S S S ST", clip_shape=(4, 16, 16))
    assert np.abs(network(CLIPS) - network(CLIPS[:, ::-1])).max() > 1e-3


def test_names_are_an_interface(tiny_row: Any) -> None:
    model = rows.built(tiny_row, 4, gates={"drop_layer": True})
    paths = {v.path for v in model.weights}
    block = "stage2_block1"
    assert {
        "stem_conv/kernel",
        "stem_bn/moving_mean",
        f"{block}_fusion/spatial/kernel",
        f"{block}_fusion/spatiotemporal/kernel",
        f"{block}_fusion/drop_path/logit",
        f"{block}_fusion/drop_path/layer_logit",
        f"{block}_fusion/drop_path/mask",
        f"{block}_fusion/drop_path/noise_step",
        f"{block}_fusion_bn/gamma",
        f"{block}_conv/kernel",
        f"{block}_conv_bn/beta",
        f"{block}_expand/kernel",
        f"{block}_expand_bn/moving_variance",
        f"{block}_shortcut_conv/kernel",
        f"{block}_shortcut_bn/gamma",
        "classifier/kernel",
        "classifier/bias",
    } <= paths
    assert len(paths) == len(model.weights)


def test_resnet50_has_16_fusion_layers() -> None:
    model = template_resnet50(num_classes=10)
    assert model.output_shape == (None, 10)
    row = row_of("resnet50")
    assert isinstance(row, Row)
    counts = [stage.blocks for stage in row.stages]
    names = [f"stage{s}_block{b + 1}_fusion" for s, n in enumerate(counts, 1) for b in range(n)]
    assert [layer.name for layer in fusion_layers(model)] == names
    shapes = {layer.name: layer.output.shape for layer in model.layers if "_out" in layer.name}
    assert shapes["stage4_block3_out"] == (None, None, None, None, 2048)


def test_batch_norm_is_the_papers(tiny_row: Any) -> None:
    layers = [la for la in rows.built(tiny_row, 4).layers if "batch" in type(la).__name__.lower()]
    assert len(layers) == 1 + 2 * 3 + 2
    assert {(la.momentum, la.epsilon, la.synchronized) for la in layers} == {(0.9, 1e-5, True)}


@pytest.mark.parametrize("drop_layer", [False, True])
def test_a_block_without_paths_is_its_shortcut(drop_layer: bool, tiny_row: Any) -> None:
    """Exactly, whatever batch norm has learned: its biases must not survive the gate."""
    model = rows.built(tiny_row, 4, clip_shape=(4, 16, 16), gates={"drop_layer": drop_layer})
    randomize(model)
    set_strategy(model, "- -")
    adds = [model.get_layer(f"stage{s}_block1_add") for s in (1, 2)]
    ends = [end for add in adds for end in (add.input[0], add.output)]
    found = keras.Model(model.input, ends)(CLIPS)
    for around, out in zip(found[::2], found[1::2], strict=True):
        np.testing.assert_array_equal(out, around)
        assert np.abs(around).max() > 0.1


def test_a_derived_block_without_paths_is_its_shortcut(tiny_row: Any) -> None:
    network = rows.built(tiny_row, 4, strategy=FusionStrategy.parse("- -"))
    names = {layer.name for layer in network.layers}
    assert {"stage1_block1_shortcut_conv", "stage2_block1_shortcut_pool"} <= names
    assert not [name for name in names if "fusion" in name or "expand" in name or "add" in name]


def test_the_input_is_normalised_as_imagenet_is() -> None:
    model = template_micro(clip_shape=(2, 4, 4))
    normalized = keras.Model(model.input, model.get_layer("normalization").output)
    white = np.asarray(normalized(np.full((1, 2, 4, 4, 3), 255, "uint8")))[0, 0, 0, 0]
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(white, expected, rtol=1e-5)


def test_pools_pad_by_half() -> None:
    x = np.random.default_rng(0).random((1, 3, 5, 5, 1)).astype("float32")
    pooled = np.asarray(average_pool(x, (1, 3, 3), (1, 2, 2), name="average"))
    assert pooled.shape == (1, 3, 3, 3, 1)
    corner = x[0, 0, :2, :2, 0].sum() / 9  # the padding counts
    assert pooled[0, 0, 0, 0, 0] == pytest.approx(corner, rel=1e-6)
    pooled = np.asarray(max_pool(x, (3, 3, 3), (1, 2, 2), name="max"))
    assert pooled.shape == (1, 3, 3, 3, 1)
    assert pooled[0, 0, 0, 0, 0] == x[0, :2, :2, :2, 0].max()


def test_clips_of_any_size_pass() -> None:
    model = template_micro()
    for shape in ((1, 8, 8), (3, 17, 9)):
        assert model(np.zeros((1, *shape, 3))).shape == (1, 4)


def test_dropout_and_classes_are_arguments() -> None:
    model = template_micro(7, dropout=0.5)
    assert model.get_layer("dropout").rate == 0.5
    assert model.output_shape == (None, 7)
    assert "dropout" not in {layer.name for layer in template_micro().layers}


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("S S", r"2 units.*6 fusion layers"),
        ("S S S S S S S", r"7 units.*6 fusion layers"),
        ("S S S+T S S S", r"'S', 'ST'.*S\+T"),
        ("S@1 S S S S S", "S@1"),
        ("S S X S S S", "Layer 3.*'X'"),
    ],
)
def test_a_strategy_that_does_not_fit_builds_nothing(strategy: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        derived_micro(strategy)


def test_a_strategy_of_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'micro'.*'resnet50'"):
        derived_resnet50(FusionStrategy.uniform("S", 16, "micro"))


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises((TypeError, ValueError), match="wieght_reg"):
        template_micro(wieght_reg=3.0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("dropout", value) for value in (2, 1.0, -0.1, float("nan"), "x", True)),
        *(("temporal_pool", "x"), ("multi_label", 2), ("seed", "x"), ("seed", 1.5)),
        *(("weight_reg", float("inf")), ("temperature", float("inf")), ("drop_layer", "no")),
        ("num_train_examples", float("inf")),
    ],
)
def test_options_are_refused_in_our_words(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{option} must be .* Received: "):
        template_micro(3, **{option: value})

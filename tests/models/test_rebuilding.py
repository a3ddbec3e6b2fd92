"""A saved network is built anew from its description, and what changed since comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows

from vdroppath_tf.layers.gates import freeze_gates, gates_of
from vdroppath_tf.models.families import row_in, row_of
from vdroppath_tf.models.fusion_model import FusionModel

CLIPS = rows.clips(2, (4, 16, 16))


def template(**options: Any) -> Any:
    model = rows.built(rows.TINY, 3, clip_shape=(4, 16, 16), **options)
    return rows.randomized(model)


def reloaded(model: Any, folder: Path) -> Any:
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def test_a_config_holds_no_layers_but_the_rows_values() -> None:
    config = json.loads(json.dumps(template().get_config()))
    assert set(config) == {"name", "trainable", "architecture", "policy", "changed"}
    assert config["architecture"]["row"]["stages"][1]["filters"] == 8
    assert row_in(config["architecture"]) == rows.TINY
    with pytest.raises(ValueError, match="Unknown network"):  # nobody knows it by name
        row_of("tiny")


def test_what_is_frozen_and_every_n_come_back(tmp_path: Path) -> None:
    model = template(gates={"gate_classifier": True})
    model.get_layer("stage1_block1_conv").trainable = False
    freeze_gates(model)
    gates_of(model)[1].trainable = True
    gates_of(model)[2].num_train_examples = 7.0
    again = reloaded(model, tmp_path)
    assert [v.path for v in again.trainable_variables] == [
        v.path for v in model.trainable_variables
    ]
    assert [gate.num_train_examples for gate in gates_of(again)] == [None, None, 7.0]
    model.trainable = False
    again = reloaded(model, tmp_path)
    assert not again.trainable
    assert again.trainable_variables == []
    assert not gates_of(again)[1].trainable


@pytest.mark.parametrize("include_top", [True, False])
def test_precision_is_that_of_the_model(include_top: bool, tmp_path: Path) -> None:
    keras.config.set_dtype_policy("mixed_float16")
    model = template(include_top=include_top)
    keras.config.set_dtype_policy("float32")
    again = reloaded(model, tmp_path)
    assert keras.config.dtype_policy().name == "float32"
    policies = [layer.dtype_policy.name for layer in model.layers]
    assert [layer.dtype_policy.name for layer in again.layers] == policies
    assert "mixed_float16" in policies
    np.testing.assert_array_equal(again(CLIPS), model(CLIPS))


def test_inside_another_model(tmp_path: Path) -> None:
    inner = template(include_top=False)
    video = keras.Input((4, 16, 16, 3))
    pooled = keras.layers.GlobalAveragePooling3D()(inner(video))
    outer = keras.Model(video, keras.layers.Dense(2)(pooled))
    again = reloaded(outer, tmp_path)
    np.testing.assert_array_equal(again(CLIPS), outer(CLIPS))
    (found,) = (layer for layer in again.layers if isinstance(layer, FusionModel))
    assert found.architecture == inner.architecture
    model = template()  # another head on its layers: a model of Keras
    cut = keras.Model(model.input, keras.layers.Dense(2)(model.get_layer("pool").output))
    np.testing.assert_array_equal(reloaded(cut, tmp_path)(CLIPS), cut(CLIPS))


def test_a_clone_is_the_same_network(tmp_path: Path) -> None:
    """Keras clones layer by layer; where none was changed, the architecture stays."""
    model = template()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert clone.architecture == model.architecture
    np.testing.assert_array_equal(clone(CLIPS), model(CLIPS))
    again = reloaded(clone, tmp_path)
    np.testing.assert_array_equal(again(CLIPS), model(CLIPS))
    assert "kl" in {metric.name for metric in again.metrics}


def test_a_file_that_speaks_of_other_layers_is_refused() -> None:
    config = template().get_config()
    config["changed"]["frozen"] = ["stem_convolution"]
    with pytest.raises(ValueError, match=r"does not have: \['stem_convolution'\]"):
        FusionModel.from_config(config)

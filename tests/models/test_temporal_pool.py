"""The temporal pool: half as many frames behind the stem, in every family."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf import cost, derive, zoo


@pytest.mark.parametrize("row", ["dense", "next", "mobile"])
def test_it_is_the_maximum_of_three_frames_two_apart(row: str) -> None:
    model = rows.randomized(rows.network(row, temporal_pool=True, clip_shape=(6, 32, 32)))
    outputs = [model.get_layer(name).output for name in ("stem_relu", "temporal_pool")]
    clips = rows.clips(shape=(6, 32, 32))
    before, after = (x.numpy() for x in keras.Model(model.inputs[0], outputs)(clips))
    frames = before.shape[1]
    expected = [before[:, max(0, k - 1) : k + 2].max(axis=1) for k in range(0, frames, 2)]
    np.testing.assert_array_equal(after, np.stack(expected, axis=1))
    assert frames > after.shape[1] > 0


def test_every_fusion_layer_costs_half() -> None:
    whole, halved = (
        cost.unit_costs(zoo.template_micro(temporal_pool=pool), (8, 32, 32))
        for pool in (False, True)
    )
    for one, other in zip(whole.paths, halved.paths, strict=True):
        np.testing.assert_array_equal(one[0], other[0])  # parameters
        np.testing.assert_array_equal(one[1], 2 * other[1])  # multiply-adds
    assert whole.base[1] > halved.base[1] > whole.base[1] / 2  # the stem sees every frame


def test_weights_are_those_of_the_network_without_it() -> None:
    """So a seed starts both from the same point."""
    models = []
    for pool in (False, True):
        keras.utils.set_random_seed(3)
        models.append(zoo.template_micro(temporal_pool=pool))
    for one, other in zip(*(model.weights for model in models), strict=True):
        assert one.path == other.path
        np.testing.assert_array_equal(*map(tf.convert_to_tensor, (one, other)))


def test_a_still_clip_is_answered_alike_where_no_path_looks_in_time() -> None:
    keras.utils.set_random_seed(0)
    plain = zoo.derived_micro("S S S S S S")
    pooled = zoo.derived_micro("S S S S S S", temporal_pool=True)
    pooled.set_weights(plain.get_weights())
    still = np.repeat(rows.clips(shape=(1, 32, 32)), 6, axis=1)
    np.testing.assert_allclose(pooled(still), plain(still), atol=1e-5)
    moving = rows.clips(shape=(6, 32, 32))
    assert np.abs(pooled(moving) - plain(moving)).max() > 1e-3


def test_derived_and_loaded_networks_keep_it(tmp_path: object) -> None:
    template = zoo.template_micro(temporal_pool=True, num_train_examples=8)
    network = derive(template, "S ST S+ST S ST S")
    assert (network.architecture or {})["temporal_pool"] is True
    network.save(f"{tmp_path}/network.keras")
    loaded = keras.saving.load_model(f"{tmp_path}/network.keras")
    assert loaded.get_layer("temporal_pool").output.shape[1:] == (None, None, None, 16)
    clips = rows.clips(shape=(5, 32, 32))  # an odd number of frames
    np.testing.assert_array_equal(loaded(clips), network(clips))

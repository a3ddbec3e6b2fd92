"""Max-pooling in half precision: TensorFlow has none on processors."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.pooling import MaxPooling


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_largest_values_keep_their_precision(dtype: str) -> None:
    clips = tf.cast(np.random.default_rng(0).normal(size=(2, 3, 4, 6, 5)), dtype)
    found = MaxPooling((1, 2, 3), dtype=dtype)(clips)
    assert found.dtype == dtype
    values = np.asarray(tf.cast(clips, tf.float32)).reshape(2, 3, 2, 2, 2, 3, 5)
    np.testing.assert_array_equal(np.asarray(tf.cast(found, tf.float32)), values.max((3, 5)))

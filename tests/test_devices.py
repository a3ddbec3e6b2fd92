"""What conftest promises the other tests: two CPU devices in step, and the same seeds."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf


def test_two_devices_are_two_replicas(two_devices: list[str]) -> None:
    strategy = tf.distribute.MirroredStrategy(two_devices)
    assert strategy.num_replicas_in_sync == 2
    assert [device.name for device in tf.config.list_logical_devices("CPU")] == two_devices


@pytest.mark.parametrize("again", [1, 2])
def test_every_test_starts_from_the_same_seeds(again: int) -> None:
    drawn = (float(keras.random.uniform(())), float(tf.random.uniform(())), np.random.rand())  # noqa: NPY002
    assert drawn == pytest.approx(_FIRST.setdefault("drawn", drawn), abs=0)


_FIRST: dict[str, tuple[float, float, float]] = {}

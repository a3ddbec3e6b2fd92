"""The smallest clip of a network: one pixel less, and its pools leave nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.models import densenet
from vdroppath_tf.models.build import build_network
from vdroppath_tf.scoring import evaluate_strategies

THREE = densenet.Row("three", 4, 2, (1, 1, 1))
CASES: list[tuple[Any, dict[str, Any], tuple[int, int, int]]] = [
    *((name, {}, (1, 1, 1)) for name in rows.ROWS if name != "dense"),
    ("dense", {}, (1, 5, 5)),
    (THREE, {}, (1, 13, 13)),
    (THREE, {"temporal_strides": (2, 1, 2, 2), "temporal_pool": True}, (13, 13, 13)),
    (THREE, {"temporal_strides": (1, 1, 3, 1)}, (1, 13, 13)),
]


@pytest.mark.parametrize(("row", "options", "least"), CASES)
def test_the_smallest_clip(row: Any, options: dict[str, Any], least: tuple[int, ...]) -> None:
    network = build_network(rows.ROWS.get(row, row), 3, **options)
    assert network.least_clip == least
    logits = network(np.zeros((1, *least, 3), "uint8"))
    assert np.isfinite(logits).all()
    for axis, size in enumerate(least):
        if size > 1:
            small = [n - (k == axis) for k, n in enumerate(least)]
            with pytest.raises(ValueError, match=rf"{least[1]} x {least[2]} pixels"):
                network(np.zeros((1, *small, 3), "uint8"))


def test_everything_refuses_smaller_clips() -> None:
    clips, labels = np.zeros((2, 4, 12, 12, 3), "uint8"), np.array([0, 1])
    network = build_network(THREE, 3, gates={"num_train_examples": 4})
    data = tf.data.Dataset.from_tensors((clips, labels))
    for use in (
        lambda: network.predict(clips, verbose=0),
        lambda: network.fit(clips, labels, verbose=0),
        lambda: network.fit(data, verbose=0),
        lambda: evaluate_strategies(network, ["S S S S S"], data),
    ):
        with pytest.raises(ValueError, match=r"at least 1 frames and 13 x 13 pixels"):
            use()

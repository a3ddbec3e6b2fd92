"""The batch norm of every network: eps 1e-5, momentum 0.9, statistics of all replicas."""

from __future__ import annotations

from typing import Any

import keras

EPSILON = 1e-5


def batch_norm(*, name: str, **options: Any) -> keras.layers.BatchNormalization:
    """A ``BatchNormalization`` as in the authors' networks (momentum in Keras' convention)."""
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=EPSILON, synchronized=True, name=name, **options
    )

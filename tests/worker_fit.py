"""Run by test_workers: `fit` of a template by one of several processes, without `train`.

TF_CONFIG=... python worker_fit.py RESULT
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tiny

CLIPS = np.random.default_rng(0).integers(0, 256, (16, *tiny.SHAPE, 3)).astype("uint8")
LABELS = np.arange(16) % 4


def batches() -> Any:
    return tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).batch(8, drop_remainder=True)


def fitted(scope: Any) -> tuple[Any, dict[str, list[float]]]:
    """A template that was trained by Keras' own words, and its history."""
    keras.utils.set_random_seed(0)
    with scope():
        model = tiny.template(row=tiny.ONE_LAYER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two epochs the space says nothing
        history = model.fit(batches(), validation_data=batches(), epochs=2, verbose=0).history
    history["evaluated"] = model.evaluate(batches(), verbose=0)
    return model, history


def main() -> None:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    model, history = fitted(strategy.scope)
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    weights = {weight.path: np.asarray(weight) for weight in model.weights}
    np.savez(f"{sys.argv[1]}-{index}.npz", history=json.dumps(history), **weights)


if __name__ == "__main__":
    main()

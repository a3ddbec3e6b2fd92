"""Run by test_pipeline: clips under MirroredStrategy with two logical CPU devices."""

from __future__ import annotations

import dataclasses
import sys

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.catalog import open_manifest
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import (
    ClipSampling,
    FaultLog,
    evaluation_clips,
    training_clips,
)
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.video import VideoFile

SAMPLING = ClipSampling(4, short_edge=24, crop=20, flip=True)
BATCH = 2


def main() -> None:
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    manifest = open_manifest(sys.argv[1])
    clips = training_clips(manifest, SAMPLING, batch_size=BATCH)
    expected = training_clips(manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(epochs=4))
    plain = [y.numpy().tolist() for _, y in expected]

    def one_pass() -> list[list[int]]:
        spread = strategy.experimental_distribute_dataset(clips)
        return [np.concatenate(strategy.experimental_local_results(y)).tolist() for _, y in spread]

    steps = len(manifest) // BATCH
    assert one_pass() == plain[:steps]
    with strategy.scope():
        layers = [
            keras.Input((4, 20, 20, 3)),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(manifest.num_classes),
        ]
        model = keras.Sequential(layers)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(clips, epochs=2, verbose=0, shuffle=False)
    assert one_pass() == plain[3 * steps :]
    with strategy.scope():
        model.compile(loss=model.loss, metrics=["accuracy"])  # Keras looks at a batch again
    _evaluate(model, manifest)
    print("same")


def _evaluate(model: keras.Model, manifest: Manifest) -> None:
    """With videos left out, some of the first batch, replicas score the rest."""
    entries = list(manifest.entries)
    for k in (0, 4, 5):
        entries[k] = dataclasses.replace(entries[k], source=VideoFile(f"/none/{k}"))
    some_bad = dataclasses.replace(manifest, entries=tuple(entries))
    rest = manifest.select(k for k in range(len(manifest)) if k not in (0, 4, 5))
    sampling = dataclasses.replace(SAMPLING, flip=False)
    faults = FaultLog(0.5)
    clips = evaluation_clips(some_bad, sampling, batch_size=BATCH, faults=faults)
    found = model.evaluate(clips, verbose=0)
    assert faults.scored(some_bad, "validation") == len(rest)
    assert len(rest) % BATCH == 0
    expected = model.evaluate(evaluation_clips(rest, sampling, batch_size=BATCH), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


if __name__ == "__main__":
    main()

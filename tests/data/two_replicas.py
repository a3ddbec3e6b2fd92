"""Run by test_pipeline: clips under MirroredStrategy with two logical CPU devices."""

from __future__ import annotations

import sys

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.catalog import open_manifest
from vdroppath_tf.data.pipeline import ClipSampling, training_clips

SAMPLING = ClipSampling(4, short_edge=24, crop=20, flip=True)
BATCH = 2


def main() -> None:
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    manifest = open_manifest(sys.argv[1])
    clips = training_clips(manifest, SAMPLING, batch_size=BATCH)
    expected = training_clips(manifest, SAMPLING, batch_size=BATCH, epochs=4)
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
    print("same")


if __name__ == "__main__":
    main()

"""Measures the equalities on which this package relies.

    python scripts/equalities.py --strategies=50

Prints the largest differences between: a template network that runs a strategy by masks, the
derived network, and its SavedModel; one replica and two (logical CPU devices); a model and the same
model saved and loaded. The weights and the batch-norm statistics are random; everything is computed
in float32 on the CPU.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import vdroppath_tf

STRATEGIES = flags.DEFINE_integer("strategies", 50, "number of random strategies to compare")
UNITS = ("S", "ST", "S+ST", "-")


def clips(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns random clips, uint8 `(count, 4, 32, 32, 3)`, and labels, int64 `(count,)`."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 4, 32, 32, 3), np.uint8), rng.integers(0, 4, count)


def template() -> keras.Model:
    """Returns a micro template with random weights and statistics, and logits of order 1."""
    keras.utils.set_random_seed(0)
    model = vdroppath_tf.zoo.template_micro(4, num_train_examples=64)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        name = variable.path.rsplit("/", 1)[-1]
        if name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 2.0, variable.shape))
        elif name in ("beta", "moving_mean"):
            variable.assign(rng.normal(0.0, 0.5, variable.shape))
    kernel = model.get_layer("classifier").kernel
    kernel.assign(kernel / np.abs(model(clips(8)[0])).max())
    return model


def difference(a, b) -> float:
    """Returns the largest absolute difference of two arrays."""
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b))))


def strategies_agree(model: keras.Model, folder: Path) -> tuple[float, float, float]:
    """Compares the logits of random strategies in the three ways to run them.

    Returns:
        The largest differences masked - derived and derived - SavedModel, and the largest logit.
    """
    x, _ = clips(8)
    rng = np.random.default_rng(1)
    derived_worst = served_worst = largest = 0.0
    for k in range(STRATEGIES.value):
        strategy = vdroppath_tf.FusionStrategy(tuple(rng.choice(UNITS, len(model.gates))))
        vdroppath_tf.set_strategy(model, strategy)
        masked = model.predict_on_batch(x)
        network = vdroppath_tf.derive(model, strategy)
        alone = network.predict_on_batch(x)
        derived_worst = max(derived_worst, difference(masked, alone))
        path = vdroppath_tf.export_saved_model(network, folder / str(k))
        serve = tf.saved_model.load(str(path)).signatures["serving_default"]
        served_worst = max(served_worst, difference(serve(video=tf.constant(x))["logits"], alone))
        largest = max(largest, float(np.abs(alone).max()))
    return derived_worst, served_worst, largest


def trained(devices: tf.distribute.Strategy) -> tuple[float, dict[str, np.ndarray]]:
    """Returns the loss and the weights of a template after two steps of 16 clips each."""
    x, y = clips(32)
    with devices.scope():
        model = template()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16, drop_remainder=True)
    history = model.fit(data, epochs=1, verbose=0, shuffle=False)
    weights = {v.path: keras.ops.convert_to_numpy(v) for v in model.weights}
    return history.history["loss"][0], weights


def main(_) -> None:
    """Prints all differences."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    model = template()
    with tempfile.TemporaryDirectory() as name:
        derived, served, largest = strategies_agree(model, Path(name))
        print(
            f"{STRATEGIES.value} random strategies of S, ST, S+ST, -; largest logit {largest:.2f}"
        )
        print(f"  max |masked template - derived network|  {derived:.2e}")
        print(f"  max |derived network - its SavedModel|   {served:.2e}")
        model.save(Path(name) / "template.keras")
        again = keras.saving.load_model(Path(name) / "template.keras")
        x, _ = clips(8)
        saved = difference(model.predict_on_batch(x), again.predict_on_batch(x))
        print(f"  max |template - saved and loaded|        {saved:.2e}")
    one_loss, one = trained(tf.distribute.OneDeviceStrategy("CPU:0"))
    both_loss, both = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    print("one replica and two replicas, after two steps")
    print(f"  |loss - loss|                            {abs(one_loss - both_loss):.2e}")
    groups = {"gate logits": "logit", "batch-norm statistics": "moving_", "all weights": ""}
    for group, part in groups.items():
        worst = max(difference(one[path], both[path]) for path in one if part in path)
        print(f"  max difference of {group:22s} {worst:.2e}")


if __name__ == "__main__":
    app.run(main)

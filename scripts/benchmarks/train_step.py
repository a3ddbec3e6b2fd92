"""Times a training step of template_resnet50, relative to plain Keras and to the machine's speed.

    python scripts/benchmarks/train_step.py

Several processes hold the same ResNet-50 with S and ST paths: this package's, and one built from
plain ``keras.layers.Conv3D`` with TensorFlow's defaults (oneDNN as TensorFlow chooses for this
CPU). They take turns, so that a change of the machine's speed affects all of them; ratios are
medians over rounds. The plain network also runs without oneDNN, which is TensorFlow's default on
CPUs without AVX512_VNNI or AMX. The ceiling is a matrix product of 2048 x 2048 in float32.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time

from absl import app, flags
from in_turns import Worker, answer, jobs_of

FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip")
SIZE = flags.DEFINE_integer("size", 112, "height and width of a frame in pixels")
BATCH = flags.DEFINE_integer("batch", 2, "number of clips per step")
ROUNDS = flags.DEFINE_integer("rounds", 7, "number of rounds of timed steps")
CLASSES = 174
WORKERS = {
    "package": "vdroppath_tf, per-sample gates",
    "package-batch": "vdroppath_tf, per-batch gates",
    "plain": "plain Conv3D, TensorFlow's defaults",
    "plain-off": "plain Conv3D, oneDNN off",
}


def package_network(noise: str):
    """Returns this package's template."""
    import vdroppath_tf

    return vdroppath_tf.zoo.template_resnet50(CLASSES, num_train_examples=1000, noise=noise)


def plain_network():
    """Returns the S+ST ResNet-50 as a user would write it with keras.layers only (no gates)."""
    import keras
    from keras import layers

    def conv(x, filters, size, stride=1, bn=True):
        pad = [n // 2 for n in size]
        x = layers.ZeroPadding3D(pad)(x) if any(pad) else x
        x = layers.Conv3D(filters, size, (1, stride, stride), use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x) if bn else x

    def block(x, filters, stride):
        around = x
        if stride != 1:
            around = layers.ZeroPadding3D((0, 1, 1))(around)
            around = layers.AveragePooling3D((1, 3, 3), (1, 2, 2))(around)
        if around.shape[-1] != 4 * filters:
            around = conv(around, 4 * filters, (1, 1, 1))
        paths = [conv(x, filters, (k, 1, 1), bn=False) for k in (1, 3)]
        y = layers.ReLU()(
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(layers.Add()(paths))
        )
        y = layers.ReLU()(conv(y, filters, (1, 3, 3), stride))
        return layers.ReLU()(layers.Add()([around, conv(y, 4 * filters, (1, 1, 1))]))

    clips = keras.Input((None, None, None, 3))
    x = layers.Rescaling(1 / 57.0, -2.1)(clips)
    x = layers.ReLU()(conv(x, 64, (5, 7, 7), 2))
    x = layers.MaxPooling3D(3, (1, 2, 2))(layers.ZeroPadding3D(1)(x))
    for blocks, filters, stride in ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)):
        for b in range(blocks):
            x = block(x, filters, stride if b == 0 else 1)
    return keras.Model(clips, layers.Dense(CLASSES)(layers.GlobalAveragePooling3D()(x)))


def work(which: str, shape: list[int]) -> None:
    """Runs the job that each line of stdin names (``forward`` or ``step``); see ``in_turns``."""
    if which.startswith("plain"):
        network = plain_network()
    else:
        network = package_network("batch" if which.endswith("batch") else "sample")
    import keras
    import numpy as np
    import tensorflow as tf

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.005, momentum=0.9), loss)
    jobs = jobs_of(network, shape, CLASSES)
    for job in jobs.values():
        job()
        job()
    weights = sum(int(np.prod(v.shape)) for v in network.trainable_weights if "logit" not in v.path)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    answer(jobs, {"parameters": weights, **versions})


def started(which: str, shape: list[int]) -> Worker:
    """Starts one of the processes."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if which.endswith("off"):
        environment["TF_ENABLE_ONEDNN_OPTS"] = "0"
    return Worker([sys.executable, __file__, "--worker", which, json.dumps(shape)], environment)


def main(_) -> None:
    """Times all processes, and prints a line for each."""
    from vdroppath_tf import cost, zoo

    shape = [BATCH.value, FRAMES.value, SIZE.value, SIZE.value]
    macs = cost.complexity(zoo.template_resnet50(CLASSES), clip_shape=shape[1:]).macs * BATCH.value
    workers = {which: started(which, shape) for which in WORKERS}
    about = {which: worker.about for which, worker in workers.items()}
    assert len({a["parameters"] for a in about.values()}) == 1, about
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS.value):
        for job in ("step", "forward", "product"):
            for which, worker in workers.items():
                times.setdefault((which, job), []).append(worker.time(job)[0])
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs"
    print(f"{time.strftime('%Y-%m-%d')}, {machine}, {about['plain']}")
    print(f"clips {shape} x 3, {macs / 1e9:.2f} GMACs forward; medians of {ROUNDS.value} rounds")
    ceiling = 2 * 2048**3 / statistics.median(times["package", "product"]) / 1e9
    print(f"matrix-product ceiling: {ceiling:.0f} GF/s")
    for which, text in WORKERS.items():
        step, forward = (statistics.median(times[which, job]) for job in ("step", "forward"))
        ratio = {
            job: statistics.median(
                a / b for a, b in zip(times[which, job], times["plain", job], strict=True)
            )
            for job in ("step", "forward")
        }
        rate = 2 * macs / forward / 1e9
        print(
            f"{text:36s} step {step:6.2f} s ({ratio['step']:.2f} of plain)   "
            f"forward {forward:6.2f} s ({ratio['forward']:.2f} of plain), {rate:.0f} GF/s, "
            f"{rate / ceiling:.0%} of the ceiling"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], json.loads(sys.argv[3]))
    else:
        app.run(main)

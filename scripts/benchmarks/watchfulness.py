"""Measures what monitoring a run costs: processor time with `Watch` and `Arrivals`, and without.

    python scripts/benchmarks/watchfulness.py --network=micro

Two templates with the same seed are trained by `fit` on one repeated batch, in alternating epochs
of ``--steps`` steps. With monitoring, progress is written as in `vdroppath train`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from absl import app, flags

NETWORK = flags.DEFINE_string("network", "micro", "name of a network of the zoo")
FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip")
SIZE = flags.DEFINE_integer("size", 32, "height and width of a frame in pixels")
BATCH = flags.DEFINE_integer("batch", 16, "number of clips per step")
STEPS = flags.DEFINE_integer("steps", 32, "number of steps per epoch")
ROUNDS = flags.DEFINE_integer("rounds", 15, "number of pairs of timed epochs")
PARTS = flags.DEFINE_bool("parts", False, "time the monitoring by itself, without training")
CLASSES = 4
_CALLS = 2000


def parts(folder: Path) -> None:
    """Prints the processor time of monitoring, per step and at the end of an epoch."""
    import tensorflow as tf

    from vdroppath_tf.training import RECIPES, Phase
    from vdroppath_tf.training.arrivals import Arrivals
    from vdroppath_tf.training.clips import RecipeClips
    from vdroppath_tf.training.position import Position
    from vdroppath_tf.training.watch import RunWatch, Watch
    from vdroppath_tf.zoo import get_model

    maker = RecipeClips(RECIPES["small"])
    shared: Any = SimpleNamespace(maker=maker, folder=folder, verbose=0, steps_per_epoch=_CALLS)
    phase = Phase("search", 1, 0.01, gates=True)
    watch = Watch(RunWatch((phase,), shared), Position(0, 0), None)
    watch.set_model(get_model(f"template_{NETWORK.value}", CLASSES))
    spent = {}

    def timed(name: str, work: Any, calls: int) -> None:
        start = time.process_time()
        work()
        spent[name] = (time.process_time() - start) / calls * 1e3

    def steps() -> None:
        for k in range(_CALLS):
            watch.on_train_batch_begin(k)
            watch.on_train_batch_end(k, {"loss": 1.0})

    def read(clips: Any) -> None:
        for _ in clips.take(_CALLS):
            pass

    timed("begin", lambda: watch.on_epoch_begin(0), 1)
    timed("step", steps, _CALLS)
    timed("end", lambda: watch.on_epoch_end(0, {"loss": 1.0}), 1)
    batches = tf.data.Dataset.from_tensors((tf.zeros((16, 8)), tf.zeros(16))).repeat()
    timed("plain", lambda: read(batches), _CALLS)
    timed("noted", lambda: read(Arrivals().behind(batches)), _CALLS)
    noted = spent["noted"] - spent["plain"]
    print(
        f"template_{NETWORK.value}: monitoring takes {spent['step']:.3f} ms of processor time per "
        f"step, recording a batch {noted:.3f} ms, and an epoch "
        f"{spent['begin'] + spent['end']:.1f} ms more"
    )


def epoch_of(watched: bool, data: Any, folder: Path) -> Any:
    """Returns a function that trains a new template for one epoch."""
    import keras

    from vdroppath_tf.training import RECIPES, Phase
    from vdroppath_tf.training.arrivals import Arrivals
    from vdroppath_tf.training.clips import RecipeClips
    from vdroppath_tf.training.fit import prepare
    from vdroppath_tf.training.position import Position
    from vdroppath_tf.training.run_folder import RunFolder
    from vdroppath_tf.training.watch import RunWatch, Watch
    from vdroppath_tf.zoo import get_model

    keras.utils.set_random_seed(0)
    recipe = RECIPES["small"].replace(batch_size=BATCH.value)
    phase = Phase("search", 1, 0.01, gates=True)
    model = get_model(f"template_{NETWORK.value}", CLASSES, num_train_examples=1000)
    prepare(model, phase, recipe, STEPS.value)

    shared: Any = SimpleNamespace(  # the state that a run shares, without videos
        clips=None,
        maker=RecipeClips(recipe),
        kept=RunFolder(folder),
        folder=folder,
        verbose=0,
        steps_per_epoch=STEPS.value,
    )
    whole, arrivals = RunWatch((phase,), shared), Arrivals()
    stream = arrivals.behind(data) if watched else data  # only once, as in a phase of a run

    def train() -> None:
        callbacks = [Watch(whole, Position(0, 0), arrivals)] if watched else []
        model.fit(
            stream, steps_per_epoch=STEPS.value, callbacks=callbacks, verbose=0, shuffle=False
        )

    return train


def main(argv: list[str]) -> None:
    """Times alternating epochs with and without monitoring."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    if PARTS.value:
        with tempfile.TemporaryDirectory() as folder:
            parts(Path(folder))
        return
    import warnings

    import tensorflow as tf

    from vdroppath_tf.spaces.notices import SpaceWarning

    warnings.simplefilter("ignore", SpaceWarning)
    rng = np.random.default_rng(0)
    shape = (BATCH.value, FRAMES.value, SIZE.value, SIZE.value, 3)
    clips = tf.constant(rng.integers(0, 256, shape, np.uint8))
    labels = tf.constant(rng.integers(0, CLASSES, BATCH.value))
    data = tf.data.Dataset.from_tensors((clips, labels)).repeat()
    with tempfile.TemporaryDirectory() as folder:
        epochs = {watched: epoch_of(watched, data, Path(folder)) for watched in (False, True)}
        ratios, seconds = [], []
        for n in range(ROUNDS.value + 1):
            took = {}
            for watched in (False, True) if n % 2 else (True, False):
                start = time.process_time()
                epochs[watched]()
                took[watched] = time.process_time() - start
            if n:  # the first epochs build the graphs
                ratios.append(took[True] / took[False])
                seconds.append(took[False] / STEPS.value)
    low, middle, high = (statistics.quantiles(ratios, n=4)[k] for k in range(3))
    print(
        f"{NETWORK.value}, {shape} clips: a step takes {statistics.median(seconds) * 1e3:.0f} ms "
        f"of processor time; with monitoring, {middle:.3f} of it (quartiles {low:.3f} to "
        f"{high:.3f}, "
        f"{ROUNDS.value} pairs of epochs of {STEPS.value} steps)"
    )


if __name__ == "__main__":
    app.run(main)

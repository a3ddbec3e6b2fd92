"""Measures what reusing features saves on a stream, relative to running the whole window.

    python scripts/benchmarks/stream_saving.py --network=resnet50 --size=112

Prints a line for each strategy and hop: the share of the multiply-adds, the share of the processor
time (medians of interleaved rounds, one thread), and the largest difference of probabilities.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from vdroppath_tf.models.families import fusion_layers_of
from vdroppath_tf.scoring import EndlessClassifier, StreamingClassifier
from vdroppath_tf.zoo import get_model

NETWORK = flags.DEFINE_string("network", "micro", "name of a network with temporal strides of 1")
SIZE = flags.DEFINE_integer("size", 112, "height and width of a frame in pixels")
WINDOW = flags.DEFINE_integer("window", 16, "number of frames of a window")
HOPS = flags.DEFINE_list("hops", ["1", "4", "8"], "numbers of frames from one window to the next")
ROUNDS = flags.DEFINE_integer("rounds", 7, "interleaved rounds; 0 only counts multiply-adds")


def strategies(layers: int) -> dict[str, str]:
    """Returns strategies with few layers of ST, all late, with every other one, and with all."""
    late = max(1, layers // 6)
    return {
        f"S, the last {late} ST": " ".join(["S"] * (layers - late) + ["ST"] * late),
        "ST in every other layer": " ".join(["ST", "S"] * (layers // 2) + ["S"] * (layers % 2)),
        "S+ST everywhere": " ".join(["S+ST"] * layers),
    }


def timed(run: Callable[[Any], Any], frames: Any) -> tuple[float, Any]:
    """Runs a function on frames, and returns its processor seconds and its result."""
    start = time.process_time()
    found = run(frames)
    return time.process_time() - start, found


def measure(title: str, strategy: str, hop: int) -> str:
    """Measures one strategy with one hop, and returns a line of the table."""
    frame = (SIZE.value, SIZE.value)
    network = get_model(f"derived_{NETWORK.value}", strategy, 174)
    stream = StreamingClassifier(network, frame, window=WINDOW.value, hop=hop)
    if not ROUNDS.value:
        return f"| {title} | {hop} | {stream.cost.share:.2f} | | | |"
    endless = EndlessClassifier(network, frame, window=WINDOW.value, hop=hop)
    rng = np.random.default_rng(0)
    count = WINDOW.value + hop * (ROUNDS.value + 1)
    frames = rng.integers(0, 256, (count, *frame, 3), "uint8")
    whole = tf.function(lambda clip: network(clip, training=False), autograph=False)
    first = WINDOW.value + hop
    stream.push(frames[:first])
    endless.push(frames[: hop * (first // hop)])
    whole(frames[None, : WINDOW.value])
    times: dict[str, list[float]] = {"stream": [], "whole": [], "endless": []}
    furthest = 0.0
    for k in range(ROUNDS.value):
        new = frames[first + k * hop : first + (k + 1) * hop]
        clip = frames[None, first + (k + 1) * hop - WINDOW.value : first + (k + 1) * hop]
        taken, answers = timed(stream.push, new)
        times["stream"].append(taken)
        taken, logits = timed(whole, clip)
        times["whole"].append(taken)
        times["endless"].append(timed(endless.push, new)[0])
        want = tf.nn.softmax(logits)[0].numpy()
        furthest = max(furthest, float(np.abs(answers[0].probabilities - want).max()))
    medians = {name: statistics.median(found) for name, found in times.items()}
    return (
        f"| {title} | {hop} | {stream.cost.share:.2f} | {medians['stream'] / medians['whole']:.2f} "
        f"| {furthest:.0e} | {medians['endless'] / medians['whole']:.2f} |"
    )


def main(_: list[str]) -> None:
    """Prints the table."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("| strategy | hop | multiply-adds | time | difference | endless, time |")
    print("| --- | --- | --- | --- | --- | --- |")
    for title, strategy in strategies(len(fusion_layers_of(NETWORK.value))).items():
        for hop in HOPS.value:
            print(measure(title, strategy, int(hop)), flush=True)


if __name__ == "__main__":
    app.run(main)

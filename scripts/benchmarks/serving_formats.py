"""Measures processor time, memory and differences of a network in every exported format.

    python scripts/benchmarks/serving_formats.py --network=resnet50 --out=formats

The same clip runs through all formats in turns, on one core. The ratio in a round is the processor
time of a format over that of the SavedModel without folding, and the median over rounds is printed.
A turn starts with an untimed inference, since other formats have evicted its data from the caches,
and continues with timed ones. The rows with frozen weights are SavedModels as ``vdroppath serve``
runs them: TensorFlow takes that setting for a whole process, so each has a separate one, which
takes its turns with the others. Memory is what a fresh process needs beyond its imports.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = (8, 112, 112)
CLASSES = 174
FORMATS = ("saved_model", "onnx", "openvino", "openvino-int8", "litert")
PLAIN = "SavedModel, not folded"
KERAS = "network.keras"
FROZEN = ", weights frozen"  # a suffix of the names of SavedModels
SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # as vdroppath_tf sets it; Keras is imported before
    "TF_CPP_MIN_LOG_LEVEL": "3",
    **dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
}
FROZEN_ENV = {**os.environ, **SETTINGS, "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": "1"}


def clips(count: int) -> np.ndarray:
    """Returns clips of coarse moving patterns, uint8 ``(count, *SHAPE, 3)``."""
    rng = np.random.default_rng(0)
    found = np.empty((count, *SHAPE, 3), np.uint8)
    for clip in found:
        picture = rng.integers(0, 256, (16, 16, 3)).repeat(9, 0).repeat(9, 1)
        down, right = rng.integers(-4, 5, 2)
        for t in range(SHAPE[0]):
            moved = np.roll(picture, (int(down) * t, int(right) * t), (0, 1))
            clip[t] = np.clip(moved[:112, :112] + rng.normal(0, 8, (112, 112, 3)), 0, 255)
    return found


def network_of(name: str) -> Any:
    """Returns a network whose batch norms have random values, so that folding has an effect."""
    from vdroppath_tf import zoo

    if name == "micro":
        strategy = "S S+ST ST ST S+ST ST"
    elif name == "densenet121":
        strategy = str(zoo.published_strategy("something-something-v1"))
    else:
        strategy = str(zoo.observed(name))
    network = zoo.get_model(f"derived_{name}", strategy, CLASSES, clip_shape=SHAPE)
    rng = np.random.default_rng(1)
    for weight in network.weights:
        kind = weight.path.rpartition("/")[2]
        if kind in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.8, 1.2, weight.shape))
        elif kind in ("beta", "moving_mean"):
            weight.assign(rng.normal(0.0, 0.1, weight.shape))
    return network


def written_before(name: str, out: Path, formats: Sequence[str]) -> dict[str, Path]:
    """Returns the artefacts that an earlier run wrote, by format."""
    folder = out / name / "1"
    formats = [each for each in formats if each == "saved_model" or (folder / each).is_dir()]
    places = {each: folder if each == "saved_model" else folder / each for each in formats}
    return {PLAIN: out / name / "plain", **places}


def write(
    name: str, out: Path, network: Any, formats: Sequence[str], count: int
) -> dict[str, Path]:
    """Exports a network in all formats, and returns the artefacts, by format."""
    from vdroppath_tf import serving
    from vdroppath_tf.data import ClipSampling

    options: dict[str, Any] = {
        "sampling": ClipSampling(SHAPE[0], crop=SHAPE[1]),
        "clips": clips(count),
    }
    (out / name).mkdir(parents=True, exist_ok=True)
    network.save(out / name / KERAS)
    plain = serving.export_saved_model(
        network, out / name / "plain", fold=False, overwrite=True, **options
    )
    written = serving.export_formats(network, out / name / "1", formats, overwrite=True, **options)
    return {PLAIN: plain, **{one.format: one.path for one in written}}


def measure(name: str, rounds: int, answers: int, paths: dict[str, Path], out: Path) -> None:
    """Times all formats in turns, and prints their times, differences and memory."""
    import keras

    import vdroppath_tf  # noqa: F401  registers its layers with Keras
    from vdroppath_tf.serving import load_artefact

    clip = clips(1)
    turns: dict[str, Callable[[int], float]] = {}
    if (out / name / KERAS).is_file():
        network = keras.saving.load_model(out / name / KERAS)
        turns["Keras predict"] = turn_of(lambda: network.predict(clip, verbose=0))
    with ExitStack() as processes:
        for kind, path in paths.items():
            if kind.endswith(FROZEN):
                turns[kind] = processes.enter_context(apart(path))
            else:
                served = load_artefact(path)
                turns[kind] = turn_of(lambda served=served: served.answer(clip))  # type: ignore[misc]
        spent = timed(turns, rounds, answers)
    base = np.array(spent[PLAIN])
    print(f"keras {keras.__version__}, {rounds} rounds of {answers}, one core, clip {SHAPE}")
    for kind, times in spent.items():
        low, ratio, high = np.quantile(np.array(times) / base, [0.25, 0.5, 0.75])
        differs = difference_of(paths[kind]) if kind in paths else ""
        print(
            f"{name} | {kind} | {ratio:.2f} ({low:.2f} to {high:.2f}) | "
            f"{1e3 * np.median(times):.1f} ms | {differs}",
            flush=True,
        )
    for kind, path in paths.items():
        print(f"{name} | {kind} | {memory_of(kind, path)}", flush=True)


def timed(
    turns: dict[str, Callable[[int], float]], rounds: int, answers: int
) -> dict[str, list[float]]:
    """Returns the processor seconds of an inference of each kind, for each round."""
    spent: dict[str, list[float]] = {kind: [] for kind in turns}
    for round_ in range(rounds + 1):
        for kind, turn in turns.items():
            seconds = turn(answers)
            if round_:  # the first round is a warm-up
                spent[kind].append(seconds)
    return spent


def turn_of(call: Callable[[], Any]) -> Callable[[int], float]:
    """Returns a function that takes a turn: the processor seconds of one of several inferences."""

    def turn(answers: int) -> float:
        call()
        start = time.process_time()
        for _ in range(answers):
            call()
        return (time.process_time() - start) / answers

    return turn


@contextmanager
def apart(path: Path) -> Iterator[Callable[[int], float]]:
    """Yields a function that takes a turn in another process, with frozen weights."""
    command = [sys.executable, __file__, "--answer", str(path)]
    pipe: Any = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=FROZEN_ENV) as process:

        def turn(answers: int) -> float:
            print(answers, file=process.stdin, flush=True)
            return float(process.stdout.readline())  # type: ignore[union-attr]

        yield turn
        process.stdin.close()  # type: ignore[union-attr]


def answer(path: Path) -> None:
    """Takes a turn for each line of standard input, and prints its processor seconds."""
    from vdroppath_tf.serving import load_artefact

    served, clip = load_artefact(path), clips(1)
    turn = turn_of(lambda: served.answer(clip))
    for line in sys.stdin:
        print(turn(int(line)), flush=True)


def difference_of(path: Path) -> str:
    """Returns how much the logits differ from the network's, according to the manifest."""
    from vdroppath_tf.serving.beside import read_manifest

    manifest = read_manifest(path) or {}
    found = manifest["difference"]
    same = f"; {manifest['same_answers']:.0%} same" if "same_answers" in manifest else ""
    return f"{found['largest']:.1e} of {found['largest_logit']:.1f}{same}"


MEMORY = """
import re, sys
import numpy as np
def held():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
from vdroppath_tf.serving import load_artefact
if sys.argv[2] == "saved_model":
    import tensorflow
before = held()
served = load_artefact(sys.argv[1])
for _ in range(3):
    served.answer(np.zeros((1, {}, {}, {}, 3), np.uint8))
print("held", held() - before, held())
"""


def memory_of(kind: str, path: Path) -> str:
    """Returns the memory of a fresh process, beyond its imports and in total."""
    runtime = "saved_model" if kind.removesuffix(FROZEN) in (PLAIN, "saved_model") else kind
    command = [sys.executable, "-c", MEMORY.format(*SHAPE), str(path), runtime]
    environment = FROZEN_ENV if kind.endswith(FROZEN) else os.environ
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    above, whole = re.findall(r"^held (\d+) (\d+)$", done.stdout, re.MULTILINE)[-1]
    return f"{above} of {whole} MB"


def main() -> None:
    """Exports and measures a network; see the top of the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "name of a network of the zoo (default: %(default)s)"
    parser.add_argument("--network", default="micro", help=text)
    text = "folder for the exported files (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path("formats"), help=text)
    text = "number of timed rounds; 0 only exports (default: %(default)s)"
    parser.add_argument("--rounds", type=int, default=11, help=text)
    text = "number of timed inferences per turn (default: %(default)s)"
    parser.add_argument("--answers", type=int, default=3, help=text)
    text = "formats to export and to measure (default: all)"
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS, help=text)
    text = "number of clips on which the files are compared with the network; half of them set the "
    text += "8-bit ranges (default: %(default)s)"
    parser.add_argument("--clips", type=int, default=24, help=text)
    text = "measure the files of an earlier run in --out, and export nothing"
    parser.add_argument("--reuse", action="store_true", help=text)
    text = "take turns with the export PATH, as another process of this script asks for"
    parser.add_argument("--answer", type=Path, metavar="PATH", help=text)
    asked = parser.parse_args()
    if asked.answer is not None:
        answer(asked.answer)
        return
    if asked.rounds:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    name, out, formats = asked.network, asked.out, asked.formats
    if asked.reuse:
        paths = written_before(name, out, formats)
    else:
        paths = write(name, out, network_of(name), formats, asked.clips)
    paths |= {f"{kind}{FROZEN}": paths[kind] for kind in (PLAIN, "saved_model") if kind in paths}
    if asked.rounds:
        measure(name, asked.rounds, asked.answers, paths, out)


if __name__ == "__main__":
    os.environ |= SETTINGS
    main()

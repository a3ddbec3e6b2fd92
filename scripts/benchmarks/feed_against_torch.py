"""Compares the feed with torchcodec and decord, which PyTorch users read videos with.

    PYTHONPATH=scripts:tests/data python scripts/benchmarks/feed_against_torch.py \
        --torch=python-with-torch --folder=data-feed

All of them read the same clips of the same files, 16 frames at a stride of 2, scaled to a short
edge of 128, cropped to 112x112, mirrored and stacked in batches of 8, each in a process of its own
on one core, in turns (``keras_feed.py``, ``torch_feed.py``). `stream_clips` draws other clips of
the same videos. "Kept open": a decoder for each file stays open, which is possible for few files
only; otherwise a clip opens its file. The package's own index of a file is kept between clips.

Before that, each reads the clips at every third start of videos whose frames show their number, and
opens the file for each clip; the table has the frames that are right. Both wall time and processor
time are printed; use the latter if other jobs run on the machine. Ratios are medians over rounds.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import barcode
import numpy as np
from absl import app, flags
from in_turns import Worker, relative

TORCH = flags.DEFINE_string("torch", None, "path of a Python that has PyTorch", required=True)
FOLDER = flags.DEFINE_string("folder", "data-feed", "folder to write the videos and clips to")
LIBRARIES = flags.DEFINE_list("libraries", ["torchcodec", "decord"], "libraries of PyTorch users")
ROUNDS = flags.DEFINE_integer("rounds", 5, "number of turns of each reader", lower_bound=1)
CORE = flags.DEFINE_integer("core", 0, "number of the core that all processes run on")
HERE = Path(__file__).resolve().parent
YARDSTICK = "video files"
JOBS = {
    "ours": [YARDSTICK, "TFRecord", "TFRecord, stream_clips"],
    "torchcodec": [
        *("torchcodec", "torchcodec, kept open"),
        *("torchcodec, approximate", "torchcodec, approximate, kept open"),
    ],
    "decord": ["decord", "decord, kept open"],
}


def started(python: str, script: str, *arguments: str) -> Worker:
    """Starts one of the processes, with one thread for operations."""
    one = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **one}
    return Worker([python, str(HERE / script), *arguments], environment)


def is_number(frame: np.ndarray, number: int) -> bool:
    """Returns whether a frame shows this number, and not a mixture of two."""
    try:
        return barcode.number(frame) == number
    except AssertionError:
        return False


def right(file: Path, clips: list[list[int]]) -> tuple[int, int]:
    """Counts the frames of a stored reading that are right, and all of them."""
    wanted = [number for clip in clips for number in clip]
    frames = np.load(file)
    found = [is_number(frame, number) for frame, number in zip(frames, wanted, strict=True)]
    return sum(found), len(found)


def print_exactness(folder: Path, workers: dict[str, Worker], videos: list[Any]) -> None:
    """Prints how many frames each reader found right, and the errors that it raised."""
    readers = [name for worker in workers.values() for name in worker.about["names"]]
    print("| frames that are right | " + " | ".join(readers) + " |")
    print("| --- |" + " --- |" * len(readers))
    for file, clips in videos:
        name = Path(file).name
        cells = [right(folder / "frames" / reader / f"{name}.npy", clips) for reader in readers]
        print(f"| {name} | " + " | ".join(f"{good:,} of {all_:,}" for good, all_ in cells) + " |")
    for worker in workers.values():
        for place, message in worker.about["errors"].items():
            print(f"{place}: {message[:200]}")


def print_rates(times: dict[str, list[list[float]]], count: int) -> None:
    """Prints the processor time of a clip and the rates of all jobs."""
    base = [processor for _, processor in times[YARDSTICK]]
    print("| | processor time of a clip | clips/s of a core | wall, clips/s | of video files |")
    print("| --- | --- | --- | --- | --- |")
    for job, spent in times.items():
        wall, processor = (statistics.median(part) / count for part in zip(*spent, strict=True))
        faster = relative(base, [processor for _, processor in spent])
        print(f"| {job} | {1000 * processor:.1f} ms | {1 / processor:.1f} ", end="")
        print(f"| {1 / wall:.1f} | {faster:.2f} |")


def main(argv: list[str]) -> None:
    """Runs all rounds, and prints the tables."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    os.sched_setaffinity(0, {CORE.value})
    folder = Path(FOLDER.value).resolve()
    workers = {"ours": started(sys.executable, "keras_feed.py", str(folder))}
    given = str(folder / "clips.json")
    workers |= {n: started(TORCH.value, "torch_feed.py", n, given) for n in LIBRARIES.value}
    about = workers["ours"].about
    print(time.strftime("%Y-%m-%d"), end=", ")
    print(", ".join(f"{name} {worker.about['version']}" for name, worker in workers.items()))
    print_exactness(folder, workers, about["videos"])
    sys.stdout.flush()
    times: dict[str, list[list[float]]] = {}
    for number in range(ROUNDS.value + 1):
        for name, worker in workers.items():
            for job in JOBS[name]:
                spent = worker.time(job)
                if number:  # the first round traces functions and fills caches
                    times.setdefault(job, []).append(spent)
    for worker in workers.values():
        worker.close()
    print(f"\n{about['count']} clips a turn, medians of {ROUNDS.value} rounds\n")
    print_rates(times, about["count"])


if __name__ == "__main__":
    app.run(main)

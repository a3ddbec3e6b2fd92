"""Trains for a while under all disturbances: kills, signals, damaged videos and a full disk.

    python scripts/survive/soak.py --minutes=60

`vdroppath train` is started repeatedly in the same folder. Each start is undisturbed, killed
(SIGKILL), requested to stop (SIGTERM, SIGINT), or runs on a disk on which no file can grow beyond a
few bytes. One task is intact, the other has videos that cannot be read. A run must end with the
same bytes as the undisturbed run; no start may end with a traceback or with an undocumented exit
code.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import kill_points

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
CODES = {
    "SIGKILL": -signal.SIGKILL,
    "SIGTERM": 143,
    "SIGINT": 130,
    "full disk": 1,
    "undisturbed": 0,
}
ROOM = (0, 2_000, 30_000)  # largest sizes of a file on a full disk, in bytes
EVENTS = ("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "full disk")
MOST = 5  # disturbed starts of a run
CLIPS = (64, 16, 8)


def damage(task: Path) -> None:
    """Replaces two training videos by text, and truncates a validation video."""
    for video in sorted((task / "train").iterdir())[3:5]:
        video.write_bytes(b"no video")
    video = sorted((task / "validation").iterdir())[1]
    video.write_bytes(video.read_bytes()[:200])


def command(task: Path, run: Path, network: str) -> list[str]:
    """Returns the command of the training."""
    data = [f"--data={task}/train.txt", f"--validation={task}/validation.txt", f"--out={run}"]
    sizes = [
        f"--network={network}",
        "--frames=4",
        "--batch_size=8",
        "--picture_every=0",
        "--max_bad_fraction=0.2",
    ]
    phases = ["--warmup_epochs=1", "--search_epochs=3", "--save_every=2"]
    return [sys.executable, "-m", "vdroppath_tf", "train", *data, *sizes, *phases]


def full_disk(room: int) -> Callable[[], None]:
    """Returns a function that limits the files of a new process to ``room`` bytes."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return limit


class Soak:
    """Disturbs one run after another, and records the faults."""

    def __init__(self, home: Path, network: str, seed: int) -> None:
        self.home, self.network, self.rng = home, network, random.Random(seed)
        self.expected: dict[str, dict[str, str]] = {}
        self.seconds = 0.0  # wall time of an undisturbed run
        self.starts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.slowest = 0.0  # longest time from a signal to the end of its process, in seconds

    def prepare(self) -> None:
        """Writes both tasks, and trains an undisturbed run of each."""
        for name in ("whole", "damaged"):
            task = self.home / name / "task"
            kill_points.write_clips(task, CLIPS)
            if name == "damaged":
                damage(task)
            run = self.home / name / "undisturbed"
            began = time.monotonic()
            self.start(task, run, "undisturbed")
            self.seconds = time.monotonic() - began
            self.expected[name] = kill_points.end_of(run)

    def start(self, task: Path, run: Path, event: str) -> int:
        """Starts one process, disturbs it, and returns its exit code."""
        limit = full_disk(self.rng.choice(ROOM)) if event == "full disk" else None
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(
                command(task, run, self.network),
                stdout=said,
                stderr=said,
                env=quiet,
                preexec_fn=limit,
            )
            if event in SIGNALS:
                self._signal(process, event)
            code = process.wait()
            said.seek(0)
            text = said.read()
        self.starts[event] += 1
        # A signal at the very end leaves the code 0; one before Python handles it gives its number.
        expected = {CODES[event], 0} | ({-SIGNALS[event]} if event in SIGNALS else set())
        if "Traceback" in text and not _before_the_handler(text):
            self._amiss(f"{event}: traceback\n{text[-2000:]}")
        elif code not in expected:
            self._amiss(f"{event}: exit code {code}\n{text[-2000:]}")
        return code

    def _amiss(self, fault: str) -> None:
        self.faults.append(fault)
        print(fault, flush=True)

    def _signal(self, process: subprocess.Popen[bytes], event: str) -> None:
        try:
            process.wait(self.rng.uniform(0, self.seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(SIGNALS[event])
            began = time.monotonic()
            process.wait()
            self.slowest = max(self.slowest, time.monotonic() - began)

    def run(self, number: int) -> None:
        """Trains one run that is disturbed a few times, and compares its end."""
        name = self.rng.choice(sorted(self.expected))
        task, run = self.home / name / "task", self.home / name / f"run{number}"
        events: list[str] = []
        for _ in range(self.rng.randint(1, MOST)):
            events.append(self.rng.choice(EVENTS))
            if self.start(task, run, events[-1]) == 0:
                break
        else:
            self.start(task, run, "undisturbed")
        found, expected = kill_points.end_of(run), self.expected[name]
        different = sorted(key for key in expected if found.get(key) != expected[key])
        if different:
            self._amiss(f"{name}, {', '.join(events)}: differs in {', '.join(different)}")
        told = "differs" if different else "byte-equal"
        print(f"run {number}, {name}: {', '.join(events)}: {told}", flush=True)
        shutil.rmtree(run)


def _before_the_handler(text: str) -> bool:
    """Returns whether Python was interrupted while it was importing, before anything began."""
    return "KeyboardInterrupt" in text and "import" in text and "training/" not in text


def main() -> int:
    """Runs for the requested time, prints the counts, and returns 1 if there is a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "duration in minutes (default: %(default)g)"
    parser.add_argument("--minutes", type=float, default=60, help=text)
    text = "name of a network of the zoo, or a file of zoo.save_row (default: %(default)s)"
    parser.add_argument("--network", default="micro", help=text)
    text = "seed of the order and the times of the disturbances (default: %(default)s)"
    parser.add_argument("--seed", type=int, default=0, help=text)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), options.network, options.seed)
        soak.prepare()
        end, number = time.monotonic() + 60 * options.minutes, 0
        while time.monotonic() < end:
            number += 1
            soak.run(number)
    counts = ", ".join(f"{count} {event}" for event, count in sorted(soak.starts.items()))
    print(f"{options.minutes:g} minutes, {number} runs, starts: {counts}")
    print(f"at most {soak.slowest:.1f} s from a signal to the end; {len(soak.faults)} faults")
    return int(bool(soak.faults))


if __name__ == "__main__":
    sys.exit(main())

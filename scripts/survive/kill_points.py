"""Kills a training at random times, resumes it, and compares its end with an undisturbed run's.

    python scripts/survive/kill_points.py --kills=30

A run is killed (SIGKILL) after a random time, resumed and killed again, until it ends; then the
next run begins, until the requested number of kills is reached. Each run must end with the same
bytes as the undisturbed run: weights, optimizer, gates, seeds, history and TensorBoard's points. A
kill can happen at any time after the first step: in a step, in a save, or between two phases.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BEGUN = "begun"  # a file that the run writes after its first step


def write_clips(task: Path, clips: tuple[int, int, int]) -> None:
    """Writes small clips of a known-answer task, the given numbers for each split."""
    from vdroppath_tf.experiments.tasks import Difficulty, write_task

    write_task(task, clips=clips, difficulty=Difficulty(frames=4, size=16, shape=5.0))


def train_once(
    task: Path, folder: Path, replicas: int, save_every: str, network: str = "micro"
) -> None:
    """Trains a template network to the end; each call runs in a separate process."""
    import tensorflow as tf

    from vdroppath_tf import data, training
    from vdroppath_tf.zoo.rows import load_row, values_of

    scope: Any = contextlib.nullcontext
    if replicas > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * replicas
        tf.config.set_logical_device_configuration(cpu, parts)
        devices = [f"/cpu:{k}" for k in range(replicas)]
        scope = tf.distribute.MirroredStrategy(devices).scope
    recipe = training.RECIPES["small"].replace(
        batch_size=8,
        sampling=data.ClipSampling(4),
        warmup=training.Phase("warmup", 2, 0.05),
        search=training.Phase("search", 3, 0.05, gates=True),
    )
    recipe = recipe.replace(network=network)
    if network.endswith(".json"):
        row = load_row(network)
        recipe = recipe.replace(network=row.name, row=values_of(row))
    clips = training.Clips(
        data.open_manifest(task / "train.txt"), data.open_manifest(task / "validation.txt")
    )
    with scope():
        model = training.build_template(recipe, clips)
    begun, phases = folder.parent / BEGUN, recipe.template_phases()
    kept = training.RunFolder(folder, save_every=save_every, picture_every=0)
    history = training.train(
        model, phases, recipe, clips, folder=kept, on_step=lambda: begun.touch()
    )
    (folder / "history.json").write_text(json.dumps(history))


def end_of(folder: Path) -> dict[str, str]:
    """Returns SHA-256 digests of a run's results: checkpoints, history, TensorBoard's points."""
    found = {"history": hashlib.sha256((folder / "history.json").read_bytes()).hexdigest()}
    for name in sorted(p.name for p in folder.glob("checkpoint-*")):
        for file in sorted((folder / name).glob("weights.data*")):
            content = file.read_bytes() if file.is_file() else b"no file"
            found[f"{name}/{file.name}"] = hashlib.sha256(content).hexdigest()
    found["tensorboard"] = hashlib.sha256(json.dumps(points_of(folder)).encode()).hexdigest()
    return found


MEMORY = "speed/memory_host_gb"  # logged every epoch, unlike speeds: an epoch may have no step


def points_of(folder: Path) -> list[tuple[int, str, float]]:
    """Returns the step, name and value of every point, sorted; a repeated point is listed twice.

    Measurements of speed and memory differ between runs: speeds are left out, and of the memory
    only the steps are compared.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"tensors": 0})
    events.Reload()
    found = [
        (event.step, name, float(tensor_util.make_ndarray(event.tensor_proto)))
        for name in events.Tags()["tensors"]
        if not name.startswith("speed/")
        for event in events.Tensors(name)
    ]
    memory = [(event.step, MEMORY, 0.0) for event in events.Tensors(MEMORY)]
    return sorted(found + memory)


class Runs:
    """Starts trainings as separate processes, and kills them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        names = ("replicas", "save_every", "network")
        self.options = [f"--{name}={getattr(options, name)}" for name in names]

    def start(self, run: Path) -> subprocess.Popen[bytes]:
        """Returns a process that begins or resumes the training in a folder."""
        (run.parent / BEGUN).unlink(missing_ok=True)
        own = ["--child", str(self.folder / "task"), str(run)]
        command = [sys.executable, __file__, *own, *self.options]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.Popen(command, stderr=subprocess.PIPE, env=quiet)

    def to_the_end(self, run: Path) -> float:
        """Trains to the end, and returns the time after the first step in seconds."""
        process = self.start(run)
        begun = wait_for(run.parent / BEGUN, process)
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"The run failed:\n{said.decode()}")
        return time.monotonic() - begun

    def with_kills(self, run: Path, seconds: float, kills: int, rng: random.Random) -> int:
        """Trains to the end with at most ``kills`` kills, and returns their number.

        A kill happens up to ``seconds`` after the first step of a process.
        """
        done = 0
        while True:
            process = self.start(run)
            wait_for(run.parent / BEGUN, process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                if done < kills:
                    process.wait(rng.uniform(0, seconds))
                else:
                    process.wait()
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
                done += 1
                continue
            if process.returncode:
                said = process.stderr.read().decode() if process.stderr else ""
                raise SystemExit(f"The run failed after {done} kills:\n{said}")
            return done


def wait_for(mark: Path, process: subprocess.Popen[bytes]) -> float:
    """Waits until a process has written its mark or has ended, and returns the time."""
    while not mark.exists() and process.poll() is None:
        time.sleep(0.05)
    return time.monotonic()


def kill_runs(options: argparse.Namespace, folder: Path) -> int:
    """Kills runs until the number of kills is reached; returns the number of runs that differ."""
    write_clips(folder / "task", (64, 16, 8))
    rng, runs = random.Random(options.seed), Runs(folder, options)
    seconds = runs.to_the_end(folder / "undisturbed" / "run")
    expected = end_of(folder / "undisturbed" / "run")
    print(f"undisturbed: {seconds:.1f} s of training, {len(expected)} digests", flush=True)
    kills = others = number = 0
    while kills < options.kills:
        number += 1
        run = folder / f"killed{number}" / "run"
        run.parent.mkdir()
        done = runs.with_kills(run, seconds, options.kills - kills, rng)
        kills += done
        found = end_of(run)
        different = sorted(key for key in expected if found.get(key) != expected[key])
        others += bool(different)
        told = f"differs in {', '.join(different)}" if different else "byte-equal"
        print(f"run {number}: {done} kills, {told} ({kills} of {options.kills})", flush=True)
    print(f"{kills} kills in {number} runs, {number - others} runs byte-equal, {others} not")
    return others


def main() -> int:
    """Kills the requested number of times; returns 1 if a run ends differently, otherwise 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "number of kills (default: %(default)s)"
    parser.add_argument("--kills", type=int, default=30, help=text)
    text = "number of replicas that share the processor (default: %(default)s)"
    parser.add_argument("--replicas", type=int, default=1, help=text)
    text = "steps between checkpoints, or a time such as 2s (default: %(default)s)"
    parser.add_argument("--save_every", default="1", help=text)
    text = "name of a network of the zoo, or a file of zoo.save_row (default: %(default)s)"
    parser.add_argument("--network", default="micro", help=text)
    text = "seed of the times of the kills (default: %(default)s)"
    parser.add_argument("--seed", type=int, default=0, help=text)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, folder = map(Path, options.child)
        train_once(task, folder, options.replicas, options.save_every, options.network)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "undisturbed").mkdir()
        return int(kill_runs(options, Path(folder)) > 0)


if __name__ == "__main__":
    sys.exit(main())

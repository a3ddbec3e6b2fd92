"""Compares the clips per second of each source with plain PyAV and with training.

    PYTHONPATH=scripts python scripts/benchmarks/data_feed.py --folder=data-feed

Cuts real videos into H.264 files of 320x240 (twice: with x264's default distance between keyframes,
and with a keyframe every 12 frames), and converts the former into the records, frame folders, zips
and HDF5 files that the package reads, all with a short edge of 128. A clip has 16 frames, a stride
of 2 and a crop of 112.

The baseline decodes the same kind of clip with PyAV in a loop, in two threads: it seeks to the
keyframe before the clip, decodes from there, scales and crops. All sources take turns, so that a
change of the machine's speed affects all of them. Rates are medians over rounds, and ratios are
medians of the ratio within each round ("of files": relative to the files with the default GOP). CPU
time is meaningful even while the machine does other work.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import h5py
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from av.video.reformatter import VideoReformatter
from film_clips import cut_films

from vdroppath_tf import zoo
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import ClipSampling, training_clips
from vdroppath_tf.data.clips.positions import dense_indices
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.records.reader import read_records
from vdroppath_tf.data.records.stream import stream_clips
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.zip import FrameZip

FOLDER = flags.DEFINE_string("folder", "data-feed", "folder to write the videos and clips to")
ROUNDS = flags.DEFINE_integer("rounds", 5, "number of turns of each source", lower_bound=1)
SECONDS = flags.DEFINE_float("seconds", 2.0, "duration of each turn in seconds")
VIDEOS = flags.DEFINE_integer("videos", 24, "number of videos of each kind", lower_bound=8)
FRAMES = 150
BATCH = 8
THREADS = 2
EDGE = 128
SAMPLING = ClipSampling(16, stride=2, short_edge=EDGE, crop=112, flip=True)
GOPS = {"default": None, "gop12": 12}
YARDSTICKS = {"default": "PyAV loop, default GOP", "gop12": "PyAV loop, GOP 12"}
FILES = {"default": "video files, default GOP", "gop12": "video files, GOP 12"}
RECORDS = "TFRecord"


def raw_clips(manifest: Manifest) -> Iterator[int]:
    """Decodes clips without end with plain PyAV, and yields the number of clips per batch."""
    rng = np.random.default_rng(0)
    files = [entry.path for entry in manifest]
    pts = {}
    for file in files:
        with av.open(file) as container:
            packets = container.demux(container.streams.video[0])
            pts[file] = sorted(packet.pts for packet in packets if packet.pts is not None)

    def one(job: tuple[str, np.ndarray]) -> np.ndarray:
        file, indices = job
        wanted, clip, reformatter = [pts[file][k] for k in indices], [], VideoReformatter()
        with av.open(file) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            if wanted[0]:
                container.seek(wanted[0], stream=stream)
            for frame in container.decode(stream):
                if frame.pts == wanted[len(clip)]:
                    wide = round(frame.width * EDGE / frame.height)
                    plain = reformatter.reformat(
                        frame, wide, EDGE, "rgb24", interpolation="BILINEAR"
                    )
                    clip.append(plain.to_ndarray()[8:120, 8:120])
                    if len(clip) == len(wanted):
                        return np.stack(clip)
        raise AssertionError(f"{file}: {len(clip)} frames of {len(wanted)}")

    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            chosen = rng.choice(files, BATCH).tolist()
            jobs = [(f, dense_indices(FRAMES, 16, 2, split="train", rng=rng)[0]) for f in chosen]
            yield len(list(pool.map(one, jobs)))


def batches(clips: tf.data.Dataset) -> Iterator[int]:
    """Yields the number of clips of each batch."""
    for clip, _ in clips:
        yield clip.shape[0]


def of_sources(manifest: Manifest, sources: list[FrameSource]) -> Manifest:
    """Returns a manifest of the same videos that reads them from other sources."""
    entries = [
        dataclasses.replace(entry, source=source)
        for entry, source in zip(manifest, sources, strict=True)
    ]
    return dataclasses.replace(manifest, entries=tuple(entries))


def write_frames(records: Manifest, folder: Path) -> dict[str, Manifest]:
    """Writes the JPEG frames of records as folders, zips and HDF5 files, and returns manifests."""
    found: dict[str, list[FrameSource]] = {"frame folders": [], "zips": [], "HDF5": []}
    for number, entry in enumerate(records):
        home = folder / "frames" / f"{number:03d}"
        archive, array = home.with_suffix(".zip"), home.with_suffix(".h5")
        if not array.exists():
            home.mkdir(parents=True, exist_ok=True)
            pictures = [entry.source.jpeg(k) for k in range(FRAMES)]  # type: ignore[attr-defined]
            with zipfile.ZipFile(archive, "w") as out:
                for k, picture in enumerate(pictures, start=1):
                    (home / f"{k:06d}.jpg").write_bytes(picture)
                    out.writestr(f"{k:06d}.jpg", picture)
            with h5py.File(array, "w") as out:
                for k, picture in enumerate(pictures, start=1):
                    out[f"{k:06d}"] = np.frombuffer(picture, np.uint8)
        found["frame folders"].append(FrameFolder(str(home.resolve())))
        found["zips"].append(FrameZip(str(archive.resolve())))
        found["HDF5"].append(Hdf5Frames(str(array.resolve())))
    return {name: of_sources(records, sources) for name, sources in found.items()}


def training_steps() -> Iterator[int]:
    """Trains ``template_micro`` on clips in memory, and yields the number of clips per step."""
    rng = np.random.default_rng(0)
    clips = tf.constant(rng.integers(0, 256, (BATCH, 16, 112, 112, 3)), tf.uint8)
    labels = tf.constant(rng.integers(0, 4, BATCH))
    model = zoo.template_micro(num_train_examples=1000)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss)
    while True:
        model.train_on_batch(clips, labels)
        yield BATCH


def rate(source: Callable[[], Iterator[int]], warm: int) -> tuple[float, float]:
    """Returns the clips per second after a warm-up of ``warm`` batches, and CPU ms per clip."""
    running = source()
    for _ in range(warm):
        next(running)
    start, cpu, count = time.perf_counter(), time.process_time(), 0
    while (spent := time.perf_counter() - start) < SECONDS.value:
        count += next(running)
    return count / spent, 1000 * (time.process_time() - cpu) / count


def sources() -> dict[str, Callable[[], Iterator[int]]]:
    """Writes all the data, and returns every source that is timed, by name."""
    folder = Path(FOLDER.value)
    files = cut_films(folder, videos=VIDEOS.value, frames=FRAMES, gops=GOPS)
    home = folder / "records"
    write_records(home, files["default"], short_edge=EDGE, shards=4)
    records = read_records(home)
    print(f"{VIDEOS.value} videos of {FRAMES} frames in {folder}")

    def feed(manifest: Manifest) -> Callable[[], Iterator[int]]:
        clips = training_clips(
            manifest, SAMPLING, batch_size=BATCH, order=ClipOrder(epochs=None), num_parallel=THREADS
        )
        return lambda: batches(clips)

    stream = stream_clips(home, SAMPLING, batch_size=BATCH, shuffle_buffer=VIDEOS.value)
    steps = training_steps()
    return {
        **{text: lambda g=gop: raw_clips(files[g]) for gop, text in YARDSTICKS.items()},
        **{text: feed(files[gop]) for gop, text in FILES.items()},
        RECORDS: feed(records),
        "TFRecord, stream_clips": lambda: batches(stream),
        **{name: feed(manifest) for name, manifest in write_frames(records, folder).items()},
        "template_micro consumes": lambda: steps,
    }


def main(argv: list[str]) -> None:
    """Times all sources, and prints a table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    timed = sources()
    rates: dict[str, list[float]] = {name: [] for name in timed}
    costs: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS.value):
        for name, source in timed.items():
            per_second, cost = rate(source, warm=6)
            rates[name].append(per_second)
            costs[name].append(cost)

    def ratio(name: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[name], rates[other], strict=True))

    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} CPUs, ", end="")
    print(f"TensorFlow {tf.__version__}, PyAV {av.__version__}")
    print(f"clips of 16x112x112, stride 2; medians of {ROUNDS.value} rounds\n")
    print(f"{'':28}{'clips/s':>9}{'CPU per clip':>13}{'of PyAV, same GOP':>20}{'of files':>10}")
    for name in timed:
        gop = "gop12" if name.endswith("12") else "default"
        of_raw, of_files = ratio(name, YARDSTICKS[gop]), ratio(name, FILES["default"])
        rate_of = statistics.median(rates[name])
        cost = statistics.median(costs[name])
        print(f"{name:28}{rate_of:9.1f}{cost:10.1f} ms{of_raw:20.2f}{of_files:10.2f}")
    slowest = min(timed, key=lambda name: statistics.median(rates[name]))
    print("\nTargets")
    for gop, text in FILES.items():
        print(f"  {text}: {ratio(text, YARDSTICKS[gop]):.2f} of plain PyAV (at least 0.90)")
    print(f"  TFRecord: {ratio(RECORDS, FILES['default']):.1f} times video files (at least 6)")
    print(f"  slowest of all: {slowest} (should be what template_micro consumes)")


if __name__ == "__main__":
    app.run(main)

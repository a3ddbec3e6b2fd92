"""A served network under load: throughput, times, memory, and a version swap.

    python scripts/benchmarks/serve_load.py --seconds=60

Starts ``vdroppath serve`` with an untrained ``micro`` on clips of 8x112x112, and asks it for one
mp4 from clients that are threads of this process. Beside it, decoding ahead in one process.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIZE, FRAMES, CLASSES = 112, 8, 174
_FILMS = 5000


class Client(threading.Thread):
    """Asks for one video, again and again, on one connection."""

    def __init__(self, port: int, video: bytes, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port, self._video, self._stopped = port, video, stop
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.versions: Counter[int] = Counter()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._stopped.is_set():
            begun = time.perf_counter()
            try:
                headers = {"Content-Type": "video/mp4"}
                connection.request("POST", "/predict", self._video, headers)
                response = connection.getresponse()
                data, status = response.read(), response.status
            except OSError:
                connection.close()
                status, data = 0, b""
            self.statuses[status] += 1
            if status == 200:
                self.times.append(time.perf_counter() - begun)
                self.versions[json.loads(data)["version"]] += 1
            elif status == 429:
                time.sleep(0.05)  # as a client should; the answer says a second


class Load(NamedTuple):
    """What clients were answered."""

    seconds: float
    statuses: Counter[int]
    times: list[float]

    def line(self) -> str:
        """Throughput and times."""
        p50, p99 = np.percentile(self.times, [50, 99]) * 1000 if self.times else (0, 0)
        return (
            f"{len(self.times) / self.seconds:.1f} answers/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
            f"statuses {dict(sorted(self.statuses.items()))}"
        )


@contextlib.contextmanager
def asking(port: int, video: bytes, clients: int) -> Iterator[list[Client]]:
    """So many clients ask, until the end of the ``with``; then each waits for its last answer."""
    stop = threading.Event()
    threads = [Client(port, video, stop) for _ in range(clients)]
    for thread in threads:
        thread.start()
    yield threads
    stop.set()
    for thread in threads:
        thread.join(70)


def total(counts: Iterable[Counter[int]]) -> Counter[int]:
    """Of all clients together."""
    return sum(counts, Counter())


def load(port: int, video: bytes, clients: int, seconds: float) -> Load:
    """So many clients for so many seconds."""
    begun = time.perf_counter()
    with asking(port, video, clients) as threads:
        time.sleep(seconds)
    took = time.perf_counter() - begun
    times = [each for thread in threads for each in thread.times]
    return Load(took, total(thread.statuses for thread in threads), times)


class Memory(NamedTuple):
    """Of a process, in MB.

    Its share of the libraries that others have loaded too comes and goes with these others; what is
    its own does not.
    """

    share: float
    own: float

    def line(self) -> str:
        """Both."""
        return f"{self.share:.1f} MB (its own {self.own:.1f})"


def memory(pid: int) -> Memory:
    """The proportional share of the memory of a process, and the part that no file backs."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return Memory(int(found["Pss"]) / 1024, int(found["Anonymous"]) / 1024)


@contextlib.contextmanager
def server(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`vdroppath serve` in a process of its own, and its port."""
    command = [sys.executable, "-m", "vdroppath_tf", "serve", f"micro={folder}", "--port=0"]
    process = subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        yield process, int(address.rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(90)


def processor_time(pid: int) -> float:
    """Seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_process(folder: Path, video: Path, seconds: float) -> tuple[float, float]:
    """Answers a second with decoding ahead in threads, and seconds of processor time for each.

    As for a server, every video is a new one: what is known of a file is kept by its name.
    """
    films = folder / "films"
    if not films.exists():
        films.mkdir()
        for number in range(_FILMS):
            os.link(video, films / f"{number}.mp4")
    code = f"""if True:
        import itertools, time
        from vdroppath_tf import serving
        from vdroppath_tf.data.lists import named_videos
        network = serving.load_artefact({str(folder / "served" / "1")!r})
        entries = itertools.cycle(list(named_videos({str(films)!r})))
        answers = serving.predict_videos(network, entries)
        for _ in range(32):
            next(answers)
        begun, worked, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begun < {seconds}:
            next(answers)
            count += 1
        worked = time.process_time() - worked
        print(count / (time.perf_counter() - begun), worked / count)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rate, worked = done.stdout.split()[-2:]
    return float(rate), float(worked)


def prepare(folder: Path, video: Path | None) -> tuple[Path, Path]:
    """A served network, two versions to come, and a video."""
    from vdroppath_tf import zoo
    from vdroppath_tf.data.clips import ClipSampling
    from vdroppath_tf.data.sources.encode import write_video
    from vdroppath_tf.serving import export_saved_model, write_sampling

    network = zoo.derived_micro("S S+ST ST ST - ST", num_classes=CLASSES)
    path = export_saved_model(network, folder / "served" / "1")
    write_sampling(path, ClipSampling(FRAMES, 2, short_edge=128, crop=SIZE))
    if video is not None:
        video = Path(shutil.copy(video, folder / f"film{video.suffix}"))
    else:
        video = folder / "film.mp4"
        scene = np.random.default_rng(0).integers(0, 256, (30, 60, 3), np.uint8)
        scene = scene.repeat(16, 0).repeat(16, 1)  # over which a camera pans: 320x240, 3 seconds
        frames = np.stack([scene[k : k + 240, 3 * k : 3 * k + 320] for k in range(75)])
        write_video(video, frames, fps=25)
    return folder / "served", video


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of each long load")
    parser.add_argument("--turn_seconds", type=float, default=15.0, help="of each turn")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--swaps", type=int, default=2000, help="requests while versions change")
    parser.add_argument("--video", type=Path, help="default: 75 frames of 320x240 that are made")
    parser.add_argument("--rounds", type=int, default=3, help="served and in process, in turns")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serve_load-"))
    try:
        served, video = prepare(folder, given.video)
        data = video.read_bytes()
        ratios: list[float] = []
        work_ratios: list[float] = []
        for _ in range(given.rounds):
            with server(served) as (process, port):
                load(port, data, given.clients, 3)
                begun = processor_time(process.pid)
                found = load(port, data, given.clients, given.turn_seconds)
                worked = (processor_time(process.pid) - begun) / max(1, len(found.times))
            own, own_worked = in_process(folder, video, given.turn_seconds)
            ratios.append(len(found.times) / found.seconds / own)
            work_ratios.append(own_worked / worked)
            print(f"processor time an answer: served {worked:.4f} s, in process {own_worked:.4f} s")
            print(f"served: {found.line()}\nin process: {own:.1f} answers/s", flush=True)
        for what, each in (("answers a second", ratios), ("answers by work", work_ratios)):
            shown = ", ".join(f"{ratio:.2f}" for ratio in each)
            median = statistics.median(each)
            print(f"{what}, served / in process: {median:.2f}, of {shown}", flush=True)
        with server(served, f"--max_waiting={given.clients}") as (process, port):
            load(port, data, given.clients, 10)
            for clients in (given.clients, 2 * given.clients):
                before = memory(process.pid)
                found = load(port, data, clients, given.seconds)
                after = memory(process.pid)
                said = f"{clients} clients: {found.line()}; {before.line()} -> {after.line()}"
                print(said, flush=True)
        with server(served, "--poll_seconds=0.5") as (_, port):
            swap(served, port, data, given.clients, given.swaps)
    finally:
        shutil.rmtree(folder)


def swap(served: Path, port: int, data: bytes, clients: int, requests: int) -> None:
    """Versions change while clients ask."""
    number = 1
    with asking(port, data, clients) as threads:
        while sum(thread.statuses.total() for thread in threads) < requests:
            time.sleep(5)
            number += 1
            new = served / f".{number}"
            shutil.copytree(served / "1", new)
            os.rename(new, served / str(number))
    statuses = total(thread.statuses for thread in threads)
    versions = total(thread.versions for thread in threads)
    print(f"{number - 1} swaps: statuses {dict(statuses)}, answers by version {dict(versions)}")


if __name__ == "__main__":
    main()

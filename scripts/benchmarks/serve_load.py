"""Puts load on a served network: throughput, latency, memory, and swaps of its version.

    python scripts/benchmarks/serve_load.py --seconds=60

Starts ``vdroppath serve`` with an untrained ``micro`` on clips of 8x112x112, and sends it one mp4
again and again from clients that are threads of this process. For comparison, the same network is
run in a single process whose threads decode ahead.
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
    """Sends one video again and again on one connection."""

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
                time.sleep(0.05)  # a client should wait; the server asks for a second


class Load(NamedTuple):
    """The responses to all clients: the duration, the status codes, and the latencies."""

    seconds: float
    statuses: Counter[int]
    times: list[float]

    def line(self) -> str:
        """Returns the throughput and the latencies as text."""
        p50, p99 = np.percentile(self.times, [50, 99]) * 1000 if self.times else (0, 0)
        return (
            f"{len(self.times) / self.seconds:.1f} answers/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
            f"statuses {dict(sorted(self.statuses.items()))}"
        )


@contextlib.contextmanager
def asking(port: int, video: bytes, clients: int) -> Iterator[list[Client]]:
    """Lets clients send requests until the end of the ``with``; each awaits its last response."""
    stop = threading.Event()
    threads = [Client(port, video, stop) for _ in range(clients)]
    for thread in threads:
        thread.start()
    yield threads
    stop.set()
    for thread in threads:
        thread.join(70)


def total(counts: Iterable[Counter[int]]) -> Counter[int]:
    """Returns the sum of the counts of all clients."""
    return sum(counts, Counter())


def load(port: int, video: bytes, clients: int, seconds: float) -> Load:
    """Puts the load of several clients on the server for some seconds, and returns the results."""
    begun = time.perf_counter()
    with asking(port, video, clients) as threads:
        time.sleep(seconds)
    took = time.perf_counter() - begun
    times = [each for thread in threads for each in thread.times]
    return Load(took, total(thread.statuses for thread in threads), times)


class Memory(NamedTuple):
    """The memory of a server and of the processes that decode for it, in MB.

    Their share of the libraries varies with the other processes that have loaded them; their own
    memory does not.
    """

    share: float
    own: float

    def line(self) -> str:
        """Returns both as text."""
        return f"{self.share:.1f} MB (its own {self.own:.1f})"


def processes(pid: int) -> list[int]:
    """Returns a process and those that it has started: a server and those that decode for it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [
        pid,
        *(int(child) for task in tasks for child in (task / "children").read_text().split()),
    ]


def memory(pid: int) -> Memory:
    """Returns the proportional share of a server's memory, and its memory not backed by files."""
    found: Counter[str] = Counter()
    for each in processes(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]:
            found[line.split(":")[0]] += int(line.split()[1])
    return Memory(found["Pss"] / 1024, found["Anonymous"] / 1024)


@contextlib.contextmanager
def server(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Starts `vdroppath serve` in a separate process, and yields the process and its port."""
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
    """Returns the processor seconds that a server and its processes have used."""
    ticks = 0
    for each in processes(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def in_process(folder: Path, video: Path, seconds: float) -> tuple[float, float]:
    """Measures answers per second in one process that decodes ahead in threads.

    As for a server, every video is a new file, since the index of a file is cached by its name.

    Returns:
        tuple, the answers per second, and the processor seconds per answer.
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
    """Exports a network to serve, writes or copies a video, and returns both paths."""
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
        scene = scene.repeat(16, 0).repeat(16, 1)  # a camera pans over it: 320x240, 3 seconds
        frames = np.stack([scene[k : k + 240, 3 * k : 3 * k + 320] for k in range(75)])
        write_video(video, frames, fps=25)
    return folder / "served", video


def main() -> None:
    """Runs all measurements, and prints them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "duration of each long load in seconds (default: %(default)g)"
    parser.add_argument("--seconds", type=float, default=300.0, help=text)
    text = "duration of each turn in seconds (default: %(default)g)"
    parser.add_argument("--turn_seconds", type=float, default=15.0, help=text)
    text = "number of clients that send requests at the same time (default: %(default)s)"
    parser.add_argument("--clients", type=int, default=4, help=text)
    text = "number of requests while versions change (default: %(default)s)"
    parser.add_argument("--swaps", type=int, default=2000, help=text)
    parser.add_argument(
        "--video", type=Path, help="video to send (default: 75 generated frames of 320x240)"
    )
    text = "number of turns, each served and in one process (default: %(default)s)"
    parser.add_argument("--rounds", type=int, default=3, help=text)
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
            print(
                f"processor time per answer: served {worked:.4f} s, in process {own_worked:.4f} s"
            )
            print(f"served: {found.line()}\nin process: {own:.1f} answers/s", flush=True)
        for what, each in (("answers per second", ratios), ("answers by work", work_ratios)):
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
    """Adds versions of the network while clients send requests, and prints who answered."""
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

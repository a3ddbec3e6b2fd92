"""Starts the processes of a training; if one is lost, ends and restarts all of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Any

from absl import logging

from vdroppath_tf.training.cluster import TF_CONFIG, Cluster

LOST = 75  # EX_TEMPFAIL of sysexits.h: a worker has lost another one; try again
_POLL, _GRACE = 0.2, 10.0  # seconds between polls, and for other processes to end by themselves
_GPUS = "/proc/driver/nvidia/gpus"
_MARK = "VDROPPATH_SUPERVISED"  # in the environment of the processes


def is_supervised() -> bool:
    """Returns whether this process was started by a ``Supervisor``."""
    return _MARK in os.environ


class Supervisor:
    """Runs one command in several processes that train together, or in one.

    Args:
        arguments: The command line of each process, from the name of the command on.
        workers: The number of processes.
        restarts: How often they are restarted if one was lost (killed, or crashed).
    """

    def __init__(self, arguments: Sequence[str], workers: int, restarts: int) -> None:
        self.arguments, self.workers, self.restarts = list(arguments), workers, restarts
        self._running: list[subprocess.Popen[bytes]] = []
        self._logs: list[IO[bytes]] = []
        self._asked: int | None = None  # the signal that this process received

    def run(self) -> int:
        """Runs the training, and returns its exit code, 0 if it finished."""
        before = {n: signal.signal(n, self._pass_on) for n in (signal.SIGTERM, signal.SIGINT)}
        try:
            for attempt in range(self.restarts + 1):
                code = self._once()
                lost = code == LOST or code < 0
                if not lost or self._asked is not None:
                    return 128 - code if code < 0 else code
                left = self.restarts - attempt
                what = "restarts from the last checkpoint" if left else "ends"
                logging.warning("A process of the training was lost (%s); it %s.", _why(code), what)
            return LOST
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, _: Any) -> None:
        self._asked = number
        for process in self._running:
            process.send_signal(number)

    def _once(self) -> int:
        """Runs the processes to their end; returns the code of the first that failed, or 0."""
        self._running = [self._start(n, env) for n, env in enumerate(self._environments())]
        try:
            while True:
                codes = [process.poll() for process in self._running]
                failed = [n for n, code in enumerate(codes) if code]
                if failed:
                    # the worker that failed is more informative than those that lost it
                    time.sleep(_POLL)
                    codes = [process.poll() for process in self._running]
                    first = min(failed, key=lambda n: codes[n] == LOST)
                    self._show(first)
                    return int(codes[first] or 0)
                if all(code == 0 for code in codes):
                    return 0
                time.sleep(_POLL)
        finally:
            self._end_all()

    def _start(self, number: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "vdroppath_tf", *self.arguments]
        environment = {**environment, _MARK: "1"}
        if self.workers > 1:
            command.append("--devices=multiworker")
        if number == 0:
            self._logs = [sys.stderr.buffer]
            return subprocess.Popen(command, env=environment)
        log = tempfile.TemporaryFile()  # noqa: SIM115  read if the process fails, then deleted
        self._logs.append(log)
        return subprocess.Popen(
            [*command, "--verbosity=-1"], env=environment, stdout=log, stderr=log
        )

    def _environments(self) -> list[dict[str, str]]:
        """Returns the environment of each process: the cluster, and its GPUs."""
        if self.workers == 1:
            return [dict(os.environ)]
        hosts = tuple(f"127.0.0.1:{port}" for port in _free_ports(self.workers))
        found = []
        for number, gpus in enumerate(_shares(_gpus(), self.workers)):
            own = {**os.environ, TF_CONFIG: Cluster(hosts, number).tf_config()}
            found.append({**own, "CUDA_VISIBLE_DEVICES": gpus} if gpus is not None else own)
        return found

    def _show(self, number: int) -> None:
        """Logs the last lines of a failed process, except the first, which prints directly."""
        if number == 0:
            return
        log = self._logs[number]
        log.seek(0)
        text = log.read().decode("utf-8", "replace").strip().splitlines()[-15:]
        logging.warning("The last lines of worker %d:\n%s", number, "\n".join(text))

    def _end_all(self) -> None:
        """Ends the running processes; one that waits for a lost worker is killed."""
        end = time.monotonic() + (0.0 if self._asked is None else _GRACE)
        for process in self._running:
            while process.poll() is None and time.monotonic() < end:
                time.sleep(_POLL)
            if process.poll() is None:
                process.kill()
            process.wait()
        for log in self._logs[1:]:
            log.close()
        self._running, self._logs = [], []


def _why(code: int) -> str:
    if code == LOST:
        return "it lost another one"
    return f"by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _free_ports(count: int) -> list[int]:
    """Returns free ports of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _gpus() -> list[str]:
    """Returns the numbers of the GPUs that this process may use."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [one for one in given.split(",") if one and one != "-1"]
    return [str(n) for n in range(len(os.listdir(_GPUS)))] if os.path.isdir(_GPUS) else []


def _shares(gpus: Sequence[str], workers: int) -> list[str | None]:
    """Divides the GPUs among the workers; None if there are none.

    Raises:
        ValueError: If they cannot be divided evenly.
    """
    if not gpus:
        return [None] * workers
    if len(gpus) % workers:
        raise ValueError(
            f"--workers={workers} cannot share the {len(gpus)} GPUs of this machine evenly. Pass "
            "another number, or name the GPUs in CUDA_VISIBLE_DEVICES."
        )
    each = len(gpus) // workers
    return [",".join(gpus[n * each : (n + 1) * each]) for n in range(workers)]

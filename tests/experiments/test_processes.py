"""Jobs in processes of their own: their order, their words, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from process_jobs import fail, job, killed_once, pids

from vdroppath_tf.experiments.processes import in_processes


def test_jobs_one_after_another() -> None:
    said: list[str] = []
    found = in_processes(
        job, [("a", 2), ("b", 3)], 1, log=said.append, on_done=lambda: said.append("done")
    )
    assert found == [("a", 4, 0, os.getpid()), ("b", 9, 0, os.getpid())]
    assert said == ["at 0", "\na: begun", "done", "at 0", "\nb: begun", "done"]


def test_jobs_in_processes(capfd: pytest.CaptureFixture[str]) -> None:
    done: list[int] = []
    found = in_processes(job, [("a", 2), ("b", 3), ("c", 4)], 2, on_done=lambda: done.append(1))
    assert len(done) == 3
    assert [one[:2] for one in found] == [("a", 4), ("b", 9), ("c", 16)]
    assert {place for *_, place, _ in found} <= {0, 1}
    assert os.getpid() not in {pid for *_, pid in found}
    assert len({pid for *_, pid in found}) <= 2  # they last
    said = capfd.readouterr().err
    assert f"b: at {found[1][2]}" in said
    assert "b: begun" in said
    assert "b: b:" not in said


@pytest.mark.parametrize("processes", [1, 2])
def test_no_job_begins_after_a_failure(tmp_path: Path, processes: int) -> None:
    jobs = [("bad", tmp_path), *[(f"waits {k}", tmp_path) for k in range(10)]]
    with pytest.raises(ValueError, match="this one fails"):
        in_processes(fail, jobs, processes)
    known = len(list(tmp_path.iterdir()))
    time.sleep(2.5)  # a job takes one second
    assert known == len(list(tmp_path.iterdir())) < 5


def test_a_killed_worker_costs_its_one_job(tmp_path: Path) -> None:
    """Jobs that run beside it go on, those that are done stay, and it is begun again."""
    names = ["killed", "long", "next", "last"]
    said: list[str] = []
    assert in_processes(killed_once, [(n, tmp_path) for n in names], 2, log=said.append) == names
    assert [len(pids(tmp_path / name)) for name in names] == [2, 1, 1, 1]
    assert len(set(pids(tmp_path / "killed"))) == 2
    assert said == ["killed: its process was killed; the job is started again."]


def always_killed(name: str, *, log: Any, bar_position: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_that_is_killed_each_time_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"(greedy|too): its process was killed 3 times"):
        in_processes(always_killed, [("greedy",), ("too",)], 2, log=lambda _: None)


def threads_of_tensorflow(name: str, *, log: Any, bar_position: int) -> str:
    return os.environ["TF_NUM_INTRAOP_THREADS"]


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)), raising=False)
    assert in_processes(threads_of_tensorflow, [("a",), ("b",)], 2) == ["3", "3"]


def work_for_long(name: str, started: str, *, log: Any, bar_position: int) -> None:
    partial = Path(f"{started}.partial")
    partial.write_text(str(os.getpid()))
    partial.rename(started)
    time.sleep(300)


def wait_for_a_worker(started: str) -> None:
    in_processes(work_for_long, [("long", started)], 2)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for its result does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = f"from test_processes import *; wait_for_a_worker({str(started)!r})"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    try:
        until = time.monotonic() + 120
        while not started.exists() and time.monotonic() < until:
            time.sleep(0.1)
        worker = int(started.read_text())
        assert alive(worker)
    finally:
        parent.kill()
        parent.wait()
    until = time.monotonic() + 30
    while alive(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive(worker)

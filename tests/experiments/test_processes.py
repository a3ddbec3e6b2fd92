"""Jobs in processes of their own: their order, their words, and their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf.experiments.processes import _SPAWN, _worker_pool, in_processes


def job(name: str, number: int, *, log: Any, bar_position: int) -> tuple[str, int, int, int]:
    log(f"at {bar_position}")
    log(f"\n{name}: begun")
    return name, number**2, bar_position, os.getpid()


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
    assert [one[:3] for one in found] == [("a", 4, 0), ("b", 9, 1), ("c", 16, 0)]
    assert os.getpid() not in {pid for *_, pid in found}
    said = capfd.readouterr().err
    assert "b: at 1" in said
    assert "b: begun" in said
    assert "b: b:" not in said


def fail(name: str, begun: Path, *, log: Any, bar_position: int) -> None:
    (begun / name).touch()
    time.sleep(1)
    if name.startswith("bad"):
        raise ValueError("this one fails")


@pytest.mark.parametrize("processes", [1, 2])
def test_no_job_begins_after_a_failure(tmp_path: Path, processes: int) -> None:
    jobs = [("bad", tmp_path), *[(f"waits {k}", tmp_path) for k in range(10)]]
    with pytest.raises(ValueError, match="this one fails"):
        in_processes(fail, jobs, processes)
    known = len(list(tmp_path.iterdir()))
    time.sleep(2.5)  # a job takes one second
    assert known == len(list(tmp_path.iterdir())) < 5


def work_for_long(started: str) -> None:
    partial = Path(f"{started}.partial")
    partial.write_text(str(os.getpid()))
    partial.rename(started)
    time.sleep(300)


def wait_for_a_worker(started: str) -> None:
    with _worker_pool(1, _SPAWN.Event()) as pool:
        pool.submit(work_for_long, started).result()


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

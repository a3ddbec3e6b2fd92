"""Processes that decode for a server: results, errors, deadlines, and processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")

from vdroppath_tf.data.sources.container import LateVideoError, VideoError
from vdroppath_tf.data.sources.deadline import is_late
from vdroppath_tf.serving.server import decoders
from vdroppath_tf.serving.server.asked import asked_of
from vdroppath_tf.serving.server.decoders import Decoders
from vdroppath_tf.serving.server.limits import RefusedError


@pytest.fixture
def one() -> Iterator[Decoders]:
    found = Decoders(1)
    yield found
    found.close()


def _end(seconds: float = 60.0) -> float:
    return time.monotonic() + seconds


def test_results_and_errors_come_back(one: Decoders) -> None:
    assert one.call(divmod, 7, 2, end=_end()) == (3, 1)
    with pytest.raises(ZeroDivisionError) as caught:
        one.call(divmod, 1, 0, end=_end())
    assert "decoder.py" in str(caught.value.__cause__)  # where it was raised
    with pytest.raises(RefusedError, match="Unknown option 'tpo'") as refused:
        one.call(asked_of, {"tpo": "5"}, end=_end())
    assert (refused.value.status, refused.value.code) == (400, "option")


def test_a_deadline_holds_in_the_process(one: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not one.call(is_late, end=_end())
    assert one.call(is_late, end=_end(-1))
    monkeypatch.setattr(decoders, "_GRACE", 0.2)  # what does not look at it is ended
    first = one.call(os.getpid, end=_end())
    begun = time.monotonic()
    with pytest.raises(LateVideoError, match="longer than allowed"):
        one.call(time.sleep, 60, end=_end(0.1))
    assert time.monotonic() - begun < 30
    assert one.call(os.getpid, end=_end()) != first


def test_a_killed_process_costs_one_request(one: Decoders) -> None:
    first = one.call(os.getpid, end=_end())
    with pytest.raises(VideoError, match="was killed: the file is damaged, or"):
        one.call(os.kill, first, signal.SIGKILL, end=_end())
    second = one.call(os.getpid, end=_end())
    assert second != first
    os.kill(second, signal.SIGKILL)  # while it has nothing to do: costs none
    os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
    assert one.call(os.getpid, end=_end()) not in (first, second)


def test_processes_end_with_the_server_and_not_by_ctrl_c() -> None:
    two = Decoders(2)
    pids = {two.call(os.getpid, end=_end()) for _ in range(2)}
    assert len(pids) == 2  # the one that waited longest is next
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    assert {two.call(os.getpid, end=_end()) for _ in range(2)} == pids
    two.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_processes_end_with_a_killed_server() -> None:
    code = (
        "import os, time; from vdroppath_tf.serving.server.decoders import Decoders; "
        "print(Decoders(1).call(os.getpid, end=time.monotonic() + 60), flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    status, until = Path(f"/proc/{int(done.stdout)}/stat"), _end(30)
    while status.exists() and ") Z " not in status.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)

"""Trainings in processes that are watched: restarts, signals, and the GPUs of each process."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from vdroppath_tf.commands import supervisor
from vdroppath_tf.commands.supervisor import LOST, Supervisor

KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


class Started:
    """Short programs that run in place of trainings, and what they were started with."""

    def __init__(self) -> None:
        self.programs: list[str] = []
        self.commands: list[list[str]] = []
        self.gpus: list[str | None] = []

    def __call__(self, command: list[str], env: dict[str, str], **options: Any) -> Any:
        self.commands.append(command[3:])
        self.gpus.append(env.get("CUDA_VISIBLE_DEVICES"))
        program = [sys.executable, "-S", "-c", self.programs[len(self.commands) - 1]]
        return POPEN(program, env=env, **options)


POPEN = subprocess.Popen


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    found = Started()
    monkeypatch.setattr(subprocess, "Popen", found)
    monkeypatch.setattr(supervisor, "_POLL", 0.01)
    return found


def test_a_process_that_is_lost_again_and_again(
    started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    started.programs = [KILLED, f"raise SystemExit({LOST})"]
    assert Supervisor(["train", "--out=run"], 1, 1).run() == LOST
    assert started.commands == [["train", "--out=run"]] * 2
    killed, ended = [line for line in caplog.messages if "was lost" in line]
    assert killed.endswith("was lost (by SIGKILL); it restarts from the last checkpoint.")
    assert ended.endswith("was lost (it lost another one); it ends.")


def test_an_error_is_not_restarted(started: Started) -> None:
    started.programs = ["raise SystemExit(3)"]
    assert Supervisor(["train"], 1, 5).run() == 3
    assert len(started.commands) == 1


def test_a_signal_is_passed_on(started: Started) -> None:
    started.programs = [
        "import os, signal, time; time.sleep(0.5);"  # by then it is known to its parent
        "os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
    ]
    before = signal.getsignal(signal.SIGTERM)
    assert Supervisor(["train"], 1, 5).run() == 128 + signal.SIGTERM
    assert len(started.commands) == 1  # what was asked to end is not started again
    assert signal.getsignal(signal.SIGTERM) is before


def test_gpus_are_shared_evenly(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    started.programs = [""] * 2
    assert Supervisor(["train"], 2, 0).run() == 0
    assert started.gpus == ["4,5", "6,7"]
    assert [command[1] for command in started.commands] == ["--devices=multiworker"] * 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    with pytest.raises(ValueError, match=r"--workers=2 cannot share the 3 GPUs .* evenly\. Pass"):
        Supervisor(["train"], 2, 0).run()

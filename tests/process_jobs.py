"""Jobs for processes of their own: functions of a module, as a worker must find them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any


def job(name: str, number: int, *, log: Any, bar_position: int) -> tuple[str, int, int, int]:
    log(f"at {bar_position}")
    log(f"\n{name}: begun")
    return name, number**2, bar_position, os.getpid()


def fail(name: str, begun: Path, *, log: Any, bar_position: int) -> None:
    (begun / name).touch()
    time.sleep(1)
    if name.startswith("bad"):
        raise ValueError("this one fails")


def killed_once(name: str, folder: Path, *, log: Any, bar_position: int) -> str:
    with (folder / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if name == "killed" and len(pids(folder / name)) == 1:
        while not (folder / "long").exists():  # the other has begun
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "long":
        while not (folder / "killed").exists() or len(pids(folder / "killed")) < 2:
            time.sleep(0.05)
    return name


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().splitlines()]

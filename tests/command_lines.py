"""Command lines that several tests call, what they say, and videos to damage."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple


class Done(NamedTuple):
    code: int
    out: str
    error: str


def said(done: Done, *, code: int = 1) -> str:
    """The one message of a command that failed."""
    assert done.code == code, done.error
    assert "Traceback" not in done.error
    assert done.out == ""
    (message,) = re.findall(r"^vdroppath \w+: .*(?:\n(?!\n).*)*", done.error, re.MULTILINE)
    return message.strip()


def train(task: Path, out: Path, *more: str) -> list[str]:
    flags_ = ["--network=nano", "--frames=4", "--batch_size=8", "--warmup_epochs=1"]
    return ["train", f"--data={task}/train.txt", f"--out={out}", *flags_, *more]


def line_of(task: Path, number: int, text: str) -> None:
    lines = (task / "train.txt").read_text().splitlines()
    lines[number - 1] = text
    (task / "train.txt").write_text("\n".join(lines) + "\n")


def audio_only(path: Path) -> None:
    import wave

    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))


DAMAGE: dict[str, tuple[Any, str]] = {
    "empty": (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
    "garbage": (lambda path: path.write_bytes(b"not a video " * 99), "damaged or not a video"),
    "cut short": (lambda path: os.truncate(path, path.stat().st_size // 2), "is cut short"),
    "audio only": (audio_only, "damaged or not a video|no video"),
    "a folder without frames": (lambda path: (path.unlink(), path.mkdir()), "holds no frame"),
}

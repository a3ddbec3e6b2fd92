"""Every file that a command reads, damaged in every way: by accident, by mistake or by malice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from abuse_calls import CALLS, OPTIONAL, READS
from abuse_case import Case

Damage = Callable[[Path], object]


def _put(content: bytes) -> Damage:
    return lambda path: path.write_bytes(content)


def _cut(share: float) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def _zeros(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes(min(64, len(content))) + content[64:])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 3, len(content), max(1, len(content) // 7)):
        content[place] ^= 0xA5
    path.write_bytes(content)


def _instead(make: Callable[[Path], object]) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


DAMAGES: dict[str, tuple[Damage, bool]] = {
    "is gone": (Path.unlink, False),
    "is empty": (_put(b""), False),
    "is random bytes": (_put(os.urandom(3000)), False),
    "is another text": (_put(b"Meeting notes\n\nnothing to see here: 3, 4\n"), False),
    "is UTF-16": (_put("a b c\n".encode("utf-16")), False),
    "is nested deeply": (_put(b"[" * 200_000), False),
    "is a huge number": (_put(b"9" * 100_000), False),
    "is one line of megabytes": (_put(b"x" * (5 << 20)), False),
    "is cut to a tenth": (_cut(0.1), True),
    "is cut to a half": (_cut(0.5), True),
    "lacks its last bytes": (_cut(0.97), True),
    "begins with zeros": (_zeros, True),
    "has flipped bytes": (_flip, True),
    "is a folder": (_instead(Path.mkdir), False),
    "is a pipe": (_instead(os.mkfifo), False),
    "is /dev/zero": (_instead(lambda path: path.symlink_to("/dev/zero")), False),
    "is a link to itself": (_instead(lambda path: path.symlink_to(path.name)), False),
}
"""The damages of a file by their names, each with whether some commands may still succeed."""


def _done(damage: Damage, file: str) -> Damage:
    return lambda home: damage(home / file)


def _cases() -> Iterator[Case]:
    for call, files in READS.items():
        for file in files:
            for what, (damage, may_pass) in DAMAGES.items():
                optional = what == "is gone" and file in OPTIONAL
                # Half a list is a list; decoders, journals and older checkpoints tolerate damage.
                yield Case(
                    "files",
                    f"{call}: {file} {what}",
                    CALLS[call],
                    _done(damage, file),
                    may_pass=may_pass or optional or _is_forgiving(call, file),
                )


def _is_forgiving(call: str, file: str) -> bool:
    """Returns whether a call tolerates a damaged file, as those that check or resume do."""
    return call in ("doctor again", "train on") or file.endswith(("labels.txt", ".jsonl"))


def _no_file() -> Iterator[Case]:
    """Yields the cases of missing folders."""
    for folder in ("clips/train", "run", "served", "records", "run/checkpoint-1-00001"):
        for call in CALLS:
            if folder in str(CALLS[call]) or call == "train on":
                yield Case(
                    "files",
                    f"{call}: the folder {folder} is gone",
                    CALLS[call],
                    _done(shutil.rmtree, folder),
                    may_pass=True,
                )


CASES = (*_cases(), *_no_file())

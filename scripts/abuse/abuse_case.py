"""One abuse of the command line: what is done to the world, which command is called, what came."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import re
import resource
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, TypeAlias

from abuse_memory import taken

from vdroppath_tf import cli

Outcome: TypeAlias = Literal["clear", "passed", "traceback", "hang", "silent", "lost", "memory"]
WRONG: tuple[Outcome, ...] = ("traceback", "hang", "silent", "lost", "memory")
LIMIT = 120  # seconds of the processor that a command may take
PATIENCE = 1200  # seconds of the clock, for what waits: the machine does other things too
_NOBODY = 65534  # the user
MEMORY = 1 << 20  # KiB that a command may take beside what the process has


class HangError(BaseException):
    """A command did not end; no `except Exception` of it may keep this."""


@dataclasses.dataclass(frozen=True)
class Case:
    """An abuse.

    Attributes:
        group: The table that it belongs to.
        name: What is done, to what.
        call: The command line; `{home}` in it is the folder of inputs, `{out}` one for results.
        abuse: What is done to the copy before.
        may_pass: Whether the command may also end well: not every change is one for the worse.
        limit: The bytes that a file may have while the command runs, which stands for a disk that
            is full; None for any.
        read_only: Whether nothing may be written anywhere: the command runs as nobody does.
    """

    group: str
    name: str
    call: tuple[str, ...]
    abuse: Callable[[Path], object] = lambda _: None
    may_pass: bool = False
    limit: int | None = None
    read_only: bool = False

    def outcome(self, whole: Path, home: Path) -> tuple[Outcome, str]:
        """Runs the command on whole inputs that were abused, and says what came of it.

        Args:
            whole: A copy of the whole inputs.
            home: Where they were made, and are put again: some hold their own place.
        """
        if not _is_whole(whole, home):
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(whole, home, symlinks=True)
        self.abuse(home)
        before = _tree(home)
        with tempfile.TemporaryDirectory() as out:
            call = [part.replace("{home}", str(home)).replace("{out}", out) for part in self.call]
            try:
                with (
                    taken() as memory,
                    _within(LIMIT, PATIENCE),
                    _files_of(self.limit),
                    _as_nobody(home.parent, Path(out)) if self.read_only else nullcontext(),
                ):
                    code, said = _called(call)
            except HangError:
                return "hang", f"no end within {LIMIT} s of the processor"
            except BaseException as error:
                return "traceback", "".join(traceback.format_exception_only(error)).strip()
        if memory.kib > MEMORY:
            return "memory", f"more than {MEMORY >> 10} MiB beside"
        return self._judged(code, said, before, _tree(home))

    def _judged(
        self, code: int, said: str, before: dict[str, str], after: dict[str, str]
    ) -> tuple[Outcome, str]:
        lost = sorted(name for name in before if after.get(name) != before[name])
        if code and lost:
            return "lost", f"after the error {lost[0]} is not what it was"
        if "Traceback" in said:
            return "traceback", said
        if code == 0:
            return ("passed" if self.may_pass else "silent"), said[-300:]
        messages = re.findall(r"^vdroppath \w+: .+", said, re.MULTILINE)
        if len(messages) != 1:
            return "traceback", f"expected one message, found {len(messages)}: {said[-300:]}"
        return "clear", messages[0]


def _called(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command, and all that it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main(arguments)
    return code, said.getvalue()


@contextlib.contextmanager
def _within(seconds: int, patience: int) -> Iterator[None]:
    """Stops the body after so many seconds of the processor, or of the clock."""

    def stop(*_: object) -> None:
        raise HangError

    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    old = {sign: signal.signal(sign, stop) for sign in timers}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        yield
    finally:
        for sign, timer in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(sign, old[sign])


@contextlib.contextmanager
def _files_of(size: int | None) -> Iterator[None]:
    """No file can be written beyond a size: writing fails as it does on a full disk."""
    if size is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)


@contextlib.contextmanager
def _as_nobody(*folders: Path) -> Iterator[None]:
    """Nothing can be written below the folders, nor elsewhere, as root could in spite of that."""
    for folder in folders:
        folder.chmod(0o755 if os.geteuid() == 0 else 0o555)
    if os.geteuid() != 0:
        yield
        return
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


_WHOLE: dict[Path, dict[str, str]] = {}


def _is_whole(whole: Path, home: Path) -> bool:
    """Whether nothing was done to the inputs since they were put there, as most values do not."""
    if whole not in _WHOLE:
        _WHOLE[whole] = _tree(whole)
    return home.is_dir() and _tree(home) == _WHOLE[whole]


def _tree(home: Path) -> dict[str, str]:
    """What is where: the digest of each regular file, and the kind of everything else."""
    found = {}
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                found[str(path.relative_to(home))] = "else"
            else:
                content = path.read_bytes()
                found[str(path.relative_to(home))] = hashlib.sha256(content).hexdigest()
    return found

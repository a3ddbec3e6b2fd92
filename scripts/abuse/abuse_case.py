"""One abuse of the command line: a change of the inputs, the call of a command and its outcome."""

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
LIMIT = 120  # seconds of processor time that a command may take
PATIENCE = 1200  # seconds of wall time, for commands that wait; the machine may be busy
_NOBODY = 65534  # the user and the group "nobody"
MEMORY = 1 << 20  # KiB that a command may take in addition to what the process has


class HangError(BaseException):
    """Raised if a command does not end; a command's `except Exception` must not catch it."""


@dataclasses.dataclass(frozen=True)
class Case:
    """An abuse of a command.

    Attributes:
        group: str, the group of cases that it belongs to.
        name: str, a description of the abuse and of its object.
        call: tuple of str, the arguments; `{home}` in them is the folder of the inputs, `{out}` an
            empty folder for the results.
        abuse: callable, changes the folder of the inputs before the call. Defaults to no change.
        may_pass: bool, whether the command may also succeed, since not every change is harmful.
            Defaults to False.
        limit: int, the largest size of a file in bytes while the command runs, which simulates a
            full disk. Defaults to None: no limit.
        read_only: bool, whether nothing can be written anywhere: the command runs as the user
            nobody. Defaults to False.
    """

    group: str
    name: str
    call: tuple[str, ...]
    abuse: Callable[[Path], object] = lambda _: None
    may_pass: bool = False
    limit: int | None = None
    read_only: bool = False

    def outcome(self, whole: Path, home: Path) -> tuple[Outcome, str]:
        """Abuses intact inputs, runs the command on them, and returns the outcome and its reason.

        Args:
            whole: Path, an intact copy of the inputs.
            home: Path, the folder in which they were made, and to which they are restored: some of
                them contain their own path.
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
                return "hang", f"no end within {LIMIT} s of processor time or {PATIENCE} s"
            except BaseException as error:
                return "traceback", "".join(traceback.format_exception_only(error)).strip()
        if memory.kib > MEMORY:
            return "memory", f"took more than {MEMORY >> 10} MiB"
        return self._judged(code, said, before, _tree(home))

    def _judged(
        self, code: int, said: str, before: dict[str, str], after: dict[str, str]
    ) -> tuple[Outcome, str]:
        lost = sorted(name for name in before if after.get(name) != before[name])
        if code and lost:
            return "lost", f"the error changed or removed {lost[0]}"
        if "Traceback" in said:
            return "traceback", said
        if code == 0:
            return ("passed" if self.may_pass else "silent"), said[-300:]
        messages = re.findall(r"^vdroppath \w+: .+", said, re.MULTILINE)
        if len(messages) != 1:
            return "traceback", f"expected one message, found {len(messages)}: {said[-300:]}"
        return "clear", messages[0]


def _called(arguments: list[str]) -> tuple[int, str]:
    """Returns the exit code of a command, and everything that it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main(arguments)
    return code, said.getvalue()


@contextlib.contextmanager
def _within(seconds: int, patience: int) -> Iterator[None]:
    """Raises a HangError in the body after this many seconds of processor or of wall time."""

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
    """Limits the size of files in bytes, so that writing fails as on a full disk."""
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
    """Makes the folders read-only, and runs the body as nobody, since root could still write."""
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
    """Returns whether the inputs are still intact; most abuses of flags do not change them."""
    if whole not in _WHOLE:
        _WHOLE[whole] = _tree(whole)
    return home.is_dir() and _tree(home) == _WHOLE[whole]


def _tree(home: Path) -> dict[str, str]:
    """Returns the SHA-256 digest of each regular file by its path, and "else" for anything else."""
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

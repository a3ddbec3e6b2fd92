"""Allows one process for each run, by a lock that is released when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from vdroppath_tf.names import named

LOCK_FILE = ".run.lock"  # hidden, so that a backup leaves it out


@named
@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Locks a run's folder for this process until the body ends or the process dies.

    Args:
        folder: The folder of the run; it is created if it is missing.

    Raises:
        ValueError: If another process, or another run in this process, holds the lock.

    Example:
    ```python
    with run_lock(Path("run")):
        is_locked(Path("run"))  # True
    ```
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _hold(descriptor, folder)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        os.close(descriptor)  # the file is kept: removing it could remove the next holder's


@named
def is_locked(folder: Path) -> bool:
    """Whether a process has locked a run's folder; False if that is unknown.

    Example:
    ```python
    is_locked(Path("run"))  # False
    ```
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def _hold(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process"
            raise ValueError(
                f"{folder}: is in use by {holder}. Wait until it ends, or pass another folder."
            ) from None
        logging.warning(
            "%s: this file system has no locks (%s), so nothing prevents a second run.",
            folder,
            error.strerror,
        )

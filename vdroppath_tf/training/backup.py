"""A copy of a run's folder in another place, such as an object store, always consistent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
from absl import logging

from vdroppath_tf.data.remote import files as remote
from vdroppath_tf.data.remote.stores import store_of
from vdroppath_tf.data.remote.urls import scheme_of
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.files import read_bytes, read_text
from vdroppath_tf.names import named
from vdroppath_tf.training.checkpoint import STATE
from vdroppath_tf.training.identity import check_same

_MAX_FILES = 10_000
_RUN, _PART = "run.json", "checkpoint-"
_RUN_BYTES = 1 << 20


@named
class Backup:
    """Copies a run's folder to a URL or folder, and back if the run's folder is empty.

    A checkpoint's state file is copied after its other files and deleted before them, and a
    checkpoint without a state file is ignored: so there is always a complete one.

    Args:
        folder: The folder of the run, on this machine.
        url: The place of the copy: `s3://bucket/run`, `gs://...`, `az://...` or a folder, such as a
            mounted one.

    Raises:
        ValueError: If no installed package can write to such a URL; the message names what to
            install.

    Example:
    ```python
    backup = Backup(Path("run"), "backups/run")  # or "s3://bucket/run"
    backup.send()
    ```
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self._sent: dict[str, tuple[int, int]] = {}
        self._there: set[str] = set()
        self._listed = False
        if scheme_of(url) in ("http", "https"):
            raise ValueError(f"{remote.shown(url)}: web servers are read-only. Use s3:// or gs://.")
        store_of(scheme_of(url))

    def fetch(self, run: str) -> None:
        """Copies the run back: all of it if the folder holds no run, else later checkpoints.

        Args:
            run: The description of the run, JSON text.

        Raises:
            ValueError: If the copy is that of another run.
            VideoError: If the copy cannot be read.
        """
        self._list()
        names = self._there
        if not names:
            return
        if _RUN not in names or len(names) > _MAX_FILES:
            raise ValueError(
                f"{remote.shown(self.url)}: is not empty and holds no run (no {_RUN}, or more than "
                f"{_MAX_FILES} files). Pass an address that is still empty."
            )
        mark = remote.join(self.url, _RUN)
        found = remote.read_file(mark, limit=_RUN_BYTES).decode("utf-8", "replace")
        check_same(remote.shown(mark), found, run)
        started = self.folder / _RUN
        if started.exists():
            check_same(str(started), read_text(started), run)
        here = max(
            (state.parent.name for state in self.folder.glob(f"{_PART}*/{STATE}")), default=""
        )
        for group, parts in _groups(names).items():
            if group and f"{group}/{STATE}" not in parts:
                continue  # incomplete: deleted when this folder is sent
            if not started.exists() or group > here:
                self._fetch(parts)
            elif not self._is_here(group, parts):
                continue
            self._sent |= {name: _stamp(self.folder / name) for name in parts}

    def _list(self) -> None:
        self._there = {name for name in remote.list_files(self.url) if not _hidden(name)}
        self._listed = True

    def _is_here(self, group: str, parts: list[str]) -> bool:
        """Whether a checkpoint is that in the folder: their states, history included, are equal."""
        state = f"{group}/{STATE}"
        mine = self.folder / state
        if state not in parts or not mine.exists():
            return False
        limit = remote.MAX_BYTES
        return remote.read_file(remote.join(self.url, state), limit=limit) == read_bytes(mine)

    def _fetch(self, parts: list[str]) -> None:
        for name in parts:
            data = remote.read_file(remote.join(self.url, name), limit=remote.MAX_BYTES)
            remote.write_file(remote.join(str(self.folder), name), data)
        logging.info("Fetched %d files from %s", len(parts), remote.shown(self.url))

    def send(self) -> None:
        """Copies new and changed files, then deletes checkpoints that no longer exist here.

        Raises:
            VideoError: If the copy cannot be written; the next call tries again.
        """
        if not self._listed:
            self._list()
        there = self._there
        here = {name for name in remote.list_files(str(self.folder)) if not _hidden(name)}
        new = [name for name in here if self._sent.get(name) != _stamp(self.folder / name)]
        if _RUN in new:  # first, so that a copy that stops half way is recognised later
            self._send(_RUN)
            new.remove(_RUN)
        for group, parts in _groups(new).items():
            if f"{group}/{STATE}" in there:
                self._delete(f"{group}/{STATE}")
            for name in parts:
                self._send(name)
        gone = [name for name in there - here if name.startswith(_PART)]
        for name in sorted(gone, key=_last, reverse=True):
            self._delete(name)

    def _send(self, name: str) -> None:
        stamp = _stamp(self.folder / name)
        data = read_bytes(self.folder / name)
        remote.write_file(remote.join(self.url, name), data)
        self._sent[name] = stamp
        self._there.add(name)

    def _delete(self, name: str) -> None:
        remote.delete_file(remote.join(self.url, name))
        self._there.discard(name)
        self._sent.pop(name, None)


@named
class SendAfterEpoch(keras.callbacks.Callback):
    """Updates the copy after every epoch; a failure is logged, and retried after the next."""

    def __init__(self, backup: Backup) -> None:
        super().__init__()
        self.backup = backup

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        send(self.backup)


def send(backup: Backup) -> None:
    """Updates the copy; a failure is logged, and the next update makes up for it."""
    try:
        backup.send()
    except VideoError as error:
        logging.warning("The backup is behind; training continues: %s", error)


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Groups files by checkpoint, oldest first, each state last; then the others, ``_RUN`` last."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=_last):
        head, _, rest = name.partition("/")
        groups.setdefault(head if rest and head.startswith(_PART) else "", []).append(name)
    return dict(sorted(groups.items(), key=lambda item: (item[0] == "", item[0])))


def _last(name: str) -> tuple[bool, bool, str]:
    return name == _RUN, name.endswith(f"/{STATE}"), name

"""Several models, several versions of each: a new one is loaded aside, then takes over."""

from __future__ import annotations

import dataclasses
import gc
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from absl import logging

from vdroppath_tf.names import named, nearest
from vdroppath_tf.serving.many_videos import Network
from vdroppath_tf.serving.server.limits import RefusedError
from vdroppath_tf.serving.server.version_folders import Identity, identity_of, versions_in


@named
@dataclasses.dataclass(frozen=True, eq=False)
class Version:
    """A version of a model, loaded.

    Attributes:
        model: The name of the model.
        number: The name of its folder, a whole number; 1 for a model without versions.
        path: The folder.
        network: What answers.
        identity: What was there when it was loaded.
    """

    model: str
    number: int
    path: Path
    network: Network
    identity: Identity


@named
class Models:
    """The models of a server.

    A folder of sub-folders with numbers for names, as TensorFlow Serving expects them, holds
    versions; the highest numbers are served. Any other folder is a model without versions. A folder
    that is written again is loaded again. Requests that came before a change are answered by what
    was there when they came.

    Args:
        places: Mapping, the name of each model to its folder.
        load: A callable that loads a folder, such as ``load_artefact``.
        keep: int, how many versions of a model are served at a time. Defaults to 1.
        max_batch: int, the largest batch that a new version is tried with. Defaults to 1.

    Raises:
        ValueError: If a model cannot be loaded, or a folder holds none.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        load: Callable[[Path], Network],
        *,
        keep: int = 1,
        max_batch: int = 1,
    ) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1. Received: {keep}.")
        self._places, self._load, self._keep = dict(places), load, keep
        self._batches = sorted({1, max_batch})
        self._failed: dict[Path, Identity] = {}
        self._lock = threading.Lock()
        self._served: dict[str, dict[int, Version]] = {}
        for name in self._places:
            found = versions_in(self._places[name])
            if not found:
                raise ValueError(
                    f"{self._places[name]}: holds no model. Expected what vdroppath export wrote, "
                    "or a folder of such with numbers for names."
                )
            wanted = sorted(found)[-keep:]
            self._served[name] = {k: self._loaded(name, k, found[k]) for k in wanted}

    @property
    def names(self) -> tuple[str, ...]:
        """The models, the default one first."""
        return tuple(self._places)

    def versions(self, name: str) -> list[Version]:
        """The versions of a model, the newest first.

        Raises:
            RefusedError: There is no such model.
        """
        if name not in self._served:
            near = nearest(name, self._served)
            known = ", ".join(self._served)
            raise RefusedError(
                404, "no_model", f"There is no model {name!r}. {near}Models: {known}."
            )
        return sorted(self._served[name].values(), key=lambda one: -one.number)

    def get(self, name: str | None = None, number: int | None = None) -> Version:
        """A version of a model: the newest, of the first model, if nothing else is asked for.

        Raises:
            RefusedError: There is none.
        """
        versions = self.versions(self.names[0] if name is None else name)
        if number is None:
            return versions[0]
        for version in versions:
            if version.number == number:
                return version
        known = ", ".join(str(version.number) for version in versions)
        raise RefusedError(
            404, "no_version", f"{versions[0].model} has no version {number}. Versions: {known}."
        )

    def refresh(self) -> list[str]:
        """Loads what is new and forgets what is gone; what was changed, a sentence each.

        A version that cannot be loaded is said once, and what was served stays.
        """
        with self._lock:
            return [said for name in self._places for said in self._refresh(name)]

    def _refresh(self, name: str) -> list[str]:
        found, served = versions_in(self._places[name]), self._served[name]
        said, now = [], {}
        for number in sorted(found, reverse=True):
            path = found[number]
            old = served.get(number)
            identity = identity_of(path)
            if old is not None and old.path == path and old.identity == identity:
                now[number] = old
            elif self._failed.get(path) != identity:
                try:
                    now[number] = self._loaded(name, number, path)
                    said.append(f"{name}: serves version {number} of {path}")
                except Exception as error:  # whatever is wrong with it, the others go on
                    self._failed[path] = identity
                    said.append(f"{name}: version {number} is not taken: {error}")
                    if old is not None:
                        now[number] = old
            elif old is not None:
                now[number] = old
            if len(now) == self._keep:
                break
        gone = [number for number in served if number not in now]
        if now:  # a folder that is empty for a moment takes nothing away
            self._served[name] = now
            said += [f"{name}: no longer serves version {number}" for number in gone]
        return said

    def _loaded(self, name: str, number: int, path: Path) -> Version:
        identity = identity_of(path)
        version = Version(name, number, path, self._load(path), identity)
        _try(version.network, self._batches)
        return version


def watch(models: Models, seconds: float, stop: threading.Event) -> None:
    """Looks for new versions until it is told to stop."""
    while not stop.wait(seconds):
        changes = models.refresh()
        for said in changes:
            logging.info("%s", said)
        if changes:
            gc.collect()  # what a SavedModel holds refers to itself


def _try(network: Network, batches: list[int]) -> None:
    """Runs a network once for each size of a batch, so that no request waits for its first run."""
    sampling = network.sampling
    if sampling.crop is None:
        return
    for batch in batches:
        shape = (batch, sampling.frames, *sampling.crop_size, getattr(network, "channels", 3))
        network.answer(np.zeros(shape, np.uint8))

"""Several models with several versions: a new version is loaded next to the old one, then used."""

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
from vdroppath_tf.serving.version_folders import Identity, identity_of, versions_in


@named
@dataclasses.dataclass(frozen=True, eq=False)
class Version:
    """A version of a model, loaded.

    Attributes:
        model: The name of the model.
        number: The name of its folder, a whole number; 1 for a model without versions.
        path: The folder.
        network: The loaded network.
        identity: The identity of the folder when it was loaded.

    Example:
        ```python
        models = Models({"video": Path("served")}, vdroppath_tf.serving.load_artefact)
        models.get("video").number
        ```
    """

    model: str
    number: int
    path: Path
    network: Network
    identity: Identity


@named
class Models:
    """The models of a server.

    A folder of sub-folders named by numbers, as TensorFlow Serving expects it, holds versions; the
    highest numbers are served. Any other folder is a model without versions. A folder that is
    written again is loaded again. Requests in progress during a change are answered by the old
    version.

    Args:
        places: Mapping, the folder of each model by name.
        load: Callable that loads a folder, such as ``load_artefact``.
        keep: int, the number of versions of a model that are served. Defaults to 1.
        max_batch: int, the largest batch with which a new version is tried. Defaults to 1.

    Raises:
        ValueError: If a model cannot be loaded, or a folder holds none.

    Example:
        ```python
        models = Models({"video": Path("served")}, vdroppath_tf.serving.load_artefact, keep=2)
        models.refresh()  # loads new versions
        ```
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
                    f"{self._places[name]}: holds no model. Expected a folder that vdroppath "
                    "export wrote, or a folder of such folders named by numbers."
                )
            wanted = sorted(found)[-keep:]
            self._served[name] = {k: self._loaded(name, k, found[k]) for k in wanted}

    @property
    def names(self) -> tuple[str, ...]:
        """The models, the default one first."""
        return tuple(self._places)

    def versions(self, name: str) -> list[Version]:
        """Returns the versions of a model, the newest first.

        Raises:
            RefusedError: If there is no such model.
        """
        if name not in self._served:
            near = nearest(name, self._served)
            known = ", ".join(self._served)
            raise RefusedError(
                404, "no_model", f"There is no model {name!r}. {near}Models: {known}."
            )
        return sorted(self._served[name].values(), key=lambda one: -one.number)

    def get(self, name: str | None = None, number: int | None = None) -> Version:
        """Returns a version of a model; by default, the newest of the first model.

        Raises:
            RefusedError: If there is none.
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
        """Loads new versions and removes old ones; returns a sentence for each change.

        A version that cannot be loaded is reported once, and the old one is kept.
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
                except Exception as error:  # any error: the other versions stay in use
                    self._failed[path] = identity
                    said.append(f"{name}: version {number} cannot be used: {error}")
                    if old is not None:
                        now[number] = old
            elif old is not None:
                now[number] = old
            if len(now) == self._keep:
                break
        gone = [number for number in served if number not in now]
        if now:  # a folder that is empty for a moment changes nothing
            self._served[name] = now
            said += [f"{name}: no longer serves version {number}" for number in gone]
        return said

    def _loaded(self, name: str, number: int, path: Path) -> Version:
        identity = identity_of(path)
        version = Version(name, number, path, self._load(path), identity)
        _try(version.network, self._batches)
        return version


def watch(models: Models, seconds: float, stop: threading.Event) -> None:
    """Looks for new versions until `stop` is set."""
    while not stop.wait(seconds):
        changes = models.refresh()
        for said in changes:
            logging.info("%s", said)
        if changes:
            gc.collect()  # SavedModels hold reference cycles


def _try(network: Network, batches: list[int]) -> None:
    """Runs a network once for each batch size, so that no request waits for its slow first run."""
    sampling = network.sampling
    if sampling.crop is None:
        return
    for batch in batches:
        shape = (batch, sampling.frames, *sampling.crop_size, getattr(network, "channels", 3))
        network.answer(np.zeros(shape, np.uint8))

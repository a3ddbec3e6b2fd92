"""The objects and files that examples of docstrings may use; CONTRIBUTING.md lists them."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tiny
from example_files import DATA_FILES
from example_run import RUN_FILES

import vdroppath_tf
from vdroppath_tf import analysis, data, experiments, scoring, training

_NEEDS = {"train.txt": ("videos",), "val.txt": ("videos",), "train.csv": ("videos",)}
_LIBRARIES: dict[str, Any] = {"np": np, "keras": keras, "Path": Path}


class Things:
    """Makes what an example uses when it is first used; models are restored after each example."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models: list[tuple[Any, list[np.ndarray]]] = []

    def get(self, name: str) -> Any:
        return _LIBRARIES[name] if name in _LIBRARIES else getattr(self, name)

    @functools.cached_property
    def template(self) -> Any:
        keras.utils.set_random_seed(0)
        model = tiny.template(num_train_examples=24)
        tiny.draw_norms(model, seed=0, logits=1.0)
        return self._kept(model)

    @functools.cached_property
    def network(self) -> Any:
        return self._kept(vdroppath_tf.derive(self.template, self.space.mode()))

    def _kept(self, model: Any) -> Any:
        self._models.append((model, model.get_weights()))
        return model

    @functools.cached_property
    def space(self) -> Any:
        return vdroppath_tf.ProbabilitySpace.from_model(self.template)

    @functools.cached_property
    def spaces(self) -> Any:
        """Of three seeds."""
        rng = np.random.default_rng(0)
        drops = [
            [np.clip(d + rng.normal(0, 0.1, d.shape), 0, 1) for d in self.space.drop]
            for _ in range(3)
        ]
        return [vdroppath_tf.ProbabilitySpace(d, layers=self.space.layers) for d in drops]

    @functools.cached_property
    def strategies(self) -> Any:
        return experiments.candidates(self.space, draws=6, seed=0)

    @functools.cached_property
    def _arrays(self) -> dict[str, Any]:
        parts = {"train": self.train_videos, "val": self.val_videos, "test": self.test_videos}
        sampling = self.recipe.evaluation
        return {
            name: (
                np.concatenate([data.clips.clips_of(entry, sampling).clips for entry in manifest]),
                np.array([entry.label for entry in manifest]),
            )
            for name, manifest in parts.items()
        }

    train_clips = property(lambda self: self._arrays["train"])
    val_clips = property(lambda self: self._arrays["val"])
    test_clips = property(lambda self: self._arrays["test"])
    clips = property(lambda self: self.val_clips[0])
    labels = property(lambda self: self.val_clips[1])
    clip = property(lambda self: self.clips[0])

    @functools.cached_property
    def _files(self) -> Any:
        return tiny.write(self._folder / "task")

    train_videos = property(lambda self: self._files.manifest("train"))
    val_videos = property(lambda self: self._files.manifest("validation"))
    test_videos = property(lambda self: self._files.manifest("test"))
    manifest = property(lambda self: self.train_videos)
    entry = property(lambda self: self.train_videos.entries[0])
    videos = property(lambda self: training.Clips(self.train_videos, self.val_videos))
    sampling = property(lambda self: self.recipe.sampling)

    @functools.cached_property
    def recipe(self) -> Any:
        return tiny.recipe(warmup=1, search=1)

    faults = property(lambda self: data.FaultLog())
    limits = property(lambda self: vdroppath_tf.serving.server.Limits())

    @functools.cached_property
    def costs(self) -> Any:
        return vdroppath_tf.cost.unit_costs(self.template, tiny.SHAPE)

    @functools.cached_property
    def scores(self) -> Any:
        return scoring.evaluate_strategies(self.template, self.strategies, self.val_clips)

    @functools.cached_property
    def worth(self) -> Any:
        return analysis.layer_worth(self.template, self.space.mode(), self.test_clips)

    @property
    def task(self) -> Any:
        parts = (self.train_videos, self.val_videos, self.test_videos)
        return experiments.Task("motion", "The label is the direction of a shape.", *parts)

    def lay_out(self, names: Iterable[str], folder: Path) -> None:
        """Copies those files that an example names into its folder."""
        for name in dict.fromkeys(names):
            for each in (name, *_NEEDS.get(name, ())):
                if each in FILES and not (folder / each).exists():
                    made = self._made(each)
                    (shutil.copytree if made.is_dir() else shutil.copy)(made, folder / each)

    def _made(self, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            write = DATA_FILES.get(name)
            if write is not None:
                write(path)
            else:
                RUN_FILES[name](self, path)
        return path

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        try:
            yield
        finally:
            for model, weights in self._models:
                model.set_weights(weights)
                for gate in vdroppath_tf.layers.gates_of(model):
                    gate.trainable = True


# Name -> what CONTRIBUTING.md says of it; files likewise.
THINGS = [*_LIBRARIES, *(name for name in vars(Things) if not name.startswith("_"))]
THINGS = [name for name in THINGS if name not in ("get", "lay_out", "restored")]
FILES: dict[str, Callable[..., None]] = {**DATA_FILES, **RUN_FILES}

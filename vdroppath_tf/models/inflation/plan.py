"""The join of a 2D network's weights with a 3D one's: what goes where, and what does not fit."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.inflation import values

PATHS = re.compile(r"(.*)/(?:spatial|spatiotemporal)/kernel")
# parts of a path that only a 3D network has: gates, and the branch T with its batch norm
NEW = {"drop_path", "temporal", "temporal_bn"}


@dataclass
class Plan:
    """All values, before any is written.

    Attributes:
        convention: of the source.
        block: what the names of a block's layers start with, see ``Family``.
        weights: of the source.
        divide: paths that are summed start at the 2D response, not at so many times it.
        classifier: the classifier is taken over.
        values: our path -> value.
        new: our paths without a source.
        folded: the source's names that became part of another weight.
        used: all names of the source that some value is made of.
        paths: how many S and ST paths each fusion layer of ours has.
        problems: one line for each weight that does not fit.
    """

    convention: Convention
    block: str
    weights: dict[str, np.ndarray]
    divide: bool
    classifier: bool
    values: dict[str, np.ndarray] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    paths: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def join(self, model: keras.Model, idle: int) -> None:
        """Finds the value of every weight of ``model``.

        Args:
            model: the 3D network.
            idle: how many of its fusion layers have neither S nor ST.
        """
        shapes = {v.path: tuple(v.shape) for v in model.weights}
        self.paths = Counter(match[1] for path in shapes if (match := PATHS.fullmatch(path)))
        if self.classifier and "classifier/kernel" not in shapes:
            self.problems.append("classifier=True: the network was built with include_top=False")
        for path, shape in shapes.items():
            if self._is_new(path):
                self.new.append(path)
            else:
                self._find(path, shape)
        self._leftover(idle)

    def _is_new(self, path: str) -> bool:
        layer, *parts = path.split("/")
        return bool(NEW.intersection(parts)) or (layer == "classifier" and not self.classifier)

    def _find(self, path: str, shape: tuple[int, ...]) -> None:
        name = self.convention.source_of(path)
        if name is None or name not in self.weights:
            self.problems.append(f"missing: {name or 'a weight'} for {path}")
            return
        layer, _, variable = path.rpartition("/")
        wanted = shape[1:] if len(shape) == 5 else shape
        if layer == "stem_conv":
            wanted = (*wanted[:2], 3, wanted[3])  # the source sees RGB
        value = values.channels_last(self.weights[name], self.convention)
        if layer.endswith("_depthwise"):
            value = values.depthwise(value, wanted)
        if value.shape != wanted:
            self.problems.append(f"{name}: {value.shape} does not fit {wanted} of {path}")
            return
        self.used.add(name)
        if variable == "kernel":
            value = self._kernel(value, layer, shape)
        elif variable == "moving_mean":
            value = value - self._lacking(name, layer, shape)
        elif variable == "moving_variance":
            value = values.variance_for(value, self.convention)
        self.values[path] = value

    def _kernel(self, value: np.ndarray, layer: str, shape: tuple[int, ...]) -> np.ndarray:
        if layer == "stem_conv":
            value, _ = values.fed_as_ours(value, self.convention)
            value = values.for_channels(value, shape[3])
        if len(shape) == 5:
            value = values.in_time(value, shape[0])
        return value / np.float32(self._divisor(layer))

    def _divisor(self, layer: str) -> int:
        """Number of the paths whose sum this kernel makes, or is the first linear map to see."""
        if not self.divide:
            return 1
        if self.convention.rescaled:
            return self.paths.get(layer.replace(*self.convention.rescaled), 1)
        return self.paths.get(layer.rpartition("/")[0], 1)

    def _lacking(self, name: str, layer: str, shape: tuple[int, ...]) -> Any:
        """What the convolution before a batch norm gives less here than in the source."""
        lacking = np.zeros(shape, "float32")
        stem = self.convention.source_of("stem_conv/kernel")
        if layer == "stem_bn" and stem in self.used:
            kernel = values.channels_last(self.weights[stem], self.convention)
            lacking += values.fed_as_ours(kernel, self.convention)[1]
        bias = name.replace("_bn/moving_mean", "_conv/bias")
        if self.convention.biased and bias in self.weights:
            if self.weights[bias].shape != shape:
                self.problems.append(f"{bias}: {self.weights[bias].shape} does not fit {shape}")
                return lacking
            lacking += self.weights[bias]
            self.used.add(bias)
            self.folded.append(bias)
        return lacking

    def _leftover(self, idle: int) -> None:
        """Names of the source that nothing here is made of must be explained."""
        blocks: dict[str, list[str]] = {}
        for name in self.weights:
            if name in self.used or name.endswith(".num_batches_tracked"):
                continue
            layer = self.convention.layer_of(name)
            if layer is None:
                self.problems.append(f"left over: {name}")
            elif layer != "classifier":
                block = re.match(rf"{self.block}|\w+", layer)
                blocks.setdefault(block[0] if block else layer, []).append(name)
        if len(blocks) != idle:  # a layer without path leaves the weights of its block over
            self.problems += [
                f"left over: {names[0]} and {len(names) - 1} more of its block"
                for names in blocks.values()
            ]

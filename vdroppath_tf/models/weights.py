"""Weights move between networks by name, and every one is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
@dataclass(frozen=True)
class LoadReport:
    """The paths of all weights: ``copied``, ``new`` in the target, ``unused`` of the source.

    Example:
    ```python
    _, report = vdroppath_tf.replace_classifier(network, num_classes=10)
    print(len(report.copied), report.new, report.unused)
    ```
    """

    copied: tuple[str, ...]
    new: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{len(self.copied)} weights copied"]
        lines += [f"new: {path}" for path in self.new]
        lines += [f"unused: {path}" for path in self.unused]
        return "\n".join(lines)


@named
def copy_weights(
    source: keras.Model,
    target: keras.Model,
    *,
    may_be_new: Callable[[str], bool] = lambda path: False,
    may_be_unused: Callable[[str], bool] = lambda path: False,
    channels: Mapping[str, tuple[int, np.ndarray]] | None = None,
) -> LoadReport:
    """Copies weights by name. Nothing is written unless all names of both sides are explained.

    Args:
        source: keras.Model, to copy from.
        target: keras.Model, to copy to.
        may_be_new: callable, whether a path that only the target has is expected. Defaults to
            none.
        may_be_unused: callable, whether a path that only the source has is expected. Defaults to
            none.
        channels: dict, path to ``(axis, indices)``, where the target has only these of the source.

    Returns:
        A ``LoadReport`` of all weights of both.

    Raises:
        ValueError: If they do not fit; it names every weight that is missing, left over or of
            another shape.

    Example:
    ```python
    other = vdroppath_tf.derive(template, space.mode())
    print(len(copy_weights(network, other).copied))
    ```
    """
    have = {v.path: v for v in source.weights}
    for path, (axis, indices) in (channels or {}).items():
        have[path] = tf.gather(have[path], indices, axis=axis)
    want = {v.path: v for v in target.weights}
    new = [path for path in want if path not in have or may_be_new(path)]
    unused = [path for path in have if path not in want or may_be_new(path)]
    copied = [path for path in want if path not in set(new)]
    problems = [f"missing: {path}" for path in new if not may_be_new(path)]
    problems += [
        f"left over: {path}" for path in unused if not (may_be_unused(path) or may_be_new(path))
    ]
    problems += [
        f"{path}: {tuple(have[path].shape)} does not fit {tuple(want[path].shape)}"
        for path in copied
        if tuple(have[path].shape) != tuple(want[path].shape)
    ]
    if problems:
        raise ValueError(
            f"The weights of {source.name!r} do not fit {target.name!r}:\n" + "\n".join(problems)
        )
    for path in copied:
        want[path].assign(have[path])
    return LoadReport(tuple(copied), tuple(new), tuple(unused))

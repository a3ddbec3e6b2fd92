"""What is peculiar to one kind of 2D network that can be inflated: names, layout, input.

In its table of layers a letter in braces is a number counted from 1; ``{b0}`` is the same number
counted from 0 and ``{s2}`` counted from 2. ``{path}`` is ``spatial`` or ``spatiotemporal``. The
first line that matches counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from vdroppath_tf.layers.normalization import EPSILON
from vdroppath_tf.models.common import MEAN, STD
from vdroppath_tf.names import named

Table = tuple[tuple[str, str], ...]  # (our layer, layer of the source)


@named
@dataclass(frozen=True)
class InputStatistics:
    """What a 2D network is fed: ``(rgb - mean) / std`` of values 0..255, BGR if ``bgr``."""

    mean: tuple[float, ...] = tuple(255 * m for m in MEAN)
    std: tuple[float, ...] = tuple(255 * s for s in STD)
    bgr: bool = False

    def from_ours(self) -> tuple[np.ndarray, np.ndarray]:
        """``(factor, shift)``, each ``(3,)`` in RGB order: theirs = factor * ours + shift."""
        our_mean, our_std = 255 * np.array(MEAN), 255 * np.array(STD)
        return our_std / np.array(self.std), (our_mean - np.array(self.mean)) / np.array(self.std)


@named
@dataclass(frozen=True)
class Convention:
    """The names of one kind of 2D network, and how it differs from the networks here.

    Attributes:
        title: for messages.
        table: its layers and ours.
        mark: a layer by which its weights are known.
        torch: named and laid out as in PyTorch.
        epsilon: of its batch norms.
        statistics: of its input.
        biased: its convolutions have biases; that of ``x_conv`` comes before the BN ``x_bn``.
        changed: what no weight can make up for, as sentences.
        changed_in: the same, of one network of ours.
        rescaled: endings of our layers, ``(kernel, fusion layer)``, where the kernel that follows a
            layer's paths is divided by their number; None where the paths' own kernels are.
        spellings: of older files, as regular expressions, and today's.
        networks: rows of ours whose 2D network ``keras.applications`` builds.

    Example:
    ```python
    table = (("stem_conv", "first_conv"), ("stem_bn", "first_bn"), ("classifier", "logits"))
    own = Convention("a network of mine", table, mark="first_conv")
    own.source_of("stem_conv/kernel")  # "first_conv/kernel"
    ```
    """

    title: str
    table: Table
    mark: str
    torch: bool = False
    epsilon: float = EPSILON
    statistics: InputStatistics = InputStatistics()
    biased: bool = False
    changed: tuple[str, ...] = ()
    changed_in: Callable[[Any], tuple[str, ...]] = lambda row: ()
    rescaled: tuple[str, str] | None = None
    spellings: tuple[tuple[str, str], ...] = ()
    networks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def separator(self) -> str:
        """Between a layer and its variable."""
        return "." if self.torch else "/"

    def source_of(self, path: str) -> str | None:
        """The source's name for the weight ``path`` of ours; None where it has none."""
        layer, _, variable = path.rpartition("/")
        found = source_layer(self.table, layer)
        spelt = TORCH_VARIABLES.get(variable) if self.torch else variable
        return None if found is None or spelt is None else f"{found}{self.separator}{spelt}"

    def layer_of(self, name: str) -> str | None:
        """Our layer for the source's weight ``name``; None for an unknown one."""
        return our_layer(self.table, name.rpartition(self.separator)[0])


TORCH_VARIABLES: Mapping[str, str] = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match[1]
        return rf"(?P<{name}>{'spatial|spatiotemporal' if name == 'path' else '[0-9]+'})"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(template)))


def _numbers(groups: dict[str, str]) -> dict[str, int]:
    """``{"s2": "3"}`` to ``{"s0": 1, "s": 2, "s2": 3}``."""
    found: dict[str, int] = {}
    for name, text in groups.items():
        if name != "path":
            n = int(text) - {"0": -1, "2": 1}.get(name[1:], 0)
            found |= {f"{name[0]}0": n - 1, name[0]: n, f"{name[0]}2": n + 1}
    return found


def source_layer(table: Table, layer: str) -> str | None:
    """The source's name for one of our layers; None where it has no such layer."""
    for ours, theirs in table:
        match = _pattern(ours).fullmatch(layer)
        if match:
            return theirs.format(**_numbers(match.groupdict()))
    return None


def our_layer(table: Table, layer: str) -> str | None:
    """Our name for a layer of the source (its S path, where it has paths); None for an unknown."""
    for ours, theirs in table:
        match = _pattern(theirs).fullmatch(layer)
        if match:
            return ours.format(path="spatial", **_numbers(match.groupdict()))
    return None

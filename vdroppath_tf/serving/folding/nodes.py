"""The operations of a network at inference: a few kinds of nodes, with their weights as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Triple = tuple[int, int, int]


@dataclass(eq=False)
class Node:
    """An operation on the outputs of other nodes, clips ``(batch, time, height, width, channels)``.

    Attributes:
        name: str, the name of the original layer.
        inputs: list of Node, the inputs.
    """

    name: str
    inputs: list[Node]

    @property
    def channels(self) -> int:
        """The number of channels of the output."""
        return self.inputs[0].channels

    def sizes(self, sizes: Triple) -> Triple:
        """Returns the frames, height and width of the output, from those of the input."""
        return sizes

    def macs(self, sizes: Triple) -> int:
        """Returns the multiply-adds for one clip whose input sizes here are ``sizes``."""
        return 0

    def numbers(self) -> int:
        """Returns the number of parameters."""
        return 0


@dataclass(eq=False)
class Clip(Node):
    """The input clips, 0..255."""

    width: int = 3

    @property
    def channels(self) -> int:
        return self.width


@dataclass(eq=False)
class Convolve(Node):
    """A convolution, zero-padded by half its odd kernel, with an optional ReLU.

    Attributes:
        kernel: ``(time, height, width, channels / groups, filters)``.
        bias: ``(filters,)``, or None.
        strides: The strides over time, height and width.
        most: The upper bound of the ReLU, ``math.inf`` for none; None without a ReLU.
    """

    kernel: Any = None
    bias: Any = None
    strides: Triple = (1, 1, 1)
    most: float | None = None

    @property
    def channels(self) -> int:
        return self.kernel.shape[-1]

    @property
    def size(self) -> Triple:
        """The size of the kernel."""
        return self.kernel.shape[:3]

    @property
    def groups(self) -> int:
        """The number of groups of channels."""
        return self.inputs[0].channels // self.kernel.shape[3]

    @property
    def depthwise(self) -> bool:
        """Whether each channel has a separate filter."""
        return self.groups > 1 and self.kernel.shape[3] == 1 and self.channels == self.groups

    @property
    def linear(self) -> bool:
        """Whether there is no ReLU."""
        return self.most is None

    def sizes(self, sizes: Triple) -> Triple:
        t, h, w = (-(-n // s) for n, s in zip(sizes, self.strides, strict=True))
        return t, h, w

    def macs(self, sizes: Triple) -> int:
        return math.prod(self.sizes(sizes)) * self.kernel.size

    def numbers(self) -> int:
        return self.kernel.size + (0 if self.bias is None else self.bias.size)


@dataclass(eq=False)
class Affine(Node):
    """``x * scale + shift`` for each channel: a batch norm, or the normalisation of the clips."""

    scale: Any = None
    shift: Any = None

    def numbers(self) -> int:
        return self.scale.size + self.shift.size


@dataclass(eq=False)
class Rectify(Node):
    """A ReLU with the upper bound ``most``."""

    most: float = math.inf


@dataclass(eq=False)
class Pad(Node):
    """Zero padding on both sides of time, height and width; only a ``Pool`` may follow."""

    pads: Triple = (0, 0, 0)


@dataclass(eq=False)
class Pool(Node):
    """The mean or the maximum of windows that lie inside the padded clip.

    Attributes:
        kind: ``"mean"`` or ``"max"``.
        size, strides, pads: For time, height and width; pads are zeros on both sides.
    """

    kind: str = "max"
    size: Triple = (1, 1, 1)
    strides: Triple = (1, 1, 1)
    pads: Triple = (0, 0, 0)

    def sizes(self, sizes: Triple) -> Triple:
        t, h, w = (
            (n + 2 * p - k) // s + 1
            for n, p, k, s in zip(sizes, self.pads, self.size, self.strides, strict=True)
        )
        return t, h, w


@dataclass(eq=False)
class Total(Node):
    """The sum of the inputs."""


@dataclass(eq=False)
class Join(Node):
    """The concatenation of the inputs' channels."""

    @property
    def channels(self) -> int:
        return sum(node.channels for node in self.inputs)


@dataclass(eq=False)
class Select(Node):
    """A selection of channels.

    Attributes:
        ranges: ``(start, end)`` of each run of channels, ascending.
    """

    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def channels(self) -> int:
        return sum(end - start for start, end in self.ranges)


@dataclass(eq=False)
class Zero(Node):
    """Zeros for some channels, in the size of the other inputs of a ``Join``: a dropped path."""

    width: int = 0

    @property
    def channels(self) -> int:
        return self.width


@dataclass(eq=False)
class Mean(Node):
    """The mean over time, height and width, ``(batch, channels)``."""


@dataclass(eq=False)
class Classify(Node):
    """The classifier: ``x @ kernel + bias``.

    Attributes:
        activation: str, its name; ``"linear"`` for logits.
    """

    kernel: Any = None
    bias: Any = None
    activation: str = "linear"

    @property
    def channels(self) -> int:
        return self.kernel.shape[-1]

    def macs(self, sizes: Triple) -> int:
        return self.kernel.size

    def numbers(self) -> int:
        return self.kernel.size + (0 if self.bias is None else self.bias.size)


def in_order(output: Node) -> list[Node]:
    """Returns all nodes that the output depends on, each after its inputs."""
    found: dict[Node, None] = {}
    waiting: list[tuple[Node, Iterator[Node]]] = [(output, iter(output.inputs))]
    while waiting:
        node, rest = waiting[-1]
        new = next((one for one in rest if one not in found), None)
        if new is None:
            found[node] = None
            waiting.pop()
        else:
            waiting.append((new, iter(new.inputs)))
    return list(found)


@dataclass(frozen=True)
class Cost:
    """The cost of a network of nodes for one clip: its parameters and multiply-adds."""

    parameters: int
    macs: int


def cost_of(output: Node, sizes: Triple) -> Cost:
    """Returns the cost of a network for clips of these frames, height and width."""
    parameters = macs = 0
    for node, seen in sizes_before(output, sizes).items():
        parameters, macs = parameters + node.numbers(), macs + node.macs(seen)
    return Cost(parameters, macs)


def sizes_before(output: Node, sizes: Triple) -> dict[Node, Triple]:
    """Returns the frames, height and width of the input of every node, each after its inputs.

    Args:
        output: The node of the network's output.
        sizes: The frames, height and width of its clips.
    """
    found: dict[Node, Triple] = {}
    for node in in_order(output):
        real = [one for one in node.inputs if not isinstance(one, Zero)]
        found[node] = real[0].sizes(found[real[0]]) if real else sizes
    return found


def float64(value: Any) -> np.ndarray:
    """Converts a variable or a tensor to an array in a precision that folding does not lose."""
    return np.asarray(value, np.float64)


@dataclass
class Account:
    """The operations that were folded.

    Attributes:
        counts: The number of applications of each rule.
    """

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, rule: str, times: int = 1) -> None:
        """Counts applications of a rule."""
        self.counts[rule] = self.counts.get(rule, 0) + times

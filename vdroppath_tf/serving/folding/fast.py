"""Fast forms: the same answers in fewer or cheaper operations, for clips of one size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from vdroppath_tf.serving.folding.depthwise import norms_as_depthwise
from vdroppath_tf.serving.folding.nodes import Convolve, Node, Total, Triple, sizes_before
from vdroppath_tf.serving.folding.winograd import macs_of, numbers_of, pays


@dataclasses.dataclass(eq=False)
class Filtered(Convolve):
    """A convolution over time that is computed by minimal filtering."""

    def macs(self, sizes: Triple) -> int:
        return macs_of(self, sizes)

    def numbers(self) -> int:
        return numbers_of(self)


@dataclasses.dataclass(eq=False)
class Product(Convolve):
    """A convolution of single cells that is computed as a matrix product.

    Its kernel stays in the order in which it is stored. oneDNN sorts those of convolutions into an
    order of its own for each batch, which takes longer than the convolution where few cells share a
    large kernel.
    """


@dataclasses.dataclass(eq=False)
class SumAtOnce(Total):
    """A sum of all inputs in one operation, which TensorFlow merges with a convolution."""


def _wide_over_time(node: Node, sizes: Triple) -> Node:
    return _as(Filtered, node) if isinstance(node, Convolve) and pays(node, sizes) else node


def _few_cells(node: Node, sizes: Triple) -> Node:
    """Takes a convolution for a product if its kernel is larger than its input and output."""
    one: Any = node
    if not isinstance(node, Convolve) or one.size != (1, 1, 1) or one.strides != (1, 1, 1):
        return node
    rows = math.prod(sizes) * (one.inputs[0].channels + one.channels)
    return _as(Product, node) if one.groups == 1 and rows <= one.kernel.size else node


def _sum_at_once(node: Node, sizes: Triple) -> Node:
    return _as(SumAtOnce, node) if type(node) is Total else node


def _as(kind: type[Node], node: Node) -> Node:
    return kind(**{each.name: getattr(node, each.name) for each in dataclasses.fields(node)})


_RULES: dict[str, Callable[[Node, Triple], Node]] = {
    "minimal_filtering": _wide_over_time,
    "matrix_products": _few_cells,
    "sums_at_once": _sum_at_once,
}
_NORMS = "depthwise_norms"
STEPS = (*_RULES, _NORMS)
"""The steps of the fast form: those that are fastest in TensorFlow."""


def fast_form(
    output: Node, sizes: Triple, steps: Sequence[str] = STEPS
) -> tuple[Node, dict[str, int]]:
    """Replaces nodes by faster ones.

    Args:
        output: The node of the network's output.
        sizes: The frames, height and width of its clips.
        steps: Some of ``STEPS``.

    Returns:
        The new output, and how often each of the steps was taken.
    """
    counts = dict.fromkeys(steps, 0)
    made: dict[Node, Node] = {}
    for node, seen in sizes_before(output, sizes).items():
        new = dataclasses.replace(node, inputs=[made[one] for one in node.inputs])
        for step in steps:
            changed = _RULES[step](new, seen) if step in _RULES else new
            counts[step] += changed is not new
            new = changed
        made[node] = new
    last = made[output]
    if _NORMS in steps:
        last, counts[_NORMS] = norms_as_depthwise(last)
    return last, {step: times for step, times in counts.items() if times}

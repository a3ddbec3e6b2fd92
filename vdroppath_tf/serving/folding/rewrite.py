"""Rewrites nodes to fewer nodes with the same answers: each rule is exact except for rounding."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from typing import Any

import numpy as np

from vdroppath_tf.serving.folding.nodes import (
    Account,
    Affine,
    Convolve,
    Join,
    Node,
    Pool,
    Rectify,
    Select,
    Total,
    Zero,
    in_order,
)

_LEAST = 1e-6  # the smallest scale to divide by


def simplified(output: Node, account: Account) -> Node:
    """Applies all rules to the nodes of a network.

    Args:
        output: The node of the network's output.
        account: Counts the applications of rules.
    """
    before = in_order(output)
    uses = Counter(one for node in before for one in node.inputs)
    made: dict[Node, Node] = {}
    left: dict[Node, int] = {}  # the number of nodes that use each of the new ones
    for node in before:
        new = dataclasses.replace(node, inputs=[made[one] for one in node.inputs])
        new = _Rules(account, left).applied(new)
        made[node] = new
        left[new] = left.get(new, 0) + uses[node]
    return made[output]


@dataclasses.dataclass
class _Rules:
    """The rules for one node whose inputs are simplified already.

    Attributes:
        account: Counts the applications of rules.
        uses: The number of nodes that use each of the inputs.
    """

    account: Account
    uses: dict[Node, int]

    def applied(self, node: Node) -> Node:
        """Returns the node, or an equivalent one."""
        if isinstance(node, (Rectify, Pool, Select)) and isinstance(node.inputs[0], Zero):
            return Zero(node.name, [], node.channels)
        return self._rule(node)

    def _alone(self, node: Node) -> bool:
        """Returns whether exactly one node uses this one."""
        return self.uses.get(node, 1) == 1

    @functools.singledispatchmethod
    def _rule(self, node: Node) -> Node:
        return node

    @_rule.register
    def _total(self, node: Total) -> Node:
        """Removes zeros from a sum, and merges convolutions of the same input."""
        inputs = [one for one in node.inputs if not isinstance(one, Zero)]
        if not inputs:
            return node.inputs[0]
        merged: list[Node] = []
        for one in inputs:
            for k, other in enumerate(merged):
                if self._together(one, other):
                    merged[k] = _sum_of_kernels(node.name, other, one)
                    self.account.add("convolutions merged into another")
                    break
            else:
                merged.append(one)
        return merged[0] if len(merged) == 1 else dataclasses.replace(node, inputs=merged)

    def _together(self, one: Node, other: Node) -> bool:
        """Returns whether two nodes are convolutions of one input, with one kernel in the other."""
        if not self._free(one) or not self._free(other):
            return False
        a: Any = one
        b: Any = other
        sizes = sorted([a.size, b.size])
        inside = all(m <= n for m, n in zip(*sizes, strict=True))
        alike = a.inputs[0] is b.inputs[0] and a.strides == b.strides and a.groups == b.groups
        return alike and inside

    def _free(self, node: Node) -> bool:
        """Returns whether a node is a linear convolution that only one node uses."""
        return isinstance(node, Convolve) and node.linear and self._alone(node)

    @_rule.register
    def _affine(self, node: Affine) -> Node:
        """Merges a batch norm into the convolutions before it."""
        x = node.inputs[0]
        if self._free(x):
            self.account.add("norms folded")
            return _scaled(x, node.scale, node.shift)
        free = isinstance(x, Total) and self._alone(x)
        if free and all(self._free(one) for one in x.inputs):
            self.account.add("norms folded")
            shifts = [node.shift] + [None] * (len(x.inputs) - 1)
            inputs: list[Node] = [
                _scaled(one, node.scale, shift) for one, shift in zip(x.inputs, shifts, strict=True)
            ]
            return dataclasses.replace(x, inputs=inputs)
        self.account.add("norms kept")
        return node

    @_rule.register
    def _rectify(self, node: Rectify) -> Node:
        """Merges a ReLU into the convolution before it."""
        x: Any = node.inputs[0]
        if not self._free(x):
            return node
        return dataclasses.replace(x, most=node.most)

    @_rule.register
    def _convolve(self, node: Convolve) -> Node:
        """Merges a scale before a convolution into its kernel; a shift only without padding.

        The padding of a convolution is zero, i.e. not shifted.
        """
        x: Any = node.inputs[0]
        if isinstance(x, Zero) and node.bias is None:
            return Zero(node.name, [], node.channels)
        lone = isinstance(x, Affine) and self._alone(x) and node.groups == 1
        if not lone or np.abs(x.scale).min() < _LEAST:
            return node
        kernel = node.kernel * x.scale[:, None]
        if node.size == (1, 1, 1):
            bias = np.einsum("thwif,i->f", node.kernel, x.shift)
            bias = bias if node.bias is None else node.bias + bias
            self._no_longer_kept()
            return dataclasses.replace(node, inputs=x.inputs, kernel=kernel, bias=bias)
        if np.all(x.scale == 1.0):
            return node
        self._no_longer_kept()
        shifted = dataclasses.replace(x, scale=np.ones_like(x.scale), shift=x.shift / x.scale)
        return dataclasses.replace(node, inputs=[shifted], kernel=kernel)

    def _no_longer_kept(self) -> None:
        self.account.add("norms kept", -1)
        self.account.add("scales folded into the convolution behind")

    @_rule.register
    def _pool(self, node: Pool) -> Node:
        """Moves a mean before 1x1 convolutions, which then take a fraction of the work."""
        x: Any = node.inputs[0]
        parts = [x]
        if isinstance(x, Total) and self._alone(x):
            parts = x.inputs
        if node.kind != "mean" or any(node.pads) or not all(self._pooled(p, node) for p in parts):
            return node
        self.account.add("means taken before a convolution")
        moved: list[Node] = []
        for part in parts:
            pool = dataclasses.replace(node, name=f"{part.name}_pool", inputs=part.inputs)
            moved.append(dataclasses.replace(part, inputs=[pool]))
        return moved[0] if len(moved) == 1 else Total(node.name, moved)

    def _pooled(self, node: Node, pool: Pool) -> bool:
        """Returns whether a pool may be moved before a node."""
        if not self._free(node):
            return False
        one: Any = node
        reach = zip(one.size, pool.size, strict=True)
        return one.strides == (1, 1, 1) and all(k == 1 or p == 1 for k, p in reach)

    @_rule.register
    def _join(self, node: Join) -> Node:
        return node if len(node.inputs) > 1 else node.inputs[0]


def _scaled(node: Any, scale: Any, shift: Any) -> Convolve:
    """Multiplies a convolution by a scale for each channel, and adds a shift."""
    bias = None if node.bias is None else node.bias * scale
    if shift is not None:
        bias = shift if bias is None else bias + shift
    return dataclasses.replace(node, kernel=node.kernel * scale, bias=bias)


def _sum_of_kernels(name: str, one: Any, other: Any) -> Convolve:
    """Merges the sum of two convolutions: the smaller kernel in the centre of the larger one."""
    large, small = (one, other) if one.kernel.size >= other.kernel.size else (other, one)
    pads = [((m - n) // 2,) * 2 for m, n in zip(large.size, small.size, strict=True)]
    kernel = large.kernel + np.pad(small.kernel, [*pads, (0, 0), (0, 0)])
    biases = [node.bias for node in (one, other) if node.bias is not None]
    bias = sum(biases) if biases else None
    return dataclasses.replace(large, name=name, kernel=kernel, bias=bias)

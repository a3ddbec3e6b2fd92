"""Batch norms before a ReLU as depthwise convolutions of one cell: one pass over the clip."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from vdroppath_tf.serving.folding.nodes import Affine, Convolve, Node, Rectify, in_order


def norms_as_depthwise(output: Node) -> tuple[Node, int]:
    """Replaces each norm that only a ReLU follows.

    TensorFlow multiplies, adds and rectifies in three operations, each of which reads and writes
    the clip, whereas oneDNN has one operation for a convolution with its bias and ReLU.

    Returns:
        The new output, and the number of norms that were replaced.
    """
    before = in_order(output)
    uses = Counter(one for node in before for one in node.inputs)
    made: dict[Node, Node] = {}
    replaced = 0
    for node in before:
        norm: Any = node.inputs[0] if node.inputs else None
        if isinstance(node, Rectify) and isinstance(norm, Affine) and uses[norm] == 1:
            kernel = norm.scale.reshape(1, 1, 1, 1, -1)
            inputs = [made[norm.inputs[0]]]
            made[node] = Convolve(node.name, inputs, kernel, norm.shift, most=node.most)
            replaced += 1
        else:
            made[node] = dataclasses.replace(node, inputs=[made[one] for one in node.inputs])
    return made[output], replaced

"""What an answer over a stream costs, of every strategy of a template, without deriving any.

Each layer that sees several frames (with ST or T on) moves the edge of what a window can keep from
the one before it by a frame at both ends. So what a unit costs depends on how many such layers
come before it, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.cost import UnitCosts, complexity, unit_costs
from vdroppath_tf.layers.fusion import BRANCHES, FusionConv
from vdroppath_tf.layers.gates import fusion_layers
from vdroppath_tf.layers.residual_gate import GateProduct
from vdroppath_tf.models.blocks import block_layers
from vdroppath_tf.models.calls import Call, calls_of
from vdroppath_tf.names import named
from vdroppath_tf.ranges import check_range, whole
from vdroppath_tf.scoring.stream_plan import frames_computed, reach_of
from vdroppath_tf.scoring.streaming import HopCost
from vdroppath_tf.spaces.masks import flat_mask
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
@dataclass(frozen=True, eq=False)
class HopCosts:
    """What the units of a template cost in an answer of a ``StreamingClassifier``.

    Attributes:
        units: ``UnitCosts``, of a whole window.
        window: int, the frames of a window.
        hop: int, the frames from one answer to the next.
        edge: int, the frames at each end of a window that the first fusion layer finds changed.
        base: int, multiply-adds of a hop before the first fusion layer and behind the mean over
            frames.
        after: ``(layers,)``, multiply-adds of a window that follow each fusion layer outside all
            blocks, such as the shortcut of the next block.
    """

    units: UnitCosts
    window: int
    hop: int
    edge: int
    base: int
    after: np.ndarray

    __repr__ = brief

    def of(self, strategy: FusionStrategy | str) -> HopCost:
        """What ``StreamingClassifier(derived, ...).cost`` says of the derived network."""
        strategy = FusionStrategy.of(strategy)
        window = self.units.of(strategy)[1]
        edge, hop = self.edge, self.base
        for n, unit in enumerate(strategy):
            inputs = self.units.paths[n].shape[1]
            mask = flat_mask(unit, inputs, self.units.branches, f"layer {n + 1}")
            edge += self.reach(mask)
            hop += self.layer_cost(n, mask, edge)
        return HopCost(window, hop)

    def reach(self, mask: np.ndarray) -> int:
        """The frames that a layer with a flat 0/1 mask over its paths sees on each side."""
        on = np.reshape(mask, (-1, len(self.units.branches))).any(0)
        pairs = zip(self.units.branches, on, strict=True)
        return max((BRANCHES[branch][1][0] // 2 for branch, own in pairs if own), default=0)

    def layer_cost(self, layer: int, mask: np.ndarray, edge: int) -> int:
        """Multiply-adds of a layer, by number, whose output has an edge of so many frames."""
        on = np.reshape(mask, (-1, len(self.units.branches)))
        whole = int(self.units.layer_cost(layer, on)[1])
        paths = int((self.units.paths[layer][1] * on).sum())
        rest = whole - paths + int(self.after[layer])
        return self._share(paths, edge, self.reach(mask)) + self._share(rest, edge)

    def _share(self, macs: int, edge: int, reach: int = 0) -> int:
        return macs * frames_computed(edge, reach, self.window, self.hop) // self.window


@named
def hop_costs(model: keras.Model, clip_shape: tuple[int, int, int], *, hop: int) -> HopCosts:
    """What every unit of a template costs in an answer over a stream of frames.

    Args:
        model: ``keras.Model``, a template without strides in time.
        clip_shape: tuple of int, frames, height and width of a window.
        hop: int, the frames from one answer to the next, at most a window.

    Returns:
        ``HopCosts``.

    Example:
    ```python
    template = vdroppath_tf.zoo.template_micro()
    costs = vdroppath_tf.budget.hop_costs(template, (16, 32, 32), hop=4)
    print(costs.of("S S S S ST ST").share, costs.of("ST ST S S S S").share)
    ```

    Raises:
        ValueError: If the model is no template, or nothing of a window can be kept for the next
            one, or a number is out of range.
    """
    units = unit_costs(model, clip_shape)
    window = clip_shape[0]
    check_range("hop", hop, whole(1, window))
    macs = {row.name: row.macs for row in complexity(model, clip_shape).layers}
    fusion = fusion_layers(model)
    own = {layer.name for one in fusion for layer in block_layers(model, one)}
    edges, base, after = _Edges(fusion), 0, np.zeros(len(fusion), "int64")
    for call in calls_of(model):
        if isinstance(call.layer, keras.layers.GlobalAveragePooling3D):
            break
        level, edge = edges.behind(call)
        cost = 0 if call.layer.name in own else macs.pop(call.layer.name, 0)
        if level:
            after[level - 1] += cost
        else:
            base += cost * frames_computed(edge, reach_of(call.layer), window, hop) // window
    else:
        raise ValueError(
            f"{model.name!r} takes no mean over time and space. Expected a template with a "
            "classifier (include_top=True)."
        )
    head = sum(cost for name, cost in macs.items() if name not in own)
    return HopCosts(units, window, hop, edges.first, base + head, after)


class _Edges:
    """How far the ends of a window reach in, where every fusion layer is one of S.

    Attributes:
        first: in front of the fusion layers.
    """

    def __init__(self, fusion: Sequence[FusionConv]) -> None:
        self.first = 0
        self._place = {id(layer): n for n, layer in enumerate(fusion, 1)}
        self._known: dict[int, tuple[int, int]] = {}  # of each tensor, the level and the edge

    def behind(self, call: Call) -> tuple[int, int]:
        """How many fusion layers come before what a layer gives, and its edge."""
        found = [self._known.get(id(t), (0, 0)) for t in call.takes]
        level = max(self._place.get(id(call.layer), 0), *(one for one, _ in found))
        gated = isinstance(call.layer, (FusionConv, GateProduct))
        reach = 0 if gated else reach_of(call.layer)
        edge = max(one for _, one in found) + reach
        if level == 0:
            self.first = max(self.first, edge)
        elif reach:
            raise ValueError(
                f"{call.layer.name} sees several frames behind a fusion layer. Expected a template "
                "in which fusion layers alone do."
            )
        self._known |= dict.fromkeys(map(id, call.gives), (level, edge))
        return level, edge

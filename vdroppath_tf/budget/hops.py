"""The cost of an answer over a stream for every strategy, without deriving networks.

Each layer that reads several frames (with ST or T on) increases the edge, the frames at each end of
a window that cannot be reused from the window before, by one frame. So the cost of a unit depends
only on the number of such layers before it.
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
    """The costs of the units of a template in an answer of a ``StreamingClassifier``.

    Attributes:
        units: ``UnitCosts``, the costs for a whole window.
        window: int, the number of frames of a window.
        hop: int, the number of frames from one answer to the next.
        edge: int, the edge before the first fusion layer: the frames at each end of a window that
            cannot be reused.
        base: int, the multiply-adds of a hop before the first fusion layer and after the mean over
            frames.
        after: ``(layers,)``, the multiply-adds of a window after each fusion layer and outside all
            blocks, such as those of the next block's shortcut.

    Example:
    ```python
    costs = hop_costs(template, (16, 32, 32), hop=4)
    print(costs.of(space.mode()).share)
    ```
    """

    units: UnitCosts
    window: int
    hop: int
    edge: int
    base: int
    after: np.ndarray

    __repr__ = brief

    def of(self, strategy: FusionStrategy | str) -> HopCost:
        """Returns the cost that ``StreamingClassifier(derived, ...).cost`` gives."""
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
        """Returns how many frames a layer with a flat 0/1 mask of paths reads on each side."""
        on = np.reshape(mask, (-1, len(self.units.branches))).any(0)
        pairs = zip(self.units.branches, on, strict=True)
        return max((BRANCHES[branch][1][0] // 2 for branch, own in pairs if own), default=0)

    def layer_cost(self, layer: int, mask: np.ndarray, edge: int) -> int:
        """Returns the multiply-adds of a layer, by number, whose output has this edge."""
        on = np.reshape(mask, (-1, len(self.units.branches)))
        whole = int(self.units.layer_cost(layer, on)[1])
        paths = int((self.units.paths[layer][1] * on).sum())
        rest = whole - paths + int(self.after[layer])
        return self._share(paths, edge, self.reach(mask)) + self._share(rest, edge)

    def _share(self, macs: int, edge: int, reach: int = 0) -> int:
        return macs * frames_computed(edge, reach, self.window, self.hop) // self.window


@named
def hop_costs(model: keras.Model, clip_shape: tuple[int, int, int], *, hop: int) -> HopCosts:
    """Computes the cost of every unit of a template in an answer over a stream.

    Args:
        model: ``keras.Model``, a template without strides in time.
        clip_shape: tuple of int, frames, height and width of a window.
        hop: int, the number of frames from one answer to the next, at most a window.

    Returns:
        ``HopCosts``.

    Example:
    ```python
    costs = hop_costs(vdroppath_tf.zoo.template_micro(), (16, 32, 32), hop=4)
    print(costs.of("S S S S ST ST").share, costs.of("ST ST S S S S").share)
    ```

    Raises:
        ValueError: If the model is not a template, nothing of a window can be reused for the next,
            or a number is out of range.
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
    """The edges of a template's tensors if every fusion layer has S only.

    Attributes:
        first: the edge before the fusion layers.
    """

    def __init__(self, fusion: Sequence[FusionConv]) -> None:
        self.first = 0
        self._place = {id(layer): n for n, layer in enumerate(fusion, 1)}
        self._known: dict[int, tuple[int, int]] = {}  # level and edge of each tensor

    def behind(self, call: Call) -> tuple[int, int]:
        """Returns how many fusion layers come before the output of a layer, and its edge."""
        found = [self._known.get(id(t), (0, 0)) for t in call.takes]
        level = max(self._place.get(id(call.layer), 0), *(one for one, _ in found))
        gated = isinstance(call.layer, (FusionConv, GateProduct))
        reach = 0 if gated else reach_of(call.layer)
        edge = max(one for _, one in found) + reach
        if level == 0:
            self.first = max(self.first, edge)
        elif reach:
            raise ValueError(
                f"{call.layer.name} reads several frames after a fusion layer. Expected a template "
                "in which only fusion layers do."
            )
        self._known |= dict.fromkeys(map(id, call.gives), (level, edge))
        return level, edge

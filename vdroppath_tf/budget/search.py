"""The most probable strategy under a budget: exact.

The logarithm of a strategy's probability and its cost are both sums over layers (sampling form,
the distribution that ``space.sample`` draws from), so a dynamic programme over the layers finds the
best of all strategies, however many there are. See ``budget.fronts`` for how it rounds.
"""

from __future__ import annotations

import math
import numbers
import warnings

import keras
import numpy as np

from vdroppath_tf.budget.choices import strategies_of
from vdroppath_tf.budget.fronts import Options, sums, traced
from vdroppath_tf.budget.hops import HopCosts
from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.least import least_of
from vdroppath_tf.budget.streams import best_on_stream, stream_costs
from vdroppath_tf.budget.tables import UNITS_OF, CostTables, cost_tables
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.names import named
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def most_probable(
    space: ProbabilitySpace,
    *,
    clip_shape: tuple[int, int, int] | None = None,
    max_macs: float | None = None,
    max_parameters: float | None = None,
    max_latency: float | None = None,
    hop: int | None = None,
    model: keras.Model | None = None,
    costs: UnitCosts | HopCosts | None = None,
    latency: LatencyTable | None = None,
    on_empty: OnEmpty = "allow",
) -> FusionStrategy:
    """Finds the most probable strategy within a budget; without a budget, the mode.

    Args:
        space: ``ProbabilitySpace``, a learned space.
        clip_shape: frames, height, width of the clips; not needed where the model was built for
            clips of one shape, or without a budget. Defaults to None.
        max_macs: number, the most multiply-adds for one clip. Defaults to None.
        max_parameters: number, the most parameters of the derived network. Defaults to None.
        max_latency: number, the most ms for one clip, by ``latency``. Defaults to None.
        hop: int, where the network answers every so many frames over a window of ``clip_shape``:
            ``max_macs`` is then that of such an answer, as ``StreamingClassifier.cost`` has it, and
            a strategy whose ST layers come late is cheap. Defaults to None, one clip.
        model: ``keras.Model``, the template that the space belongs to. Defaults to None: the
            template is built by the space's architecture as the zoo has it, with its number of
            classes, strides and shortcuts.
        costs: ``UnitCosts`` of that template (``cost.unit_costs``), where they are at hand: nothing
            is built then; or ``HopCosts``, of a stream (``hop_costs``). Defaults to None.
        latency: ``LatencyTable`` that ``measure_latency`` gave on the machine in question. Defaults
            to None.
        on_empty: see ``ProbabilitySpace``. Defaults to ``"allow"``.

    Returns:
        A ``FusionStrategy``; of equally probable ones a cheapest, always the same. Where it is the
        empty network, of layers without a path, a ``SpaceWarning`` says whether the budget leaves
        any other, and names the cheapest strategy that has a path (``least``).

    Example:
    ```python
    space = zoo.published_space("something-something-v1")
    strategy = most_probable(space, clip_shape=(8, 224, 224), max_macs=4e10)
    stream = most_probable(space, clip_shape=(32, 224, 224), max_macs=8e10, hop=4)
    ```

    Raises:
        ValueError: where nothing meets the budget (the cheapest strategy is named), there are
            several budgets or bad ones, or the network or the table is another than the space's.
    """
    given = {"macs": max_macs, "parameters": max_parameters, "latency": max_latency}
    budgets = {name: value for name, value in given.items() if value is not None}
    if not budgets:
        if hop is not None:
            raise ValueError(f"Expected max_macs, for an answer every hop. Received: hop={hop}")
        return space.mode(on_empty)
    if len(budgets) > 1:
        names = " and ".join(f"max_{name}" for name in budgets)
        raise ValueError(f"Expected one budget. Received: {names}")
    ((by, budget),) = budgets.items()
    if by == "latency" and latency is None:
        raise ValueError("Expected latency=, what measure_latency gives, for max_latency.")
    if isinstance(budget, bool) or not isinstance(budget, numbers.Real) or not budget > 0:
        raise ValueError(f"Expected max_{by} as a number above 0. Received: {budget!r}")
    if isinstance(costs, HopCosts) or hop is not None:
        if by != "macs":
            raise ValueError(f"Expected max_macs, of an answer over a stream. Received: max_{by}")
        own = stream_costs(space, hop=hop, clip_shape=clip_shape, model=model, costs=costs)
        found, text = best_on_stream(space, own, float(budget), on_empty)
        if text:
            warnings.warn(text, SpaceWarning, stacklevel=3)
        return found
    tables = cost_tables(space, clip_shape, model, costs, latency, only=by)
    layers = tables.options(by, on_empty)
    steps = sums(layers, tables.left(by, float(budget)))
    if not len(steps[0].cost):
        raise _too_small(tables, by, float(budget), layers, on_empty)
    chosen = traced(steps, np.array([len(steps[0].cost) - 1]))
    found = strategies_of(space, layers, chosen)[0]
    if found.empty and math.isfinite(budget):
        text = _only_empty(tables, by, float(budget), on_empty)
        warnings.warn(text, SpaceWarning, stacklevel=3)
    return found


def _only_empty(tables: CostTables, by: str, budget: float, on_empty: OnEmpty) -> str:
    """The warning of a budget whose answer is a network without a path."""
    cost, said = _least(tables, by, on_empty)
    within = f"{budget:,.12g} {UNITS_OF[by]}"
    alone = f"At most {within} leave only the empty network"
    likely = f"The most probable with at most {within} is the empty network"
    return f"{alone if cost > budget else likely}: no layer has a path. {said}".strip()


def _least(tables: CostTables, by: str, on_empty: OnEmpty) -> tuple[float, str]:
    """What the least network with a path costs, and a sentence about it; none if there is none."""
    strategy = least_of(tables, by, on_empty)
    if strategy is None:
        return math.inf, ""
    cost = tables.cost(by, strategy)
    shown = f"{_shown(by, cost)} {UNITS_OF[by]}"
    return cost, f"The least that looks at a frame has {shown}: {str(strategy)!r}."


def _shown(by: str, cost: float) -> str:
    return f"{cost:,.3f}" if by == "latency" else f"{cost:,}"


def _too_small(
    tables: CostTables, by: str, budget: float, layers: list[Options], on_empty: OnEmpty
) -> ValueError:
    """The error of a budget that nothing meets, with the cheapest strategy there is."""
    masks = [layer.masks[0] for layer in layers]  # a layer's front starts with its cheapest
    cheapest = tables.space.strategy_of(masks)
    cost = tables.cost(by, cheapest)
    more = ""
    if cheapest.empty:
        more = f" In it no layer has a path. {_least(tables, by, on_empty)[1]}".rstrip()
    return ValueError(
        f"No strategy that the space can draw has at most {budget:,.12g} {UNITS_OF[by]}. The "
        f"cheapest has {_shown(by, cost)}: {str(cheapest)!r}. Expected max_{by} of at least that."
        f"{more}"
    )

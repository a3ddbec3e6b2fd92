"""most_probable: exact search for the most probable strategy under a budget.

The logarithm of a strategy's probability (sampling form, the distribution of ``space.sample``) and
its cost are both sums over layers, so dynamic programming over the layers finds the best of all
strategies, however many there are. See ``budget.fronts`` for the rounding.
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
        clip_shape: frames, height, width of the clips; not needed if the model was built for clips
            of one shape, or without a budget. Defaults to None.
        max_macs: number, the budget of multiply-adds for one clip. Defaults to None.
        max_parameters: number, the budget of parameters of the derived network. Defaults to None.
        max_latency: number, the budget of ms for one clip, by ``latency``. Defaults to None.
        hop: int, the number of frames from one answer to the next if the network runs over a stream
            in windows of ``clip_shape``. ``max_macs`` is then the budget of one answer, as in
            ``StreamingClassifier.cost``, and a strategy whose ST layers come late is cheap.
            Defaults to None, single clips.
        model: ``keras.Model``, the template that the space belongs to. Defaults to None: the
            template is built by the name of the space's architecture, with the zoo's number of
            classes, strides and shortcuts.
        costs: ``UnitCosts`` of that template (``cost.unit_costs``), so that no network is built; or
            ``HopCosts`` for a stream (``hop_costs``). Defaults to None.
        latency: ``LatencyTable`` from ``measure_latency`` on the target machine. Defaults to None.
        on_empty: see ``ProbabilitySpace``. Defaults to ``"allow"``.

    Returns:
        A ``FusionStrategy``; of equally probable ones a cheapest, always the same. If it is the
        empty network, in which no layer has a path, a ``SpaceWarning`` states whether the budget
        allows any other, and names the cheapest strategy that has a path (``least``).

    Example:
    ```python
    strategy = most_probable(space, clip_shape=(8, 32, 32), model=template, max_macs=1.2e6)
    stream = most_probable(space, clip_shape=(16, 32, 32), model=template, max_macs=1.2e6, hop=4)
    ```

    Raises:
        ValueError: If nothing meets the budget (the message names the cheapest strategy), there are
            several budgets or invalid ones, or the network or the table does not belong to the
            space.
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
        raise ValueError("Expected latency=, the result of measure_latency, for max_latency.")
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
    """Returns the warning for a budget whose answer is a network without a path."""
    cost, said = _least(tables, by, on_empty)
    within = f"{budget:,.12g} {UNITS_OF[by]}"
    alone = f"At most {within} leave only the empty network"
    likely = f"The most probable with at most {within} is the empty network"
    return f"{alone if cost > budget else likely}: no layer has a path. {said}".strip()


def _least(tables: CostTables, by: str, on_empty: OnEmpty) -> tuple[float, str]:
    """Returns the cost of the cheapest network with a path, and a sentence, "" if none exists."""
    strategy = least_of(tables, by, on_empty)
    if strategy is None:
        return math.inf, ""
    cost = tables.cost(by, strategy)
    shown = f"{_shown(by, cost)} {UNITS_OF[by]}"
    return cost, f"The cheapest strategy with a path has {shown}: {str(strategy)!r}."


def _shown(by: str, cost: float) -> str:
    return f"{cost:,.3f}" if by == "latency" else f"{cost:,}"


def _too_small(
    tables: CostTables, by: str, budget: float, layers: list[Options], on_empty: OnEmpty
) -> ValueError:
    """Returns the error for a budget that nothing meets, with the cheapest strategy."""
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

"""pareto, choice_of: strategies with their log-probability and costs, and the exact front."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from vdroppath_tf.budget.fronts import Options, sums, traced
from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.tables import check_cost_name, cost_tables
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.names import named
from vdroppath_tf.spaces import draws
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
@dataclass(frozen=True)
class Choice:
    """A strategy with its log-probability (sampling form) and its costs.

    Attributes:
        strategy: the strategy.
        log_prob: the natural logarithm of its probability, ``space.log_prob(strategy)``.
        parameters, macs: the costs of its derived network, MACs for one clip.
        latency: the time for one clip in ms, by the latency table; None without a table.

    Example:
    ```python
    for choice in vdroppath_tf.pareto(space, clip_shape=(8, 32, 32), model=template):
        print(choice.strategy, choice.log_prob, choice.macs)
    ```
    """

    strategy: FusionStrategy
    log_prob: float
    parameters: int
    macs: int
    latency: float | None = None


@named
def pareto(
    space: ProbabilitySpace,
    *,
    clip_shape: tuple[int, int, int] | None = None,
    by: str = "macs",
    model: keras.Model | None = None,
    costs: UnitCosts | None = None,
    latency: LatencyTable | None = None,
    on_empty: OnEmpty = "allow",
) -> tuple[Choice, ...]:
    """Finds every strategy that no other beats in both cost and probability, cheapest first.

    Each is the most probable strategy with at most its cost. Of strategies with equal cost and
    probability one is returned.

    Args:
        space: ``ProbabilitySpace``, a learned space.
        clip_shape: frames, height, width of the clips, as in ``most_probable``.
        by: str, the cost: ``"macs"``, ``"parameters"`` or ``"latency"``. Defaults to ``"macs"``.
        model, costs: the template or its costs, as in ``most_probable``.
        latency: ``LatencyTable``, needed for ``by="latency"``; if given, each choice has a latency.
        on_empty: see ``ProbabilitySpace``. Defaults to ``"allow"``.

    Returns:
        A tuple of ``Choice``.

    Example:
    ```python
    for choice in pareto(space, clip_shape=(8, 32, 32), model=template):
        print(choice.macs, choice.log_prob, choice.strategy)
    ```

    Raises:
        ValueError: If the network or the table does not belong to the space.
    """
    check_cost_name(by)
    if by == "latency" and latency is None:
        raise ValueError("Expected latency=, the result of measure_latency, for by='latency'.")
    tables = cost_tables(space, clip_shape, model, costs, latency)
    layers = tables.options(by, on_empty)
    steps = sums(layers)
    chosen = traced(steps, np.arange(len(steps[0].cost)))
    log_prob = _log_probs(space, layers, chosen, on_empty)
    parameters, macs, time = tables.totals(layers, chosen)
    columns = strategies_of(space, layers, chosen), log_prob, parameters, macs, time
    return tuple(Choice(*row) for row in zip(*columns, strict=True))


@named
def choice_of(
    space: ProbabilitySpace,
    strategy: FusionStrategy | str,
    *,
    clip_shape: tuple[int, int, int] | None = None,
    model: keras.Model | None = None,
    costs: UnitCosts | None = None,
    latency: LatencyTable | None = None,
    on_empty: OnEmpty = "allow",
) -> Choice:
    """Computes the log-probability and costs of a strategy; arguments as in ``most_probable``.

    Raises:
        ValueError: If the strategy, network or table does not belong to the space.

    Example:
    ```python
    choice = choice_of(space, space.mode(), clip_shape=(8, 32, 32), model=template)
    print(choice.macs, choice.log_prob)
    ```
    """
    strategy = FusionStrategy.of(strategy)
    log_prob = space.log_prob(strategy, on_empty)
    tables = cost_tables(space, clip_shape, model, costs, latency)
    parameters, macs = tables.known_units.of(strategy)
    time = None if tables.latency is None else tables.latency.of(strategy)
    return Choice(strategy, log_prob, parameters, macs, time)


def strategies_of(
    space: ProbabilitySpace, layers: list[Options], chosen: np.ndarray
) -> list[FusionStrategy]:
    """Returns the strategies of `(points, layers)` options."""
    most = max(len(layer.masks) for layer in layers)
    named = [
        space.strategy_of([layer.masks[min(k, len(layer.masks) - 1)] for layer in layers])
        for k in range(most)
    ]
    return [
        FusionStrategy(tuple(named[k][n] for n, k in enumerate(row)), space.architecture)
        for row in chosen
    ]


def _log_probs(
    space: ProbabilitySpace, layers: list[Options], chosen: np.ndarray, on_empty: OnEmpty
) -> list[float]:
    """Returns their log-probabilities, added in the order of ``space.log_prob``: the same bits."""
    total = np.zeros(len(chosen))
    pairs = zip(space.layer_draws(on_empty), layers, strict=True)
    for n, ((drop, layer_drop, never_empty), layer) in enumerate(pairs):
        logs = [draws.log_prob(m, drop, layer_drop, never_empty=never_empty) for m in layer.masks]
        total += np.array(logs)[chosen[:, n]]
    return total.tolist()

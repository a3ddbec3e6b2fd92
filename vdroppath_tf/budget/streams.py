"""Budgets for an answer over a stream: the costs, and the best strategy."""

from __future__ import annotations

import keras

from vdroppath_tf.budget.checks import check_costs, check_network
from vdroppath_tf.budget.hop_search import HopSearch
from vdroppath_tf.budget.hops import HopCosts, hop_costs
from vdroppath_tf.budget.tables import ClipShape, shape_of, template_of
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.names import named
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def stream_costs(
    space: ProbabilitySpace,
    *,
    hop: int | None = None,
    clip_shape: ClipShape | None = None,
    model: keras.Model | None = None,
    costs: UnitCosts | HopCosts | None = None,
) -> HopCosts:
    """Returns the costs of an answer over a stream for the network of a space.

    Args:
        space: ``ProbabilitySpace``, a learned space.
        hop: int, the number of frames from one answer to the next; not needed with ``costs``.
        clip_shape: frames, height and width of a window, as in ``most_probable``.
        model: ``keras.Model``, the template that the space belongs to. Defaults to None: it is
            built by the name of the space's architecture.
        costs: ``HopCosts`` of that template, which are checked and returned. Defaults to None.

    Returns:
        ``HopCosts``.

    Example:
    ```python
    space = zoo.transfer(zoo.published_space("something-something-v1"), "micro")
    costs = vdroppath_tf.budget.stream_costs(space, hop=4, clip_shape=(16, 112, 112))
    print(costs.of(space.mode()).share)
    ```

    Raises:
        ValueError: If the costs belong to another network, have another hop, or are not for a
            stream.
    """
    if space.per_input:
        raise ValueError(
            "Each input of a layer has its own gates. The costs of a layer over a stream are only "
            "known if its inputs share gates: expected a template with share_inputs=True."
        )
    if model is not None:
        check_network(space, ProbabilitySpace.from_model(model))
    if costs is None and hop is not None:
        model = template_of(space) if model is None else model
        costs = hop_costs(model, clip_shape or shape_of(model), hop=hop)
    if not isinstance(costs, HopCosts) or hop not in (None, costs.hop):
        raise ValueError(
            f"costs= are not for a stream with hop={hop}. Expected hop_costs(model, "
            f"clip_shape, hop={hop}), or none. Received: {costs!r}"
        )
    check_costs(space, costs.units)
    return costs


def best_on_stream(
    space: ProbabilitySpace, costs: HopCosts, budget: float, on_empty: OnEmpty
) -> tuple[FusionStrategy, str]:
    """Returns the most probable strategy within ``budget`` multiply-adds a hop, and a warning.

    Raises:
        ValueError: If no strategy meets the budget.
    """
    search = HopSearch(space, costs, on_empty)
    found = search.best(budget)
    within = f"{budget:,.12g} MACs a hop of {costs.hop} frames"
    if found is None:
        cheapest = search.best(search.least)
        raise ValueError(
            f"No strategy that the space can draw has at most {within}. The cheapest has "
            f"{search.least:,}: {str(cheapest)!r}. Expected max_macs of at least that."
        )
    if not found.empty:
        return found, ""
    filled = search.least_filled()
    said = f"The most probable with at most {within} is the empty network: no layer has a path."
    if filled is not None:
        said += f" The cheapest with a path has {costs.of(filled).hop:,}: {str(filled)!r}."
    return found, said

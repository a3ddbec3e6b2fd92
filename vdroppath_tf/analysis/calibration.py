"""Calibration: does the probability of a strategy predict its accuracy?

Three questions, each answered by Kendall's tau with its interval:

* draws: are strategies with more probability more accurate?
* layers: are the layers with low entropy, in which the space has decided, those in which another
  unit costs accuracy?
* swaps: do the space's log-odds of the chosen unit over another predict what the other costs?
  This is tested for both forms, sampling (p, Eq. 6) and Eq. 7's (the square root of p), which
  disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vdroppath_tf.analysis.tau import tau_interval
from vdroppath_tf.analysis.worth import LayerWorth
from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.scores import StrategyScore
from vdroppath_tf.spaces.marginals import Form, off
from vdroppath_tf.spaces.space import ProbabilitySpace

_LARGE = 1e6  # replaces infinite log-odds, where a gate's p is 0 or 1


@named
def in_form(space: ProbabilitySpace, form: Form) -> ProbabilitySpace:
    """Returns the space whose draws have the probabilities of a form.

    Args:
        space: ``ProbabilitySpace``, as learned.
        form: str, ``"sampling"`` gives the space itself; ``"paper"`` (Eq. 7) one in which a path is
            off with the square root of p.

    Example:
    ```python
    in_form(space, "paper").mode()  # the most probable unit of each layer by Eq. 7
    ```
    """
    if form == "sampling":
        return space
    changed: dict[str, Any] = {
        name: tuple(off(p, form) for p in getattr(space, name)) for name in ("drop", "initial")
    }
    for name in ("layer_drop", "initial_layer_drop"):
        changed[name] = off(getattr(space, name), form)
    return replace(space, **changed)


@named
def log_odds(space: ProbabilitySpace, worth: LayerWorth, form: Form = "sampling") -> np.ndarray:
    """Computes the log-odds of the chosen unit over that of each swap, ``(swaps,)`` in nats.

    Args:
        space: ``ProbabilitySpace`` of the template.
        worth: ``LayerWorth``, which holds the swaps.
        form: str, the form of the probabilities. Defaults to "sampling".

    Raises:
        ValueError: If the swaps belong to another network.

    Example:
    ```python
    log_odds(space, worth)  # a number for each of worth.swaps
    ```
    """
    own = in_form(space, form)
    chosen = own.log_prob(worth.strategy)
    found = [chosen - own.log_prob(worth.swapped(swap)) for swap in worth.swaps]
    return np.nan_to_num(np.array(found), nan=0.0, posinf=_LARGE, neginf=-_LARGE)


@named
@dataclass(frozen=True, eq=False)
class Calibration:
    """The agreement between the probabilities of a space and measurements.

    Attributes:
        draws: ``Interval``, tau between the log-probability of draws and their accuracy; None if no
            draws were scored.
        layers: ``Interval``, tau between the negative entropy of a layer and the worth of its
            choice; None without a ``LayerWorth``.
        swaps: dict from form to the ``Interval`` of tau between the log-odds of the chosen unit and
            the cost of swapping it; empty without a ``LayerWorth``.

    Example:
    ```python
    found = calibration(space, scores=scores, worth=worth)
    print(found.draws, found.layers, found.swaps["sampling"])
    ```
    """

    draws: Interval | None
    layers: Interval | None
    swaps: dict[str, Interval]


@named
def calibration(
    space: ProbabilitySpace,
    *,
    scores: Sequence[StrategyScore] = (),
    worth: LayerWorth | None = None,
) -> Calibration:
    """Compares the probabilities of a space with measurements.

    Intervals are bootstraps over draws, layers or swaps. The swaps of one layer are treated as
    independent, so the intervals over swaps are somewhat too narrow.

    Args:
        space: ``ProbabilitySpace`` of the template.
        scores: Sequence of ``StrategyScore``, draws of the space, each once. Defaults to none.
        worth: ``LayerWorth``, the worth of each layer's choice. Defaults to None.

    Returns:
        ``Calibration``.

    Example:
    ```python
    print(calibration(space, scores=scores, worth=worth).draws)
    ```
    """
    draws = layers = None
    swaps: dict[str, Interval] = {}
    whole = [score for score in scores if score.clips == max(s.clips for s in scores)]
    if len(whole) > 1:
        logs = [max(space.log_prob(score.strategy), -_LARGE) for score in whole]
        draws = tau_interval(logs, [score.top1 for score in whole])
    if worth is not None:
        known = [n for n, each in enumerate(worth.worth) if math.isfinite(each.value)]
        values = [worth.worth[n].value for n in known]
        layers = tau_interval(-space.entropy()[known], values)
        costs = [worth.cost(swap).value for swap in worth.swaps]
        forms: tuple[Form, ...] = ("sampling", "paper")
        swaps = {form: tau_interval(log_odds(space, worth, form), costs) for form in forms}
    return Calibration(draws, layers, swaps)

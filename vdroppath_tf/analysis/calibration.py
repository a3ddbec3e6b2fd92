"""Does a probability of the space mean something? Accuracy against log-probability, and more.

Three questions, each answered by Kendall's tau with its interval:

* of draws: are strategies that the space gives more mass more accurate?
* of layers: are those with low entropy, in which the space has decided, the ones in which another
  unit costs accuracy?
* of swaps: does the space's log-odds of the chosen unit over another predict what the other costs?
  That is asked of both forms, sampling (p, Eq. 6) and Eq. 7's (the square root of p), which
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

_LARGE = 1e6  # of log-odds that are infinite, where a gate's p is 0 or 1


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
        worth: ``LayerWorth``, whose swaps are meant.
        form: str, of the probabilities. Defaults to "sampling".

    Raises:
        ValueError: If the swaps are another network's.
    """
    own = in_form(space, form)
    chosen = own.log_prob(worth.strategy)
    found = [chosen - own.log_prob(worth.swapped(swap)) for swap in worth.swaps]
    return np.nan_to_num(np.array(found), nan=0.0, posinf=_LARGE, neginf=-_LARGE)


@named
@dataclass(frozen=True, eq=False)
class Calibration:
    """How well the probabilities of a space agree with what was measured.

    Attributes:
        draws: ``Interval``, tau of the log-probability of draws and their accuracy; None where no
            draws were scored.
        layers: ``Interval``, tau of how decided a layer is (its entropy, reversed) and what its
            choice is worth; None without a ``LayerWorth``.
        swaps: dict from form to the ``Interval`` of tau between the log-odds of the chosen unit and
            what swapping it costs; empty without one.
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
    """Compares the probabilities of a space with what was measured.

    Intervals are bootstraps over draws, layers or swaps; those of swaps treat the swaps of one
    layer as if they were independent, so they are somewhat too narrow.

    Args:
        space: ``ProbabilitySpace`` of the template.
        scores: Sequence of ``StrategyScore``, draws of the space, each once. Defaults to none.
        worth: ``LayerWorth``, what layers are worth. Defaults to None.

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

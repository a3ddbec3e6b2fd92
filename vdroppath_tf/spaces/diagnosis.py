"""Whether the data or the prior decided a space, and whether there is anything left to choose.

A gate was moved by whichever of the two pushed it further in the direction in which it went. That
is not where the gradients of the two balance at the end: at a gate that has come to rest they are
equal and opposite, whoever brought it there. But where the prior pushed and the data pushed back,
the gate stands where the data have stopped it: it counts as the data's. A layer was decided by the
data where they moved or held one of its paths: that the prior takes away the others, which the data
do not defend, is what it is for. Ways are in 1 - sqrt(p), the probability of a path in Eq. 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import weaker_prior
from vdroppath_tf.spaces.pushes import GateValues, Pushes, share_of
from vdroppath_tf.spaces.strategy import FusionStrategy

if TYPE_CHECKING:
    from vdroppath_tf.spaces.space import ProbabilitySpace

NEAR_START = 0.1
"""Total variation distance of marginals below which a layer, or a gate, has hardly moved."""

DATA, PRIOR, NEITHER = "data", "prior", "neither"
"""What moved a gate or a layer; neither did where it is near where its training began."""

HELD = 0.5
"""Share of the prior's push that the data must have pushed back to have held a gate."""

FULL = 0.95
"""Mean probability of all paths from which a space has every path on."""

DECIDED = 0.05
"""Entropy, as a share of the most there can be, below which draws are one strategy."""


@named
@dataclass(frozen=True)
class Diagnosis:
    """What moved the gates of a space in training, and whether the space has collapsed.

    Attributes:
        layers: the names of the layers.
        collapsed: `"empty"` where the most probable strategy has no path in any layer that can be
            without one, `"full"` where nearly every draw has every path of every layer,
            `"decided"` where nearly every draw is one other strategy; else `""`.
        mode: the most probable strategy.
        moved_by: `"data"`, `"prior"` or `"neither"` of each layer; `()` where it is not known.
        gates: the same of each gate of each layer, its paths input by input, then D1 if there is
            one; `()` where it is not known.
        strength: the strength of the prior that acted, as `acting_strength` computes it; None where
            it is not known.
        data_share: of each layer, how much of the gates' gradient in the last epoch came from the
            data, in [0, 1]; `()` where it is not known.

    Example:
    ```python
    found = diagnose(space)
    print(found.collapsed, found.moved_by, found.sentences())
    ```
    """

    layers: tuple[str, ...]
    collapsed: str
    mode: FusionStrategy
    moved_by: tuple[str, ...] = ()
    gates: tuple[tuple[str, ...], ...] = ()
    data_share: tuple[float, ...] = ()
    strength: float | None = None

    @property
    def known(self) -> bool:
        """Whether it is known what moved the gates."""
        return bool(self.moved_by)

    def count(self, what: str) -> int:
        """How many layers were moved by the `"data"`, the `"prior"` or `"neither"`."""
        return self.moved_by.count(what)

    @property
    def alarming(self) -> bool:
        """Whether a reader must be warned: of a collapse, or a prior that decided most layers."""
        return bool(self.collapsed) or self.count(PRIOR) > self.count(DATA)

    def sentences(self) -> list[str]:
        """What to say of it, the most important first; each with what to do, if anything."""
        first = [_collapse(self)] if self.collapsed else []
        if not self.known:
            return [*first, UNKNOWN]
        return [*first, _decided(self)]

    def __str__(self) -> str:
        return " ".join(self.sentences())


UNKNOWN = (
    "Whether the data or the prior moved the gates is not known: the space has no record of the "
    "training behind it (it is published, of an older version, or not trained by fit)."
)


def _weaker(found: Diagnosis) -> str:
    if found.strength == 0.0:  # there is no prior to be weakened
        return "train again for longer, or on more videos"
    return (
        f"train again for longer, on more videos, or with a weaker prior, "
        f"{weaker_prior(found.strength)}"
    )


def _collapse(found: Diagnosis) -> str:
    empty, of = sum(not unit.branches for unit in found.mode), len(found.mode)
    units = {
        "empty": f"the most probable strategy has no path (-) in {empty} of {of} layers",
        "full": "nearly every draw has every path of every layer",
        "decided": f"nearly every draw is {str(found.mode)!r}",
    }
    nothing = "so there is nothing to choose among"
    return f"The space has collapsed: {units[found.collapsed]}, {nothing}. {_remedy(found)}"


def _remedy(found: Diagnosis) -> str:
    by_data = found.count(DATA) > found.count(PRIOR)
    if found.collapsed == "empty" and not by_data:
        return f"{_capital(_weaker(found))}."
    if found.collapsed == "empty":
        return (
            "The data moved it there. If the task needs its layers, gates learned faster than "
            "weights: lower gate_learning_rate= (--gate_learning_rate=) or train the weights for "
            "longer first, warmup_epochs= (--warmup_epochs=)."
        )
    if found.collapsed == "full":
        return (
            "Paths cost nothing there. If fewer are wanted: a stronger prior, prior_strength= "
            "(--prior_strength=)."
        )
    if by_data:
        return "The data moved it there."
    remedy = _weaker(found)
    return f"{_capital(remedy)}." if found.known else f"If the data did not: {remedy}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _decided(found: Diagnosis) -> str:
    prior, of = found.count(PRIOR), len(found.layers)
    share = 100 * np.mean(found.data_share)
    numbers = (
        f"The prior decided in {prior} of {of} layers, the data in {found.count(DATA)}; "
        f"{found.count(NEITHER)} hardly moved. In the last epoch {share:.0f} % of the gates' "
        f"gradient came from the data."
    )
    if not prior or (found.collapsed == "empty" and found.count(DATA) <= prior):
        return numbers  # what to do was said already, or nothing is to be done
    there = (
        f"{numbers} Where the prior decided, the probabilities carry no information about the data"
    )
    return f"{there}: {_weaker(found)}." if found.alarming else f"{there}."


@named
def diagnose(space: ProbabilitySpace, *, strength: float | None = None) -> Diagnosis:
    """Finds out whether the data or the prior decided a space, and whether it has collapsed.

    Args:
        space: `ProbabilitySpace`, of a trained template. One that was read from a file of an older
            version has no record of its training: what moved it is unknown then.
        strength: of the prior in the training, for what is advised. Defaults to None: not known.

    Returns:
        A `Diagnosis`; `str` of it is what commands print.

    Example:
    ```python
    print(diagnose(ProbabilitySpace.load("run/space.json")))
    ```
    """
    mode = space.mode()
    collapsed = _collapsed(space, mode)
    if space.pushes is None:
        return Diagnosis(space.layers, collapsed, mode, strength=strength)
    ways = _ways(space, space.pushes)
    least = _least_push(ways)
    moves = [_moves(space, n, way, least) for n, way in enumerate(ways)]
    return Diagnosis(
        space.layers,
        collapsed,
        mode,
        tuple(layer for layer, _ in moves),
        tuple(gates for _, gates in moves),
        tuple(share_of(data, prior) for data, prior in space.pushes.gradients()),
        strength,
    )


def _collapsed(space: ProbabilitySpace, mode: FusionStrategy) -> str:
    free = [unit for unit, may in zip(mode, space.has_residual, strict=True) if may]
    if free and not any(unit.branches for unit in free):
        return "empty"
    every = _all_on(space)
    if every >= FULL and every > _all_on(space.started()):
        return "full"
    most = [np.log(2) * max(int((layer < 1).sum()), 1) for layer in space.initial]
    return "decided" if np.mean(space.entropy() / most) < DECIDED else ""


def _all_on(space: ProbabilitySpace) -> float:
    """The probability that a layer has every path that there is, on average over layers."""
    pairs = zip(space.drop, space.initial, space.layer_drop, strict=True)
    return float(np.mean([np.prod(1 - p[p0 < 1]) * (1 - d1) for p, p0, d1 in pairs]))


class _Way(NamedTuple):
    """How far each gate of a layer moved, and what pushed it; all above 0 towards dropping."""

    moved: np.ndarray
    data: np.ndarray
    prior: np.ndarray


def _ways(space: ProbabilitySpace, pushes: Pushes) -> list[_Way]:
    now = GateValues(space.drop, space.layer_drop)
    parts = (values.flat() for values in (now, pushes.since, pushes.data, pushes.prior))
    return [
        _Way(np.sqrt(ended) - np.sqrt(began), data, prior)
        for ended, began, data, prior in zip(*parts, strict=True)
    ]


def _least_push(ways: list[_Way]) -> float:
    """The prior's push, on average, of the gates that it moved; what moves none holds for none."""
    found = []
    for moved, _, prior in ways:
        found += prior[(moved >= NEAR_START) & (prior > 0)].tolist()
    return float(np.mean(found)) if found else float("inf")


def _moves(space: ProbabilitySpace, n: int, way: _Way, least: float) -> tuple[str, tuple[str, ...]]:
    """What moved a layer, and each of its gates; ``least`` is of ``_least_push``."""
    moved, data, prior = way
    real = np.append(space.initial[n].ravel() < 1, space.initial_layer_drop[n] > 0)
    ways = np.sign(moved)
    along = np.maximum(ways * data, 0), np.maximum(ways * prior, 0)
    neither = along[0] + along[1] == 0  # it went where nothing pushed it: momentum, say
    one, other = (
        np.where(neither, np.abs(push), a) for push, a in zip((data, prior), along, strict=True)
    )
    held = (prior > 0) & (-data >= HELD * prior)
    movers = np.where((one > other) | held, DATA, PRIOR)
    rests = np.abs(moved) < NEAR_START
    named = np.where(rests & ~(held & (prior >= HELD * least)), NEITHER, movers)
    named[~real] = NEITHER
    inputs = [*named[:-1].reshape(space.drop[n].shape), named[-1:]]
    return _verdict([_of_input(gates) for gates in inputs]), tuple(str(g) for g in named[real])


def _of_input(gates: np.ndarray) -> str:
    """The data decided among the paths of an input where they moved or held one of them."""
    return next((what for what in (DATA, PRIOR) if what in gates), NEITHER)


def _verdict(inputs: list[str]) -> str:
    """What decided most of a layer's inputs, and D1; the prior where they are as many."""
    if all(one == NEITHER for one in inputs):
        return NEITHER
    return DATA if inputs.count(DATA) > inputs.count(PRIOR) else PRIOR

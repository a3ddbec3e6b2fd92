"""LayerWorth: the cost of every swap of a layer's unit, as data.

`layer_worth` measures it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.paired import mean_interval, paired_interval
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit


@named
@dataclass(frozen=True)
class Swap:
    """A strategy that differs from the chosen one in one layer.

    Attributes:
        layer: int, the number of the layer, from 0.
        unit: ``FusionUnit``, the unit that replaces the chosen one.
        wins: int, the number of clips that only the chosen strategy gets right.
        losses: int, the number of clips that only the swapped strategy gets right.

    Example:
    ```python
    worst = max(worth.swaps, key=lambda swap: swap.wins - swap.losses)
    print(worst.layer, worst.unit)
    ```
    """

    layer: int
    unit: FusionUnit
    wins: int
    losses: int


@named
@dataclass(frozen=True, eq=False)
class LayerWorth:
    """The worth of the choice of each layer, measured on clips.

    Attributes:
        strategy: ``FusionStrategy``, the strategy whose units are swapped.
        layers: tuple of str, the names of the fusion layers.
        clips: int, the number of clips that were scored.
        correct: int, the number of them that the strategy gets right.
        recalibrated: bool, whether batch norm was recalibrated for each strategy.
        swaps: tuple of ``Swap``, in the order of the layers.
        worth: tuple of ``Interval``, for each layer the mean cost of its swaps with its paired 95 %
            interval; NaN for a layer with only one unit.

    Example:
    ```python
    worth = layer_worth(template, space.mode(), test_clips)
    for swap in worth.of_layer(0):
        print(worth.swapped(swap), worth.cost(swap))
    ```
    """

    strategy: FusionStrategy
    layers: tuple[str, ...]
    clips: int
    correct: int
    recalibrated: bool
    swaps: tuple[Swap, ...]
    worth: tuple[Interval, ...]

    def __post_init__(self) -> None:
        self.strategy.check(len(self.layers), self.strategy.architecture, ("S", "T", "ST"))
        counts = [(s.wins, s.losses) for s in self.swaps]
        fits = all(
            0 <= won <= self.correct and 0 <= lost <= self.clips - self.correct
            for won, lost in counts
        )
        places = [swap.layer for swap in self.swaps]
        inside = places == sorted(places) and set(places) <= set(range(len(self.layers)))
        if self.clips < 1 or not fits or not inside or len(self.worth) != len(self.layers):
            raise ValueError(
                f"Expected swaps of {len(self.layers)} layers in order, with counts that fit "
                f"{self.correct} correct of {self.clips} clips, and a worth for each layer. "
                f"Received: layers {places}, counts {counts}, {len(self.worth)} worths"
            )

    @property
    def top1(self) -> float:
        """The accuracy of the chosen strategy."""
        return self.correct / self.clips

    def cost(self, swap: Swap) -> Interval:
        """Returns a swap's cost in top-1, with its paired 95 % interval; gains are negative."""
        low, high = paired_interval(swap.wins, swap.losses, self.clips)
        return Interval((swap.wins - swap.losses) / self.clips, float(low), float(high))

    def of_layer(self, layer: int) -> list[Swap]:
        """Returns the swaps of one layer."""
        return [swap for swap in self.swaps if swap.layer == layer]

    def swapped(self, swap: Swap) -> FusionStrategy:
        """Returns the strategy of a swap."""
        return swapped(self.strategy, swap.layer, swap.unit)

    @property
    def verdict(self) -> str:
        """A sentence with the number of layers whose choice matters, and where it matters most."""
        known = [n for n, worth in enumerate(self.worth) if np.isfinite(worth.value)]
        clear = [n for n in known if self.worth[n].low > 0]
        if not known:
            return "No layer has a second unit, so there is no choice."
        most = max(known, key=lambda n: self.worth[n].value)
        least = min(known, key=lambda n: self.worth[n].value)
        better = [swap for swap in self.swaps if self.cost(swap).high < 0]
        said = (
            f"In {len(clear)} of {len(known)} layers another unit clearly costs accuracy: most in "
            f"{self.layers[most]} ({100 * self.worth[most].value:+.1f} points on average), least "
            f"in {self.layers[least]} ({100 * self.worth[least].value:+.1f})."
        )
        if better:
            best = min(better, key=lambda swap: self.cost(swap).value)
            gain = -100 * self.cost(best).value
            said += (
                f" {len(better)} of {len(self.swaps)} swaps would gain accuracy, each for itself: "
                f"most {best.unit} in {self.layers[best.layer]} ({gain:+.1f} points)."
            )
        return said

    def fields(self) -> dict[str, Any]:
        """Returns all values as JSON-able data."""
        return {
            "architecture": self.strategy.architecture,
            "strategy": str(self.strategy),
            "layers": list(self.layers),
            "clips": self.clips,
            "correct": self.correct,
            "recalibrated": self.recalibrated,
            "swaps": [
                {"layer": s.layer, "unit": str(s.unit), "wins": s.wins, "losses": s.losses}
                for s in self.swaps
            ],
            "worth": [_numbers(worth) for worth in self.worth],
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> LayerWorth:
        """Builds the worth from the result of ``fields``."""
        swaps = tuple(
            Swap(int(s["layer"]), FusionUnit(s["unit"]), int(s["wins"]), int(s["losses"]))
            for s in fields["swaps"]
        )
        return cls(
            FusionStrategy.parse(fields["strategy"], fields["architecture"]),
            tuple(str(name) for name in fields["layers"]),
            int(fields["clips"]),
            int(fields["correct"]),
            bool(fields["recalibrated"]),
            swaps,
            tuple(
                Interval(*(np.nan if end is None else float(end) for end in one))
                for one in fields["worth"]
            ),
        )


def _numbers(worth: Interval) -> list[float | None]:
    ends = (worth.value, worth.low, worth.high)
    return [float(end) if np.isfinite(end) else None for end in ends]


@named
def swapped(strategy: FusionStrategy, layer: int, unit: FusionUnit) -> FusionStrategy:
    """Returns the strategy with another unit in one layer.

    Example:
    ```python
    print(swapped(space.mode(), 1, vdroppath_tf.FusionUnit("ST")))
    ```
    """
    units = [*strategy.units[:layer], unit, *strategy.units[layer + 1 :]]
    return FusionStrategy(tuple(units), strategy.architecture)


@named
def worth_of(scores: StrategyScores, layers: Iterable[str]) -> LayerWorth:
    """Computes each layer's worth from scores of a strategy and of those with one swapped unit.

    Args:
        scores: ``StrategyScores`` with the answers for each clip, the chosen strategy first.
        layers: Iterable of str, the names of the fusion layers.

    Raises:
        ValueError: If the answers were not kept, or a strategy differs in more than one layer.

    Example:
    ```python
    strategy, swaps = swaps_of(template, space.mode())
    others = [swapped(strategy, layer, unit) for layer, unit in swaps]
    scores = vdroppath_tf.evaluate_strategies(template, [strategy, *others], test_clips)
    print(worth_of(scores, space.layers).verdict)
    ```
    """
    chosen, *others = [score.strategy for score in scores]
    if scores.right is None:
        raise ValueError("These scores hold no answers clip by clip. Score the clips again.")
    names, correct = tuple(layers), scores.right[:, :, 0]
    swaps, costs = [], [np.zeros((0, correct.shape[1]))] * len(names)
    for row, other in enumerate(others, 1):
        places = [n for n, (a, b) in enumerate(zip(chosen, other, strict=True)) if a != b]
        if len(places) != 1:
            raise ValueError(
                f"Expected strategies that differ from {str(chosen)!r} in one layer. Received: "
                f"{str(other)!r}"
            )
        (n,) = places
        won, lost = correct[0] & ~correct[row], correct[row] & ~correct[0]
        swaps.append(Swap(n, other[n], int(won.sum()), int(lost.sum())))
        costs[n] = np.vstack([costs[n], won.astype(float) - lost])
    order = sorted(range(len(swaps)), key=lambda k: swaps[k].layer)
    return LayerWorth(
        chosen,
        names,
        correct.shape[1],
        int(correct[0].sum()),
        scores.recalibrated,
        tuple(swaps[k] for k in order),
        tuple(mean_interval(c.mean(0)) if len(c) else _UNKNOWN for c in costs),
    )


_UNKNOWN = Interval(np.nan, np.nan, np.nan)

"""Choosing among scored strategies, and saying how sure the choice is.

The accuracy of a strategy on the clips it was chosen on has a selection bias (the winner's curse):
of N scores the highest is partly luck. So the choice is made on one part of the validation clips,
and reported on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.scoring.choosing import cheapest, check_rule, distinct
from vdroppath_tf.scoring.intervals import bootstrap, optimism
from vdroppath_tf.scoring.listed import Row
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.spaces.strategy import FusionStrategy

if TYPE_CHECKING:  # it imports Keras, which choosing among scores does not need
    from vdroppath_tf.cost import UnitCosts

MOST_ACCURATE = "most accurate"
"""The row of the strategy of the highest top-1 where another one was chosen."""


@named
def split(labels: Sequence[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the clips to choose on and of those to report on: halves, class by class.

    A pure function of its arguments. Both parts are in random order, as a race needs it.

    Args:
        labels: the class of each clip, a sequence of int.
        seed: int, the seed of the shuffle. Defaults to 0.

    Returns:
        Two arrays of numbers from 0, of sizes that differ by one clip at most.

    Raises:
        ValueError: when there are fewer than two clips.
    """
    classes = np.asarray(labels)
    if len(classes) < 2:
        raise ValueError(
            "Choosing on one part of the validation clips and reporting on the other needs at "
            f"least 2 of them. Received: {len(classes)}"
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    shuffled = rng.permutation(len(classes))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    return rng.permutation(by_class[::2]), rng.permutation(by_class[1::2])


@named
@dataclass(frozen=True)
class Selection:
    """The chosen strategy, and how sure the choice is.

    Attributes:
        strategy: ``FusionStrategy``, the one that was chosen, by ``rule``.
        top1_chosen_on: float, its top-1 there, which has a selection bias (the winner's curse).
        optimism: float, an estimate of that bias for the best of all; see ``optimism``.
        rows: a ``Row`` of the strategy and one of each control, on the other clips.
        confidence_set: the strategies in the confidence set of the best; see ``confidence_set``.
        level: float, the probability that the best is not in that set.
        confidence: float, of the intervals in the rows.
        clips: a pair of int, the number of clips it was chosen on, and it is reported on.
        rule: str, by which it was chosen: ``"cheapest"`` of the confidence set, or ``"accurate"``;
            see ``choose``.
    """

    strategy: FusionStrategy
    top1_chosen_on: float
    optimism: float
    rows: tuple[Row, ...]
    confidence_set: tuple[FusionStrategy, ...]
    level: float
    confidence: float
    clips: tuple[int, int]
    rule: str = "accurate"

    __repr__ = brief


@named
def select(
    chosen_on: StrategyScores,
    reported_on: StrategyScores,
    controls: dict[str, FusionStrategy],
    *,
    costs: UnitCosts | None = None,
    rule: str = "cheapest",
    level: float = 0.05,
    confidence: float = 0.95,
) -> Selection:
    """Chooses a strategy on some clips and reports its accuracy on others.

    Args:
        chosen_on: ``StrategyScores`` of all strategies. After a race, what was dropped was ruled
            out already at the race's level, which adds to ``level`` (with a margin: or is not that
            much better than one that stayed); the rest goes by the finalists.
        reported_on: ``StrategyScores`` of the chosen strategy (``choose``) and the controls on
            other clips. Where the most accurate strategy was scored there too, it gets a row.
        controls: a dict from names to the strategies it is compared with; see
            ``scoring.controls``.
        costs: ``UnitCosts`` of the template, for the rule ``"cheapest"``. Defaults to None.
        rule: str, ``"cheapest"`` or ``"accurate"``, see ``choose``. Defaults to ``"cheapest"``.
        level: float, the probability that the best is not in the confidence set. Defaults to 0.05.
        confidence: float, of the intervals. Defaults to 0.95.

    Returns:
        ``Selection``.

    Raises:
        ValueError: when the answers clip by clip were not kept, a strategy was not scored, or the
            costs that the rule needs are missing.

    Example:
    ```python
    first, second = split(labels)
    chosen_on = evaluate_strategies(model, strategies, [(clips[first], labels[first])])
    compared = controls(space, draws=5)
    costs = unit_costs(model, clips.shape[1:4])
    rows = [choose(chosen_on, costs).strategy, *compared.values()]
    reported_on = evaluate_strategies(model, rows, [(clips[second], labels[second])])
    print(select(chosen_on, reported_on, compared, costs=costs).rows[0].interval)
    ```
    """
    check_rule(rule, costs)
    finalists = distinct(chosen_on)
    answers = chosen_on.answers([score.strategy for score in finalists])
    kept = [finalists[k] for k in confidence_set(answers, level)]
    best = chosen_on.best
    chosen = best if rule == "accurate" or costs is None else cheapest(kept, costs)
    compared = {"selected": chosen.strategy, **controls}
    if best.strategy != chosen.strategy and best.strategy in [s.strategy for s in reported_on]:
        compared = {"selected": chosen.strategy, MOST_ACCURATE: best.strategy, **controls}
    clips = reported_on.scores[0].clips
    # a control that is the chosen strategy itself differs from it by exactly 0
    different = list(dict.fromkeys(compared.values()))
    found = bootstrap(reported_on.answers(different), level=confidence)
    intervals = dict(zip(different, found, strict=True))
    return Selection(
        strategy=chosen.strategy,
        top1_chosen_on=chosen.top1,
        optimism=optimism(answers),
        rows=tuple(
            Row.measured(name, str(strategy), *intervals[strategy], clips)
            for name, strategy in compared.items()
        ),
        confidence_set=tuple(score.strategy for score in kept),
        level=level,
        confidence=confidence,
        clips=(answers.shape[1], clips),
        rule=rule,
    )

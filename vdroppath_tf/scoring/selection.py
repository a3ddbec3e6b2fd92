"""Chooses among scored strategies, and quantifies the uncertainty of the choice.

The accuracy of a strategy on the clips on which it was chosen has a selection bias (the winner's
curse): the highest of N scores is high partly by chance. So the choice is made on one part of the
validation clips, and its accuracy is reported on the other.
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

if TYPE_CHECKING:  # cost imports Keras, which choosing does not need
    from vdroppath_tf.cost import UnitCosts

MOST_ACCURATE = "most accurate"
_CANDIDATES = (MOST_ACCURATE, "mode")  # rows of strategies that could have been selected
"""The name of the row of the strategy with the highest top-1, if another one was chosen."""


@named
def split(labels: Sequence[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Divides clips, class by class, into a half to choose on and a half to report on.

    Both parts are in random order, as a race requires. The result depends on the arguments only.

    Args:
        labels: a sequence of int, the class of each clip.
        seed: int, the seed of the shuffle. Defaults to 0.

    Returns:
        Two arrays of indices of clips, whose sizes differ by at most one.

    Raises:
        ValueError: If there are fewer than two clips.

    Example:
    ```python
    first, second = split([0, 0, 0, 0, 1, 1, 1, 1])  # two clips of each class in each half
    ```
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
    """The chosen strategy, and the uncertainty of the choice.

    Attributes:
        strategy: ``FusionStrategy``, the chosen strategy.
        top1_chosen_on: float, its top-1 on the clips it was chosen on, which has a selection bias
            (the winner's curse).
        optimism: float, an estimate of that bias for the most accurate strategy; see ``optimism``.
        rows: a ``Row`` for the strategy and one for each control, on the other clips.
        confidence_set: the strategies in the confidence set of the best; see ``confidence_set``.
        level: float, the probability that the best is not in that set.
        confidence: float, the confidence of the intervals in the rows.
        clips: a pair of int, the numbers of clips for the choice and for the report.
        rule: str, the rule of the choice: ``"cheapest"`` of the confidence set, or ``"accurate"``;
            see ``choose``.

    Example:
    ```python
    compared = controls(space, draws=1)
    rows = [scores.best.strategy, *compared.values()]
    reported_on = evaluate_strategies(template, rows, test_clips)
    found = select(scores, reported_on, compared, costs=costs, rule="accurate")
    print(found.strategy, found.optimism, found.rows[0].interval)
    ```
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

    @property
    def beaten_by(self) -> Row | None:
        """The control with the highest top-1 of those that clearly beat the selected strategy.

        Neither the mode of the space nor the most accurate draw is a control. These are the
        controls whose paired difference to it has an interval above 0. None if there are none. Each
        interval is for one control: among 20 equally good ones, about one in 40 is above 0 by
        chance at a confidence of 0.95.
        """
        controls = (row for row in self.rows[1:] if row.name not in _CANDIDATES)
        better = [row for row in controls if row.difference is not None and row.difference.low > 0]
        return max(better, key=lambda row: row.top1, default=None)


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
        chosen_on: ``StrategyScores`` of all strategies. After a race the choice is among the
            finalists. The strategies that were dropped were ruled out at the race's level, which
            adds to ``level``; with a margin, they may be better than one that stayed by up to the
            margin.
        reported_on: ``StrategyScores`` of the chosen strategy (``choose``) and the controls on
            other clips. The most accurate strategy gets a row if it was scored there too.
        controls: a dict from names to the strategies to compare with; see ``scoring.controls``.
        costs: ``UnitCosts`` of the template, for the rule ``"cheapest"``. Defaults to None.
        rule: str, ``"cheapest"`` or ``"accurate"``, see ``choose``. Defaults to ``"cheapest"``.
        level: float, the probability that the best is not in the confidence set. Defaults to 0.05.
        confidence: float, the confidence of the intervals. Defaults to 0.95.

    Returns:
        ``Selection``.

    Raises:
        ValueError: If the answers for each clip were not kept, a strategy was not scored, or the
            costs that the rule needs are missing.

    Example:
    ```python
    first, second = split(labels)
    chosen_on = evaluate_strategies(template, strategies, [(clips[first], labels[first])])
    compared = controls(space, draws=5)
    rows = [choose(chosen_on, costs).strategy, *compared.values()]
    reported_on = evaluate_strategies(template, rows, [(clips[second], labels[second])])
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

"""Chooses one of the strategies that may be the best: by default the cheapest.

The clips give no evidence of a difference between the strategies in the confidence set of the best.
Which of them has the highest accuracy is largely chance; which has the fewest multiply-adds is
certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.spaces.strategy import FusionStrategy

if TYPE_CHECKING:  # cost imports Keras, which choosing does not need
    from vdroppath_tf.cost import UnitCosts

RULES = ("cheapest", "accurate")
"""The rules of ``choose``: the fewest MACs in the confidence set, or the highest top-1."""


@named
def choose(
    scores: StrategyScores,
    costs: UnitCosts | None = None,
    *,
    rule: str = "cheapest",
    level: float = 0.05,
) -> StrategyScore:
    """Chooses a strategy among those that were scored.

    Args:
        scores: ``StrategyScores`` of all of them. After a race the choice is among the finalists.
        costs: ``UnitCosts`` of their template (``cost.unit_costs``), for the rule
            ``"cheapest"``. Defaults to None.
        rule: str, ``"cheapest"``: of the strategies in the confidence set of the best, the one with
            the fewest multiply-adds; of equally cheap ones, the one with the higher top-1.
            ``"accurate"``: the one with the highest top-1 on these clips (``scores.best``),
            whatever it costs. Defaults to ``"cheapest"``.
        level: float, the probability that the best is not in the set. Defaults to 0.05.

    Returns:
        The ``StrategyScore`` of the chosen strategy.

    Example:
    ```python
    print(choose(scores, costs).strategy)
    ```

    Raises:
        ValueError: If the rule is unknown, costs are missing, or the scores hold no answers for
            each clip.
    """
    check_rule(rule, costs)
    if rule == "accurate" or costs is None:
        return scores.best
    finalists = distinct(scores)
    answers = scores.answers([score.strategy for score in finalists])
    return cheapest([finalists[k] for k in confidence_set(answers, level)], costs)


@named
def cheapest(scores: Sequence[StrategyScore], costs: UnitCosts) -> StrategyScore:
    """Returns the score with the fewest multiply-adds; of equally cheap ones, the highest top-1.

    Args:
        scores: At least one score.
        costs: ``UnitCosts`` of their template.

    Example:
    ```python
    print(cheapest(scores.ranked()[:3], costs).strategy)
    ```
    """
    return min(scores, key=lambda score: (costs.of(score.strategy)[1], -score.top1))


def check_rule(rule: str, costs: UnitCosts | None) -> None:
    """Raises a ValueError if the rule is unknown, or needs costs that are missing."""
    if rule not in RULES:
        raise unknown_name("rule", rule, RULES)
    if rule == "cheapest" and costs is None:
        raise ValueError(
            "The rule 'cheapest' needs costs=, such as cost.unit_costs(model, (8, 112, 112)). Pass "
            "them, or rule='accurate', which takes the highest top-1 whatever it costs."
        )


def distinct(scores: StrategyScores) -> list[StrategyScore]:
    """Returns the finalists, with each strategy once."""
    found: dict[FusionStrategy, StrategyScore] = {}
    for score in scores.finalists:
        found.setdefault(score.strategy, score)
    return list(found.values())

"""The 95 % confidence set of the best strategy: those that an exact paired test cannot rule out."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import paired_difference


@named
def confidence_set(right: np.ndarray, level: float = 0.05) -> list[int]:
    """The confidence set of the best strategy: it holds the best with probability ``1 - level``.

    A strategy is left out where any other is better by an exact paired test (McNemar's, one
    sided: of the clips that only one of the two gets right) at ``level / (N - 1)``. The best one
    has N - 1 others that might beat it by chance, so it is left out with probability ``level`` at
    most, however the choice was made.

    Args:
        right: ``(strategies, clips)`` array of bool, whether each answer was right.
        level: float, the probability of leaving out the best. Defaults to 0.05.

    Returns:
        The numbers of the strategies in the set, a list of int.

    Example:
    ```python
    kept = [strategies[k] for k in confidence_set(scores.answers(strategies))]
    ```
    """
    own = right.astype("int64")
    wins = own @ (1 - own).T
    p_values = sign_test(wins, wins.T)  # row: how sure it is better than the column
    threshold = level / max(1, len(right) - 1)
    kept: list[int] = np.flatnonzero((p_values > threshold).all(0)).tolist()
    return kept


@named
def within_one_error(right: np.ndarray) -> list[int]:
    """The strategies within one standard error of the most accurate one, clip by clip.

    The one-standard-error rule (Breiman et al., "Classification and Regression Trees", 1984,
    section 3.4.3): of these the cheapest is taken. The error is that of the difference on the same
    clips, with a clip added for either side as in ``paired_interval``. Where few clips make a
    confidence set of nearly all, this set is the smaller one, at the price that it may well miss
    the best.

    Args:
        right: ``(strategies, clips)`` array of bool, whether each answer was right.

    Returns:
        The numbers of the strategies in the set, a list of int.

    Example:
    ```python
    kept = [strategies[k] for k in within_one_error(scores.answers(strategies))]
    ```
    """
    best, clips = right[right.sum(1).argmax()], right.shape[1]
    wins, losses = (best & ~right).sum(1), (~best & right).sum(1)
    _, errors = paired_difference(wins, losses, clips)
    kept: list[int] = np.flatnonzero(wins - losses <= clips * errors).tolist()
    return kept


def sign_test(wins: np.ndarray | int, losses: np.ndarray | int) -> np.ndarray:
    """P(at least so many wins), were each of the ``wins + losses`` decided by a fair coin.

    Args:
        wins, losses: counts of any one shape.

    Returns:
        P-values of that shape; 1 where there are no more wins than losses, which is no evidence.
    """
    from scipy.special import bdtrc  # a quarter of a second, of which only this has need

    wins, losses = np.asarray(wins), np.asarray(losses)
    p_values = bdtrc(wins - 1.0, wins + losses, 0.5)  # P(more than wins - 1)
    return np.where(wins <= losses, 1.0, p_values)

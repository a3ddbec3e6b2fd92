"""The 95 % confidence set of the best strategy: those that an exact paired test cannot rule out."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import paired_difference


@named
def confidence_set(right: np.ndarray, level: float = 0.05) -> list[int]:
    """Returns a set that holds the best strategy with probability ``1 - level``.

    A strategy is left out if any other is better by an exact paired test (McNemar's, one-sided, on
    the clips that only one of the two gets right) at the level ``level / (N - 1)``. The best
    strategy has N - 1 others that might beat it by chance, so it is left out with a probability of
    at most ``level``, however the choice was made.

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
    """Returns the strategies within one standard error of the most accurate one.

    The one-standard-error rule (Breiman et al., "Classification and Regression Trees", 1984,
    section 3.4.3) takes the cheapest strategy of this set. The standard error is that of the paired
    difference on the same clips, with one clip added on either side as in ``paired_interval``. With
    few clips the confidence set holds nearly all strategies; this set is smaller, but is more
    likely to miss the best one.

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
    """Returns P(at least this many wins) if each win or loss were decided by a fair coin.

    Args:
        wins, losses: counts, arrays of the same shape.

    Returns:
        P-values of that shape; 1 if there are no more wins than losses, which is no evidence.
    """
    from scipy.special import bdtrc  # the import takes a quarter of a second

    wins, losses = np.asarray(wins), np.asarray(losses)
    p_values = bdtrc(wins - 1.0, wins + losses, 0.5)  # P(more than wins - 1)
    return np.where(wins <= losses, 1.0, p_values)

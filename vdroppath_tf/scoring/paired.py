"""Two networks on the same clips: the difference of their accuracies, its interval, its test."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.best_set import sign_test
from vdroppath_tf.scoring.intervals import Interval, paired_difference


@named
def paired_interval(
    wins: np.ndarray, losses: np.ndarray, clips: np.ndarray, *, level: float = 0.95
) -> np.ndarray:
    """The interval of a difference of two accuracies on the same clips, by Bonett and Price (2012).

    The normal interval of the difference, after one clip has been added to those that only the one
    gets correct and one to those that only the other does. So it has a width where no clip tells
    the two apart, and keeps its level on a handful of clips, where a bootstrap does not.

    Args:
        wins: array of int, clips that only the first gets correct.
        losses: array of int, clips that only the second does.
        clips: array of int, all clips; 0 gives NaN.
        level: float, the confidence of the interval. Defaults to 0.95.

    Returns:
        Array ``(..., 2)``, the ends.

    Example:
    ```python
    low, high = paired_interval(wins=12, losses=3, clips=64)
    ```
    """
    wins, losses, clips = (np.asarray(n, "float64") for n in (wins, losses, clips))
    difference, error = paired_difference(wins, losses, clips)
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    ends = np.stack([difference - reach, difference + reach], -1).clip(-1.0, 1.0)
    return np.where((clips > 0)[..., None], ends, np.nan)


@named
def paired_p_value(wins: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """The p-value of McNemar's exact test, two-sided: do two networks differ on the same clips?

    Args:
        wins: array of int, clips that only the first gets correct.
        losses: array of int, clips that only the second does.

    Returns:
        P-values of the same shape; 1 where they are as many.
    """
    more, less = np.maximum(wins, losses), np.minimum(wins, losses)
    return np.minimum(1.0, 2.0 * sign_test(more, less))


@named
def holm(p_values: np.ndarray, level: float = 0.05) -> np.ndarray:
    """Which of several hypotheses are rejected, with probability ``level`` at most of any error.

    Holm's step-down form of Bonferroni's correction; NaN is no hypothesis.

    Args:
        p_values: ``(n,)`` array of float.
        level: float, the probability of one wrong rejection or more. Defaults to 0.05.

    Returns:
        ``(n,)`` array of bool.
    """
    rejected = np.zeros(len(p_values), bool)
    order = [k for k in np.argsort(p_values, kind="stable") if not np.isnan(p_values[k])]
    for place, k in enumerate(order):
        if p_values[k] > level / (len(order) - place):
            break
        rejected[k] = True
    return rejected


@named
def mean_interval(differences: np.ndarray, *, level: float = 0.95) -> Interval:
    """The mean of differences that clips make, each from -1 to 1, with its interval.

    Two clips are added, one for either side, as in ``paired_interval``, which is this interval
    where every difference is -1, 0 or 1.

    Args:
        differences: ``(clips,)`` array of float, at least one.
        level: float, the confidence of the interval. Defaults to 0.95.
    """
    more = np.append(np.asarray(differences, "float64"), [1.0, -1.0])
    reach = NormalDist().inv_cdf((1 + level) / 2) * more.std() / np.sqrt(len(more))
    middle = more.mean()
    low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return Interval(float(np.mean(differences)), float(low), float(high))

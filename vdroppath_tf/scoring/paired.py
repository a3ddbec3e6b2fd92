"""Compares two networks on the same clips: the difference of accuracies, interval and test."""

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
    """Returns the interval of a paired difference of two accuracies (Bonett and Price, 2012).

    This is the normal interval of the difference after one clip is added to those that only the
    first gets right, and one to those that only the second gets right. So it has a positive width
    even if the two agree on every clip, and it keeps its level on a handful of clips, where a
    bootstrap does not.

    Args:
        wins: array of int, the number of clips that only the first gets right.
        losses: array of int, the number of clips that only the second gets right.
        clips: array of int, the number of all clips; 0 gives NaN.
        level: float, the confidence of the interval. Defaults to 0.95.

    Returns:
        Array ``(..., 2)``, the lower and upper ends.

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
    """Returns the two-sided p-value of McNemar's exact test: do two networks differ?

    Args:
        wins: array of int, clips that only the first gets correct.
        losses: array of int, clips that only the second does.

    Returns:
        P-values of the same shape; 1 if wins and losses are equal.

    Example:
    ```python
    paired_p_value(wins=12, losses=3)  # 0.035
    ```
    """
    more, less = np.maximum(wins, losses), np.minimum(wins, losses)
    return np.minimum(1.0, 2.0 * sign_test(more, less))


@named
def holm(p_values: np.ndarray, level: float = 0.05) -> np.ndarray:
    """Tests several hypotheses, with a family-wise error rate of at most ``level``.

    This is Holm's step-down form of Bonferroni's correction; NaN values are not tested.

    Args:
        p_values: ``(n,)`` array of float.
        level: float, the probability of at least one false rejection. Defaults to 0.05.

    Returns:
        ``(n,)`` array of bool, whether each hypothesis is rejected.

    Example:
    ```python
    holm(np.array([0.001, 0.04, 0.03]))  # [True, False, False]
    ```
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
    """Returns the mean of differences between -1 and 1, one for each clip, with its interval.

    Two clips are added, one on either side, as in ``paired_interval``. If every difference is -1, 0
    or 1, both intervals are the same.

    Args:
        differences: ``(clips,)`` array of float, at least one.
        level: float, the confidence of the interval. Defaults to 0.95.

    Example:
    ```python
    print(mean_interval(np.array([0.5, 0.0, 1.0, 0.5])))
    ```
    """
    more = np.append(np.asarray(differences, "float64"), [1.0, -1.0])
    reach = NormalDist().inv_cdf((1 + level) / 2) * more.std() / np.sqrt(len(more))
    middle = more.mean()
    low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return Interval(float(np.mean(differences)), float(low), float(high))

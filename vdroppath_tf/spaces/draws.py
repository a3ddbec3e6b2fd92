"""The distribution that one layer's draw comes from, as pure functions of its drop probabilities.

A layer's gates are independent: path j is dropped with probability `drop[j]`, and the whole layer
(D1) with `layer_drop`. Either way of being empty gives the same network, so they are one outcome.
With `never_empty` the distribution is the conditional one, given that a path is on.

Each function takes `drop` of shape `(paths,)`: the branches of a layer, or the branches of all of
its inputs, input by input. The work grows with the number of paths, never with `2 ** paths`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

OnEmpty: TypeAlias = Literal["allow", "resample"]


def _logs(drop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log P(on) and log P(off); -inf where a probability is 0."""
    with np.errstate(divide="ignore"):
        return np.log1p(-drop), np.log(drop)


def log_any_on(log_off: np.ndarray) -> float:
    """log P(at least one path on), without the cancellation of 1 - P(all off)."""
    with np.errstate(divide="ignore"):
        return float(np.log(-np.expm1(log_off.sum())))


def can_be_filled(drop: np.ndarray, layer_drop: float) -> bool:
    """Whether a draw with a path on has any probability."""
    return bool(layer_drop < 1 and (drop < 1).any())


def draw(
    drop: np.ndarray, layer_drop: float, noise: np.ndarray, *, never_empty: bool
) -> np.ndarray:
    """Turn uniform noise into 0/1 masks.

    Args:
        drop: `(paths,)` drop probabilities.
        layer_drop: Probability of dropping the whole layer.
        noise: `(draws, 1 + paths)` uniform in [0, 1): one for the layer, one per path.
        never_empty: Draw given that a path is on. Exact, with no redrawing: path j is on, given
            that all before it are off, with probability `P(j on) / P(one of j, j+1, ... is on)`.

    Returns:
        `(draws, paths)` boolean masks, True for on.
    """
    on = noise[:, 1:] >= drop
    if not never_empty:
        return on & (noise[:, :1] >= layer_drop)
    log_off = _logs(drop)[1]
    seen = np.zeros(len(noise), dtype=bool)
    for path, probability in enumerate(1 - drop):
        some_on = -np.expm1(log_off[path:].sum())
        given_none_yet = probability / some_on if some_on > 0 else 0.0
        first = noise[:, 1 + path] >= 1 - given_none_yet
        on[:, path] = np.where(seen, on[:, path], first)
        seen |= on[:, path]
    return on


def log_prob(mask: np.ndarray, drop: np.ndarray, layer_drop: float, *, never_empty: bool) -> float:
    """Natural logarithm of the probability of drawing `mask`, shape `(paths,)`; may be -inf."""
    log_on, log_off = _logs(drop)
    if mask.any():
        kept = float(np.where(mask, log_on, log_off).sum())
        return kept - log_any_on(log_off) if never_empty else kept + float(np.log1p(-layer_drop))
    if never_empty:
        return -np.inf
    with np.errstate(divide="ignore"):
        return float(np.log(layer_drop + (1 - layer_drop) * np.prod(drop)))


def mode(drop: np.ndarray, layer_drop: float, *, never_empty: bool) -> np.ndarray:
    """The most probable mask, `(paths,)`; of equals, the first when counting down from all on."""
    best = drop <= 0.5
    if not best.any():
        best[np.argmin(drop)] = True
    if never_empty:
        return best
    filled = (1 - layer_drop) * np.prod(np.where(best, 1 - drop, drop))
    empty = layer_drop + (1 - layer_drop) * np.prod(drop)
    return best if filled >= empty else np.zeros_like(best)


def entropy(drop: np.ndarray, layer_drop: float, *, never_empty: bool) -> float:
    """Entropy of the draw in nats."""
    log_on, log_off = _logs(drop)
    log_filled = log_any_on(log_off)
    if log_filled == -np.inf:
        return 0.0
    filled = np.exp(log_filled)
    given_filled = log_filled + _filled_term(drop, log_on, log_off) / filled
    if never_empty:
        return max(float(given_filled), 0.0)
    filled *= 1 - layer_drop
    split = np.array([filled, layer_drop + (1 - layer_drop) * np.prod(drop)])
    return float(max(given_filled, 0.0) * filled - _times_log(split).sum())


def _filled_term(drop: np.ndarray, log_on: np.ndarray, log_off: np.ndarray) -> float:
    """Sum of -P log P over all masks with a path on, for independent gates; no cancellation."""
    on_part = np.where(drop < 1, -(1 - drop) * np.where(drop < 1, log_on, 0), 0)
    others = np.where(np.eye(len(drop), dtype=bool), 0, log_off).sum(axis=1)
    off_and_another_on = drop * -np.expm1(others)
    off_part = -off_and_another_on * np.where(drop > 0, log_off, 0)
    return float((on_part + off_part).sum())


def _times_log(probability: np.ndarray) -> np.ndarray:
    safe = np.where(probability > 0, probability, 1)
    return probability * np.log(safe)

"""Which classes gain by looking in time: two networks on the same clips, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.paired import holm, paired_interval, paired_p_value


@named
@dataclass(frozen=True, eq=False)
class ClassGains:
    """The gains of one network over another on the same clips, class by class.

    Attributes:
        one: str, what the first network is called.
        other: str, what the second is called: of the question what time adds, S everywhere.
        names: tuple of str, the classes.
        clips: ``(classes,)`` array of int, clips of each class.
        correct: ``(2, classes)`` array of int, clips that each network gets correct.
        wins: ``(classes,)`` array of int, clips that only the first gets correct.
        losses: ``(classes,)`` array of int, clips that only the second does.
    """

    one: str
    other: str
    names: tuple[str, ...]
    clips: np.ndarray
    correct: np.ndarray
    wins: np.ndarray
    losses: np.ndarray

    def __post_init__(self) -> None:
        counts = {"clips": self.clips, "wins": self.wins, "losses": self.losses}
        shapes = {name: np.shape(value) for name, value in counts.items()}
        wanted = (len(self.names),)
        fits = set(shapes.values()) == {wanted} and np.shape(self.correct) == (2, *wanted)
        first, second = self.correct if fits else (0, 1)
        if (
            not fits
            or (np.stack([*counts.values()]) < 0).any()
            or (first - second != self.wins - self.losses).any()
            or (self.losses + first > self.clips).any()
        ):
            raise ValueError(
                f"Expected counts of clips for each of {len(self.names)} classes that fit each "
                f"other. Received: clips {self.clips}, correct {self.correct}, wins {self.wins}, "
                f"losses {self.losses}"
            )

    @property
    def top1(self) -> np.ndarray:
        """``(2, classes)`` top-1 of each network; NaN where a class has no clip."""
        return np.asarray(
            np.where(self.clips > 0, self.correct / np.maximum(self.clips, 1), np.nan)
        )

    @property
    def gain(self) -> np.ndarray:
        """``(classes,)`` top-1 of the first minus that of the second; NaN without a clip."""
        return np.asarray(self.top1[0] - self.top1[1])

    def intervals(self, level: float = 0.95) -> np.ndarray:
        """``(classes, 2)`` ends of the intervals of the gains, each for itself; paired."""
        return paired_interval(self.wins, self.losses, self.clips, level=level)

    def clear(self, level: float = 0.05) -> np.ndarray:
        """``(classes,)`` whether a class gains or loses, with an error of ``level`` over all.

        By McNemar's exact test and Holm's correction for the number of classes.
        """
        p_values = np.where(self.clips > 0, paired_p_value(self.wins, self.losses), np.nan)
        return holm(p_values, level)

    @property
    def order(self) -> list[int]:
        """The classes that have clips, the largest gain first."""
        found = np.argsort(-self.gain, kind="stable")
        return [int(k) for k in found if self.clips[k]]

    @property
    def verdict(self) -> str:
        """In a sentence: how many classes gain and lose, and which gains most."""
        clear, there = self.clear(), self.order
        if not there:
            return f"No class has a clip, so {self.one} and {self.other} cannot be compared."
        gained = [k for k in there if clear[k] and self.gain[k] > 0]
        lost = [k for k in reversed(there) if clear[k] and self.gain[k] < 0]
        best = there[0]
        said = (
            f"{self.one} against {self.other}, class by class: {len(gained)} of {len(there)} "
            f"classes gain and {len(lost)} lose"
        )
        if not gained and not lost:
            said += "; with so few clips a class, smaller differences cannot be told from chance"
        most = f" The largest gain is that of {self._shown(best)}." if self.gain[best] > 0 else ""
        least = f" The largest loss is that of {self._shown(there[-1])}." if lost else ""
        return f"{said}.{most}{least}"

    def _shown(self, k: int) -> str:
        first, second = 100 * self.top1[:, k]
        count = int(self.clips[k])
        return f"{self.names[k]}: {second:.0f} to {first:.0f} % of {count:,} clips"

    def fields(self) -> dict[str, Any]:
        """The counts as JSON-able data."""
        counts = ("clips", "correct", "wins", "losses")
        return {
            "one": self.one,
            "other": self.other,
            "names": list(self.names),
            **{name: np.asarray(getattr(self, name)).tolist() for name in counts},
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> ClassGains:
        """What ``fields`` gave."""
        names = tuple(str(name) for name in fields["names"])
        counts = {name: np.asarray(fields[name]) for name in ("clips", "correct", "wins", "losses")}
        if any(not np.issubdtype(values.dtype, np.integer) for values in counts.values()):
            raise ValueError(f"Expected whole numbers of clips. Received: {counts}")
        return cls(str(fields["one"]), str(fields["other"]), names, **counts)

    def lines(self) -> list[list[Any]]:
        """For each class in its order: name, clips, both top-1, gain, its interval, clear."""
        ends, clear = self.intervals(), self.clear()
        return [
            [
                self.names[k],
                int(self.clips[k]),
                *self.top1[:, k].tolist(),
                float(self.gain[k]),
                *ends[k].tolist(),
                bool(clear[k]),
            ]
            for k in self.order
        ]


@named
def class_gains(
    names: Sequence[str],
    truths: np.ndarray,
    correct: np.ndarray,
    other_correct: np.ndarray,
    *,
    one: str = "the chosen strategy",
    other: str = "S everywhere",
) -> ClassGains:
    """Computes the gains of one network over another on the same clips, class by class.

    Args:
        names: Sequence of str, the classes.
        truths: ``(clips,)`` array of int, the class of each clip.
        correct: ``(clips,)`` array of bool, whether the network's answers are correct.
        other_correct: ``(clips,)`` array of bool, whether the other's are, on the same clips.
        one: str, what the network is called. Defaults to "the chosen strategy".
        other: str, what the other is called. Defaults to "S everywhere".

    Returns:
        ``ClassGains``.

    Raises:
        ValueError: If the arrays are not of the same clips, or a number is no class.

    Example:
    ```python
    first, second = scores.answers([scores.best.strategy, uniform])
    print(class_gains(labels, scores.labels, first, second).verdict)
    ```
    """
    truths = np.asarray(truths)
    arrays = [np.asarray(correct, bool), np.asarray(other_correct, bool)]
    if truths.ndim != 1 or any(array.shape != truths.shape for array in arrays):
        raise ValueError(
            "Expected answers of two networks to the same clips of one class each. Received: "
            f"shapes {truths.shape}, {arrays[0].shape} and {arrays[1].shape}"
        )
    if len(truths) and not (truths.min() >= 0 and truths.max() < len(names)):
        raise ValueError(
            f"Expected classes from 0 to {len(names) - 1}. Received: {truths.min()} to "
            f"{truths.max()}"
        )
    first, second = arrays
    clips, won, lost, own, others = (
        np.bincount(truths[which].astype("int64"), minlength=len(names))
        for which in (np.ones_like(first), first & ~second, second & ~first, first, second)
    )
    return ClassGains(one, other, tuple(names), clips, np.stack([own, others]), won, lost)


GAIN_HEADS = ["class", "clips", "top1", "other_top1", "gain", "low", "high", "clear"]
"""The columns of ``ClassGains.lines``."""

"""Which classes gain from temporal paths: two networks on the same clips, by class."""

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
    """The gains of one network over another on the same clips, by class.

    Attributes:
        one: str, the name of the first network.
        other: str, the name of the second, such as S everywhere to measure what time adds.
        names: tuple of str, the names of the classes.
        clips: ``(classes,)`` array of int, the number of clips of each class.
        correct: ``(2, classes)`` array of int, the number of clips that each network gets right.
        wins: ``(classes,)`` array of int, the number of clips that only the first gets right.
        losses: ``(classes,)`` array of int, the number of clips that only the second gets right.

    Example:
    ```python
    truths, right, other = np.array([0, 0, 1, 1]), np.ones(4, bool), np.array([1, 0, 0, 1], bool)
    gains = class_gains(["left", "right"], truths, right, other)
    print(gains.gain, gains.intervals(), gains.clear(), gains.verdict)
    ```
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
        """The top-1 of each network by class, ``(2, classes)``; NaN for a class without clips."""
        return np.asarray(
            np.where(self.clips > 0, self.correct / np.maximum(self.clips, 1), np.nan)
        )

    @property
    def gain(self) -> np.ndarray:
        """The top-1 of the first minus that of the second, ``(classes,)``; NaN without clips."""
        return np.asarray(self.top1[0] - self.top1[1])

    def intervals(self, level: float = 0.95) -> np.ndarray:
        """Returns the ends of each gain's paired interval, ``(classes, 2)``, without correction."""
        return paired_interval(self.wins, self.losses, self.clips, level=level)

    def clear(self, level: float = 0.05) -> np.ndarray:
        """Returns which classes clearly gain or lose, ``(classes,)`` bool.

        This uses McNemar's exact test with Holm's correction for the number of classes; the
        probability of any error is at most ``level``.
        """
        p_values = np.where(self.clips > 0, paired_p_value(self.wins, self.losses), np.nan)
        return holm(p_values, level)

    @property
    def order(self) -> list[int]:
        """The classes that have clips, largest gain first."""
        found = np.argsort(-self.gain, kind="stable")
        return [int(k) for k in found if self.clips[k]]

    @property
    def verdict(self) -> str:
        """A sentence with the number of classes that gain and lose, and the largest gain."""
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
            said += "; with so few clips per class, smaller differences may be due to chance"
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
        """Builds the gains from the result of ``fields``."""
        names = tuple(str(name) for name in fields["names"])
        counts = {name: np.asarray(fields[name]) for name in ("clips", "correct", "wins", "losses")}
        if any(not np.issubdtype(values.dtype, np.integer) for values in counts.values()):
            raise ValueError(f"Expected integer numbers of clips. Received: {counts}")
        return cls(str(fields["one"]), str(fields["other"]), names, **counts)

    def lines(self) -> list[list[Any]]:
        """Returns for each class, in order: name, clips, both top-1, gain, interval, clear."""
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
    one: str = "the first network",
    other: str = "the second network",
) -> ClassGains:
    """Computes the gains of one network over another on the same clips, by class.

    Args:
        names: Sequence of str, the names of the classes.
        truths: ``(clips,)`` array of int, the class of each clip.
        correct: ``(clips,)`` array of bool, whether the network's answers are correct.
        other_correct: ``(clips,)`` array of bool, whether the other network's answers are.
        one: str, the name of the network. Defaults to "the first network".
        other: str, the name of the other. Defaults to "the second network".

    Returns:
        ``ClassGains``.

    Raises:
        ValueError: If the arrays do not have one length, or a number is not a class.

    Example:
    ```python
    names = ["right", "left", "down", "up"]
    first, second = scores.answers([scores.best.strategy, space.mode()])
    print(class_gains(names, scores.labels, first, second, one="best", other="mode").verdict)
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
"""The column names of ``ClassGains.lines``."""

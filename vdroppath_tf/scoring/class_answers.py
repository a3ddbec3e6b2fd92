"""ClassAnswers: what a network answered for each clip, and the confusion matrix that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import wilson


@named
@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """The answers of one network to clips that have one class each.

    Args:
        labels: tuple of str, the names of the classes.
        truths: ``(n,)`` array of int, the class of each clip.
        answers: ``(n,)`` array of int, the most probable class of each.
        digest: str, a digest of the clips in their order, ``Manifest.digest``. Two networks
            answered the same clips if it is equal.

    Raises:
        ValueError: If the numbers of answers and true classes differ, or a number is not a class.

    Example:
    ```python
    answers = ClassAnswers(("left", "right"), np.array([0, 0, 1]), np.array([0, 1, 1]), "")
    answers.confusion  # [[1, 1], [0, 1]]
    ```
    """

    labels: tuple[str, ...]
    truths: np.ndarray
    answers: np.ndarray
    digest: str

    def __post_init__(self) -> None:
        for name in ("truths", "answers"):
            values = np.asarray(getattr(self, name))
            whole = values.size == 0 or np.issubdtype(values.dtype, np.integer)
            inside = whole and ((values >= 0) & (values < len(self.labels))).all()
            if values.ndim != 1 or not inside:
                raise ValueError(
                    f"{name} must be numbers of classes from 0 to {len(self.labels) - 1}. "
                    f"Received: {values.ravel()[:9].tolist()} of shape {values.shape}"
                )
            object.__setattr__(self, name, values.astype("int64"))
        if len(self.truths) != len(self.answers):
            raise ValueError(
                f"Expected an answer for each clip. Received: {len(self.truths)} clips, "
                f"{len(self.answers)} answers"
            )

    @property
    def confusion(self) -> np.ndarray:
        """The confusion matrix ``(classes, classes)``: clips by true class (row) and answer."""
        count = len(self.labels)
        flat = np.bincount(self.truths * count + self.answers, minlength=count**2)
        return flat.reshape(count, count)

    @property
    def correct(self) -> np.ndarray:
        """Whether each answer is correct, ``(n,)`` bool."""
        return np.asarray(self.truths == self.answers)

    def class_lines(self) -> list[list[Any]]:
        """Returns for each class: name, videos, correct answers, top-1, its 95 % interval, the most
        frequent wrong answer and its count; None where a value does not exist.
        """
        lines = []
        for k, (name, row) in enumerate(zip(self.labels, self.confusion, strict=True)):
            videos, correct = int(row.sum()), int(row[k])
            shares = [correct / videos, *wilson(correct / videos, videos)] if videos else [None] * 3
            wrong = np.where(np.arange(len(row)) == k, 0, row)
            other = int(wrong.argmax())
            taken = [self.labels[other], int(wrong[other])] if wrong[other] else [None, None]
            lines.append([name, videos, correct, *shares, *taken])
        return lines

    def fields(self) -> dict[str, Any]:
        """Returns the answers as JSON-able data, without the names of the classes."""
        return {
            "hash": self.digest,
            "truths": self.truths.tolist(),
            "answers": self.answers.tolist(),
        }

    @classmethod
    def of_fields(cls, labels: tuple[str, ...], fields: Mapping[str, Any]) -> ClassAnswers:
        """Builds the answers from the result of ``fields`` and the names of the classes."""
        truths, answers = (np.asarray(fields[name]) for name in ("truths", "answers"))
        return cls(labels, truths, answers, str(fields["hash"]))

"""VideoScores: a network's answers for videos, with accuracies by class and confusions."""

from __future__ import annotations

import dataclasses
import io
import os
from collections import Counter
from typing import Any

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.data.clips.protocols import Protocol
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.files import write_bytes
from vdroppath_tf.names import named
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.intervals import Interval, standard_error
from vdroppath_tf.scoring.several import average_precision, check_several

TEST_FORMAT = "vdroppath_tf.test/1"
_CONFUSIONS = 20  # how many of the largest a result holds


@named
@dataclasses.dataclass(frozen=True, eq=False)
class VideoScores:
    """A network's answers for the videos of a manifest.

    Attributes:
        protocol: the protocol that defines the views.
        sampling: the settings with which the views were sampled.
        manifest: the videos that were listed.
        videos: the paths of the n videos that were scored.
        truths: their labels, int64 ``(n,)``; for a ``multi_label`` manifest float32 ``(n,
            classes)`` of 0 and 1.
        probabilities: the mean softmax over the views of each video, float32 ``(n, classes)``; mean
            sigmoids if videos have several classes.

    Example:
    ```python
    protocol = vdroppath_tf.data.PROTOCOLS["paper-1clip"]
    found = score_videos(network, test_videos, sampling, protocol)
    print(found.account(), found.top1, found.interval(found.top1))
    print(found.per_class()[0], found.confusions(3))
    found.save_arrays("answers.npz")
    ```
    """

    protocol: Protocol
    sampling: ClipSampling
    manifest: Manifest
    videos: tuple[str, ...]
    truths: np.ndarray
    probabilities: np.ndarray

    __repr__ = brief

    def __post_init__(self) -> None:
        n, classes = self.probabilities.shape
        if not n == len(self.videos) == len(self.truths):
            raise ValueError(
                f"{n} answers, {len(self.truths)} labels and {len(self.videos)} videos: expected "
                "the same number of each."
            )
        if classes != self.manifest.num_classes:
            raise ValueError(
                f"{self.manifest.source}: has {self.manifest.num_classes} classes. Expected the "
                f"{classes} of the network."
            )
        bad = np.flatnonzero(~np.isfinite(self.probabilities).all(1))
        if len(bad):
            raise ValueError(
                f"{self.videos[bad[0]]}: the network's answer is not a number. Expected "
                "probabilities: its weights or batch-norm statistics are damaged."
            )
        if self.multi_label:
            check_several(self.truths, classes)

    @property
    def multi_label(self) -> bool:
        """Whether videos have several classes each."""
        return self.manifest.multi_label

    @property
    def map(self) -> float | None:
        """The mean of ``average_precision`` over classes; None if videos have one class each."""
        if not self.multi_label:
            return None
        each = average_precision(self.truths, self.probabilities)
        return float(np.nanmean(each)) if np.isfinite(each).any() else 0.0

    @property
    def scored(self) -> int:
        """The number of videos that were scored: those listed, without unreadable ones."""
        return len(self.truths)

    @property
    def answers(self) -> np.ndarray:
        """The most probable class of each video, int64 ``(n,)``; the first of equals."""
        return self.probabilities.argmax(1)

    @property
    def top1(self) -> float:
        """The share of scored videos whose answer is (one of) their class(es): top-1, or Hit@1."""
        return float(self._among(1).mean())

    @property
    def top5(self) -> float:
        """The share of scored videos with a class among the five most probable answers."""
        return float(self._among(5).mean())

    @property
    def right(self) -> np.ndarray:
        """Whether each video is a top-1 and a top-5 hit, bool ``(n, 2)``."""
        return np.stack([self._among(1), self._among(5)], 1)

    def _among(self, count: int) -> np.ndarray:
        """Whether a class of each video is among the ``count`` most probable, bool ``(n,)``."""
        ranked = np.argsort(-self.probabilities, 1, kind="stable")[:, :count]
        if self.multi_label:
            return np.take_along_axis(self.truths, ranked, 1).any(1)
        return (ranked == self.truths[:, None]).any(1)

    def standard_error(self, share: float) -> float:
        """Returns the standard error of a share of the scored videos."""
        return standard_error(share, self.scored)

    def interval(self, share: float) -> Interval:
        """Returns a share of the scored videos with its 95 % interval (Wilson's)."""
        return Interval.of_share(share, self.scored)

    def _ends(self, share: float) -> list[float]:
        found = self.interval(share)
        return [found.low, found.high]

    def per_class(self) -> list[dict[str, Any]]:
        """Returns the name, number of scored videos and top-1 of every class; None without videos.

        If videos have several classes, the average precision replaces top-1.
        """
        if self.multi_label:
            each = average_precision(self.truths, self.probabilities)
            return [
                {
                    "name": name,
                    "videos": int(n),
                    "top1": None,
                    "average_precision": None if np.isnan(precision) else float(precision),
                }
                for name, n, precision in zip(
                    self.manifest.labels, self.truths.sum(0), each, strict=True
                )
            ]
        counts = np.bincount(self.truths, minlength=self.manifest.num_classes)
        right = self.truths[self.answers == self.truths]
        hits = np.bincount(right, minlength=self.manifest.num_classes)
        return [
            {"name": name, "videos": int(n), "top1": int(hit) / int(n) if n else None}
            for name, n, hit in zip(self.manifest.labels, counts, hits, strict=True)
        ]

    def confusions(self, count: int = _CONFUSIONS) -> list[dict[str, Any]]:
        """Returns the most frequent wrong answers: true class, answer and number of videos.

        The list is empty if videos have several classes.
        """
        if self.multi_label:
            return []
        pairs = zip(self.truths.tolist(), self.answers.tolist(), strict=True)
        wrong = Counter((truth, answer) for truth, answer in pairs if truth != answer)
        ranked = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:count]
        names = self.manifest.labels
        return [{"truth": names[t], "answer": names[a], "videos": n} for (t, a), n in ranked]

    def class_answers(self) -> ClassAnswers | None:
        """Returns the answer for each video; None if videos have several classes."""
        if self.multi_label:
            return None
        read = set(self.videos)
        scored = self.manifest.select(
            k for k, entry in enumerate(self.manifest) if entry.path in read
        )
        answers = self.truths, self.answers
        return ClassAnswers(self.manifest.labels, *answers, scored.digest())

    def account(self) -> str:
        """Returns how many videos were scored, such as "9 of 10 videos"."""
        return f"{self.scored:,} of {len(self.manifest):,} videos"

    def fields(self) -> dict[str, Any]:
        """Returns the result as JSON-able data, ``vdroppath_tf.test/1``."""
        shares = {"top1": self.top1, "top5": self.top5}
        averaging = "mean sigmoid" if self.multi_label else "mean softmax"
        answers = self.class_answers()
        return {
            "format": TEST_FORMAT,
            "protocol": {**dataclasses.asdict(self.protocol), "averaging": averaging},
            "sampling": dataclasses.asdict(self.sampling),
            "data": {
                "source": self.manifest.source,
                "hash": self.manifest.digest(),
                "listed": len(self.manifest),
                "scored": self.scored,
            },
            **({"map": self.map} if self.multi_label else {}),
            **shares,
            **{f"{name}_standard_error": self.standard_error(a) for name, a in shares.items()},
            **{f"{name}_interval": self._ends(a) for name, a in shares.items()},
            "classes": self.per_class(),
            "confusions": self.confusions(),
            **({} if answers is None else {"answers": answers.fields()}),
        }

    def save_arrays(self, path: str | os.PathLike[str]) -> None:
        """Writes every video's answer to an ``.npz`` file without pickles, atomically.

        The arrays are ``videos`` and ``classes`` (text), ``labels`` and ``probabilities``.
        """
        held = io.BytesIO()
        np.savez_compressed(
            held,
            videos=np.array(self.videos),
            classes=np.array(self.manifest.labels),
            labels=self.truths,
            probabilities=self.probabilities,
        )
        write_bytes(path, held.getvalue())

"""A record of the videos that cannot be read, so that none is skipped silently.

In training, a bad video is replaced by the next in the epoch's order; in validation and test it is
left out, and the number of scored videos shows it. If too many are bad, the run stops, since the
decoder or the disk is then the likely cause. `quarantine` writes the bad videos to a file.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from vdroppath_tf.data.faults.fault import MAX_BAD_FRACTION, Fault, allowed_bad
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

_SHOWN = 10  # bad videos that are listed on screen; a file lists them all

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class _Split:
    """The good and the bad videos of one split."""

    total: int = 0
    good: set[str] = dataclasses.field(default_factory=set)
    bad: dict[str, Fault] = dataclasses.field(default_factory=dict)
    # (epoch, place, path) of every clip that was not read, so that a repeated request counts once
    clips: set[tuple[int, int, str]] = dataclasses.field(default_factory=set)

    @property
    def seen(self) -> int:
        return len(self.good | self.bad.keys()) if self.bad else len(self.good)


@named
class FaultLog:
    """The bad videos of a run, shared by its data sets. Thread safe.

    `allowed_bad` gives the number of videos seen so far that may be bad.

    Args:
        max_bad_fraction: The share of videos that may be bad, from 0 to 1; with 0 the first bad
            video is an error, with 1 a run continues while any video can be read. Defaults to 0.1.

    Raises:
        ValueError: If the share is not from 0 to 1.

    Example:
        ```python
        faults = FaultLog(0.05)
        for batch in evaluation_clips(manifest, sampling, batch_size=8, faults=faults):
            pass
        print(faults.account(manifest, "validation"))  # 24 of 24 videos scored
        ```
    """

    def __init__(self, max_bad_fraction: float = MAX_BAD_FRACTION) -> None:
        if not 0.0 <= max_bad_fraction <= 1.0:
            raise ValueError(
                f"max_bad_fraction must be a share from 0 to 1. Received: {max_bad_fraction}."
            )
        self.max_bad_fraction = max_bad_fraction
        self._splits: dict[str, _Split] = {}
        self._lock = threading.Lock()

    @property
    def strict(self) -> bool:
        """Whether the first bad video is an error."""
        return self.max_bad_fraction == 0.0

    def expect(self, split: str, manifest: Manifest) -> None:
        """Records how many videos a split has."""
        with self._lock:
            part = self._splits.setdefault(split, _Split())
            part.total = max(part.total, len(manifest))

    def good(self, split: str, entry: VideoEntry) -> None:
        """Records a video that was read."""
        with self._lock:
            self._splits[split].good.add(entry.path)

    def bad(
        self,
        split: str,
        entry: VideoEntry,
        error: VideoError,
        *,
        found: str = "decoding",
        clip: tuple[int, int] | None = None,
    ) -> None:
        """Records a video that was not read, with a warning; call `raise_if_too_many` afterwards.

        Args:
            split: The split of the video, which `expect` has announced.
            entry: The video.
            error: The reason.
            found: See `Fault`.
            clip: (epoch, place) of the clip, so that it counts once. Defaults to None.
        """
        with self._lock:
            part = self._splits[split]
            new = entry.path not in part.bad
            if new:
                part.bad[entry.path] = Fault(
                    entry.path, entry.origin, split, str(error), found, count=0
                )
            if clip is not None:
                part.clips.add((*clip, entry.path))
            number = len(part.bad)
        if new and number <= _SHOWN and not self.strict:
            more = " (further bad videos are not shown here)" if number == _SHOWN else ""
            _log.warning("bad video %d of %s: %s%s", number, split, error, more)

    def raise_if_too_many(self, split: str) -> None:
        """Raises an error if more videos of a split are bad than allowed.

        Raises:
            VideoError: With the first reasons.
        """
        with self._lock:
            part = self._splits[split]
            bad, seen, total = len(part.bad), part.seen, part.total
            if bad <= allowed_bad(self.max_bad_fraction, seen, total):
                return
            faults = list(part.bad.values())
        if bad == 1:
            raise VideoError(faults[0].reason)
        raise VideoError(self._too_many(split, faults, seen))

    def _too_many(self, split: str, faults: Sequence[Fault], seen: int) -> str:
        reasons = "".join(f"\n  {fault.reason}" for fault in faults[:_SHOWN])
        more = len(faults) - _SHOWN
        rest = f"\n  and {more:,} more" if more > 0 else ""
        return (
            f"{len(faults):,} of the {seen:,} {split} videos that were tried cannot be read; "
            f"max_bad_fraction={self.max_bad_fraction:g} allows fewer. If so many fail, the cause "
            "is probably the decoder, the disk or the settings. Repair the videos, exclude them "
            f"(vdroppath doctor writes a quarantine), or allow more.{reasons}{rest}"
        )

    def faults(self, split: str | None = None) -> tuple[Fault, ...]:
        """Returns the bad videos of one split or of all, sorted by split and path."""
        with self._lock:
            found = []
            for name, part in self._splits.items():
                if split not in (None, name):
                    continue
                counts: dict[str, int] = dict.fromkeys(part.bad, 0)
                for *_, path in part.clips:
                    counts[path] += 1
                found += [dataclasses.replace(f, count=counts[p]) for p, f in part.bad.items()]
        return tuple(sorted(found, key=lambda fault: (fault.split, fault.path)))

    def fields(self) -> dict[str, Any]:
        """Returns the record as JSON-able data, for ``join``."""
        with self._lock:
            return {
                name: {
                    "total": part.total,
                    "good": sorted(part.good),
                    "bad": [dataclasses.asdict(fault) for fault in part.bad.values()],
                    "clips": sorted(part.clips),
                }
                for name, part in self._splits.items()
            }

    def join(self, fields: Mapping[str, Any]) -> None:
        """Adds the record of another process of the same run, as given by ``fields``."""
        with self._lock:
            for name, found in fields.items():
                part = self._splits.setdefault(name, _Split())
                part.total = max(part.total, found["total"])
                part.good |= set(found["good"])
                for fault in found["bad"]:
                    part.bad.setdefault(fault["path"], Fault(**fault))
                part.clips |= {(epoch, place, path) for epoch, place, path in found["clips"]}

    def replaced(self, epoch: int, split: str = "train", *, before: int | None = None) -> int:
        """Counts the training clips of an epoch that could not be read and were replaced.

        Args:
            epoch: The number of the epoch.
            split: The split of the clips. Defaults to "train".
            before: Counts only clips at earlier places of the epoch, since clips are made ahead of
                the step that uses them. Defaults to None, all.
        """
        with self._lock:
            part = self._splits.get(split, _Split())
            places = [place for each, place, _ in part.clips if each == epoch]
        return sum(1 for place in places if before is None or place < before)

    def scored(self, manifest: Manifest, split: str) -> int:
        """Returns how many videos of a manifest were not left out of evaluation."""
        with self._lock:
            bad = self._splits.get(split, _Split()).bad
            return sum(1 for entry in manifest if entry.path not in bad)

    def account(self, manifest: Manifest, split: str) -> str:
        """Describes the number of scored videos: "9 of 10 videos scored; 1 could not be read"."""
        scored, total = self.scored(manifest, split), len(manifest)
        left = f"; {total - scored:,} could not be read" if scored < total else ""
        return f"{scored:,} of {total:,} videos scored{left}"

"""Videos that cannot be read: counted, named, and never passed over in silence.

In training a bad video is replaced by the next in the epoch's order; in validation and test it is
left out, which the number of scored videos shows. When too many are bad a run stops: then the
decoder or the disk is at fault, not the data. `quarantine` keeps the bad ones in a file.
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

_SHOWN = 10  # bad videos that are named on screen; a file names them all

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class _Split:
    """What became of the videos of one split."""

    total: int = 0
    good: set[str] = dataclasses.field(default_factory=set)
    bad: dict[str, Fault] = dataclasses.field(default_factory=dict)
    # (epoch, place) of every clip that was not read: a clip asked for twice counts once
    clips: set[tuple[int, int, str]] = dataclasses.field(default_factory=set)

    @property
    def seen(self) -> int:
        return len(self.good | self.bad.keys()) if self.bad else len(self.good)


@named
class FaultLog:
    """The bad videos of a run, shared by its data sets. Thread safe.

    How many of the videos seen so far may be bad, is what `allowed_bad` gives.

    Args:
        max_bad_fraction: 0 makes the first bad video an error; 1 goes on while any can be read.

    Raises:
        ValueError: the fraction is not from 0 to 1.
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
        """Notes how many videos a split has."""
        with self._lock:
            part = self._splits.setdefault(split, _Split())
            part.total = max(part.total, len(manifest))

    def good(self, split: str, entry: VideoEntry) -> None:
        """Notes a video that was read."""
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
        """Notes a video that was not read, and warns of it; `raise_if_too_many` may follow.

        Args:
            split: what it belongs to; `expect` came before.
            entry: the video.
            error: why it was not read.
            found: see `Fault`.
            clip: (epoch, place) of the clip that was wanted, to count it once.
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
            more = " (further ones are not shown here)" if number == _SHOWN else ""
            _log.warning("bad video %d of %s: %s%s", number, split, error, more)

    def raise_if_too_many(self, split: str) -> None:
        """Stops where more videos of a split are bad than may be.

        Raises:
            VideoError: with the first reasons.
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
            f"max_bad_fraction={self.max_bad_fraction:g} allows fewer. Where so many fail, it is "
            "rather the decoder, the disk or the settings than the data. Mend them, take them off "
            f"(vdroppath doctor writes a quarantine), or allow more.{reasons}{rest}"
        )

    def faults(self, split: str | None = None) -> tuple[Fault, ...]:
        """The bad videos, of one split or of all, in the order of their paths."""
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
        """What was noted, as JSON-able data, for ``join``."""
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
        """Notes what another process of the same run has noted, by ``fields``."""
        with self._lock:
            for name, found in fields.items():
                part = self._splits.setdefault(name, _Split())
                part.total = max(part.total, found["total"])
                part.good |= set(found["good"])
                for fault in found["bad"]:
                    part.bad.setdefault(fault["path"], Fault(**fault))
                part.clips |= {(epoch, place, path) for epoch, place, path in found["clips"]}

    def replaced(self, epoch: int, split: str = "train", *, before: int | None = None) -> int:
        """Clips of an epoch of training that could not be read, and were replaced.

        Args:
            epoch: the number of the epoch.
            split: what they belong to.
            before: counts those at earlier places of the epoch only; clips are made ahead of the
                step that takes them. Default None, for all.
        """
        with self._lock:
            part = self._splits.get(split, _Split())
            places = [place for each, place, _ in part.clips if each == epoch]
        return sum(1 for place in places if before is None or place < before)

    def scored(self, manifest: Manifest, split: str) -> int:
        """How many videos of a manifest evaluation did not leave out."""
        with self._lock:
            bad = self._splits.get(split, _Split()).bad
            return sum(1 for entry in manifest if entry.path not in bad)

    def account(self, manifest: Manifest, split: str) -> str:
        """One line on the denominator, such as "9 of 10 videos scored; 1 could not be read"."""
        scored, total = self.scored(manifest, split), len(manifest)
        left = f"; {total - scored:,} could not be read" if scored < total else ""
        return f"{scored:,} of {total:,} videos scored{left}"

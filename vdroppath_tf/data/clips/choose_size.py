"""Chooses the size of clips if none is set, for videos that differ in size or are large."""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
from collections import Counter
from collections.abc import Sequence

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.clock import mean_rate
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.request import FrameInfo
from vdroppath_tf.names import named

LARGEST = 112
"""The largest side of clips that is chosen, in pixels; most 3D CNNs train on at least this."""
_LOOKED_AT = 2000  # videos that are inspected, evenly spaced
_MULTIPLE = 8  # networks halve the size several times


@named
@dataclasses.dataclass(frozen=True)
class FrameSizes:
    """The sizes, lengths and frame rates of videos.

    Attributes:
        sizes: Pairs of width and height with the number of videos, the most frequent first.
        frames: The median number of frames.
        looked_at: The number of videos that were inspected.
        rates: The lowest and the highest mean frame rate. Defaults to None: unknown, as for
            pictures.

    Example:
        ```python
        sizes = frame_sizes([train_videos, val_videos])
        sizes.short_edge, sizes.differ
        ```
    """

    sizes: tuple[tuple[tuple[int, int], int], ...]
    frames: int
    looked_at: int
    rates: tuple[float, float] | None = None

    @property
    def short_edge(self) -> int:
        """The smallest of all sides, in pixels."""
        return min(min(size) for size, _ in self.sizes)

    @property
    def differ(self) -> bool:
        """Whether there are several sizes."""
        return len(self.sizes) > 1

    def __str__(self) -> str:
        named_ = ", ".join(f"{w}x{h} ({n})" for (w, h), n in self.sizes[:3])
        more = f" and {len(self.sizes) - 3} more sizes" if len(self.sizes) > 3 else ""
        return f"{named_}{more}"


@named
def frame_sizes(
    parts: Sequence[Manifest], *, at_most: int = _LOOKED_AT, rates: bool = False
) -> FrameSizes | None:
    """Returns the sizes of the videos that can be read; None if there are none.

    Args:
        parts: Manifests, for example those of training and validation.
        at_most: The largest number of videos that are inspected in each part, evenly spaced.
            Defaults to 2000.
        rates: Whether to find the frame rates too, for which records are opened. Defaults to False.

    Returns:
        The sizes, the median length and the rates.

    Raises:
        ValueError: If `at_most` is less than 1.

    Example:
        ```python
        print(frame_sizes([train_videos, val_videos]))
        ```
    """
    if at_most < 1:
        raise ValueError(f"Expected at_most to be at least 1 video. Received: {at_most}")
    entries: list[VideoEntry] = []
    for videos in parts:
        entries += videos.entries[:: math.ceil(len(videos) / at_most) or 1]
    inspect = functools.partial(_inspected, rates=rates)
    found = [each for each in map_ahead(inspect, entries) if each is not None]
    if not found:
        return None
    sizes = Counter((info.width, info.height) for info, _ in found)
    frames = int(statistics.median_low([info.num_frames for info, _ in found]))
    known = [rate for _, rate in found if rate is not None]
    ends = (min(known), max(known)) if known else None
    return FrameSizes(tuple(sizes.most_common()), frames, len(found), ends)


def _inspected(entry: VideoEntry, *, rates: bool) -> tuple[FrameInfo, float | None] | None:
    """Returns what the headers of a video hold, and its frame rate; None if it is unreadable."""
    try:
        return entry.info(), mean_rate(entry.times()) if rates else None
    except VideoError:
        return None


@named
def with_chosen_size(
    sampling: ClipSampling, sizes: FrameSizes | None, *, always: bool = False
) -> tuple[ClipSampling, str]:
    """Returns a sampling whose clips all have the same size, if the given one does not ensure it.

    Frames are scaled to a short edge, and a square of that size is cut out: the smallest short edge
    of the videos, but at most ``LARGEST``, rounded down to a multiple of 8.

    Args:
        sampling: How clips are made; unchanged if it scales or crops already.
        sizes: The sizes of the videos, or None if unknown.
        always: Whether to choose for videos of the same size too, if they are larger than
            ``LARGEST``. Defaults to False.

    Returns:
        The sampling, and a sentence about the choice, or "" if nothing was chosen.

    Example:
        ```python
        sampling, note = with_chosen_size(sampling, frame_sizes([train_videos, val_videos]))
        ```
    """
    if sizes is None or sampling.crop is not None or sampling.short_edge is not None:
        return sampling, ""
    if not sizes.differ and not (always and sizes.short_edge > LARGEST):
        return sampling, ""
    edge = min(sizes.short_edge, LARGEST)
    edge = max(edge - edge % _MULTIPLE, min(edge, _MULTIPLE))
    why = "differ in size" if sizes.differ else "are large"
    text = (
        f"The videos {why}: {sizes}. Clips are scaled to a short edge of {edge} pixels and cropped "
        f"to {edge}x{edge}; set other sizes with short_edge= (--short_edge) and crop= (--crop)."
    )
    return dataclasses.replace(sampling, short_edge=edge, crop=edge), text

"""How large clips are where nobody says so, of videos that differ in size or are large."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Sequence

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.request import FrameInfo
from vdroppath_tf.names import named

LARGEST = 112
"""Pixels of the largest clip that is chosen; it is what most 3D CNNs train on at least."""
_LOOKED_AT = 2000  # videos, evenly spread
_MULTIPLE = 8  # networks halve clips several times


@named
@dataclasses.dataclass(frozen=True)
class FrameSizes:
    """The sizes and lengths of videos.

    Attributes:
        sizes: Width and height, and how many videos have them, the most first.
        frames: The frames of the video in the middle, by length.
        looked_at: The videos that were looked at.
    """

    sizes: tuple[tuple[tuple[int, int], int], ...]
    frames: int
    looked_at: int

    @property
    def short_edge(self) -> int:
        """The least of all sides."""
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
def frame_sizes(parts: Sequence[Manifest], *, at_most: int = _LOOKED_AT) -> FrameSizes | None:
    """The sizes of videos that can be read; None where none can.

    Args:
        parts: The videos, of training and validation say.
        at_most: How many of each part are looked at, evenly spread over it.
    """
    entries: list[VideoEntry] = []
    for videos in parts:
        entries += videos.entries[:: max(1, len(videos) // at_most)]
    found = [info for info in map_ahead(_info, entries) if info is not None]
    if not found:
        return None
    sizes = Counter((info.width, info.height) for info in found)
    frames = int(statistics.median_low([info.num_frames for info in found]))
    return FrameSizes(tuple(sizes.most_common()), frames, len(found))


def _info(entry: VideoEntry) -> FrameInfo | None:
    try:
        return entry.info()
    except VideoError:
        return None


@named
def with_chosen_size(
    sampling: ClipSampling, sizes: FrameSizes | None, *, always: bool = False
) -> tuple[ClipSampling, str]:
    """A sampling that gives clips of one size, where its own would not.

    Frames are scaled to a short edge, and a square of it is cut out: the least short edge of the
    videos, but no more than ``LARGEST``, in whole eights.

    Args:
        sampling: How clips are to be made; where it scales or cuts, it stays.
        sizes: Those of the videos.
        always: Whether to choose for videos of one size too, where that is larger than ``LARGEST``.

    Returns:
        The sampling, and a sentence on what was chosen; "" where nothing was.
    """
    if sizes is None or sampling.crop is not None or sampling.short_edge is not None:
        return sampling, ""
    if not sizes.differ and not (always and sizes.short_edge > LARGEST):
        return sampling, ""
    edge = min(sizes.short_edge, LARGEST)
    edge = max(edge - edge % _MULTIPLE, min(edge, _MULTIPLE))
    why = "differ in size" if sizes.differ else "are large"
    text = (
        f"The videos {why}: {sizes}. Clips are scaled to a short edge of {edge} pixels, and "
        f"{edge}x{edge} are cut out; short_edge= and crop= (--short_edge, --crop) choose otherwise."
    )
    return dataclasses.replace(sampling, short_edge=edge, crop=edge), text

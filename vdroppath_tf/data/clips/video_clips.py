"""The clips of one video, with the numbers and times of their frames."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.clips.crops import ClipSizeError, crop_boxes, cut_views, enclosing
from vdroppath_tf.data.clips.plans import evaluation_plan
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.request import scaled_size
from vdroppath_tf.data.sources.segment import SegmentInfo
from vdroppath_tf.data.sources.source import Folder
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True, eq=False)
class VideoClips:
    """The clips of one video.

    Attributes:
        clips: The views, uint8 ``(views, time, height, width, channels)``.
        frames: The numbers of the frames in each clip, counted from 0 in the whole video, int64
            ``(clips, time)``; a clip with several crops has several views.
        seconds: The times of these frames, float64 ``(clips, time)``; None if they are unknown.

    Example:
        ```python
        found = clips_of(entry, ClipSampling(frames=16, short_edge=256, crop=224))
        found.clips.shape  # (1, 16, 224, 224, 3)
        ```
    """

    clips: np.ndarray
    frames: np.ndarray
    seconds: np.ndarray | None


def times_for(entry: VideoEntry, fps: float | None, cache_dir: Folder) -> np.ndarray | None:
    """Returns the time of each frame of a video if clips are sampled by time, else None.

    Raises:
        ClipSizeError: If the times are unknown.
    """
    if fps is None:
        return None
    times = entry.times(cache_dir)
    if times is None:
        raise ClipSizeError(
            f"{entry.path} ({entry.origin}): clips are sampled at {fps:g} frames per second, but "
            "the frame rate of these pictures is unknown. Set it with Manifest.at_rate(...) "
            "(--source_fps)."
        )
    return times


@named
def clips_of(
    entry: VideoEntry, sampling: ClipSampling, *, split: str = "test", cache_dir: Folder = None
) -> VideoClips:
    """Makes the clips of one video, as ``evaluation_clips`` makes those of a whole list.

    Args:
        entry: VideoEntry, the video.
        sampling: ClipSampling, how clips are made.
        split: str, ``"test"`` for all views of the video or ``"validation"`` for one clip from its
            centre. Defaults to ``"test"``.
        cache_dir: The folder where the index of a file may be kept. Defaults to None.

    Returns:
        ``VideoClips``, the clips and their frames.

    Raises:
        VideoError: If the video cannot be read, or no clip of this kind can be made from it.

    Example:
        ```python
        found = clips_of(entry, ClipSampling(frames=16, stride=2, short_edge=256, crop=224))
        print(found.clips.shape, found.frames[0])
        ```
    """
    source = entry.source.with_square_pixels() if sampling.square_pixels else entry.source
    entry = dataclasses.replace(entry, source=source)
    info, times = entry.info(cache_dir), entry.times(cache_dir)
    count = info.num_frames if entry.num_frames is None else entry.num_frames
    timed = times_for(entry, sampling.fps, cache_dir)
    plan = evaluation_plan(sampling, count, split, times=timed)
    height, width = scaled_size(info.height, info.width, plan.short_edge)
    boxes = crop_boxes(plan, height, width, entry.path)
    frames = source.read(
        plan.indices.reshape(-1),
        short_edge=plan.short_edge,
        box=enclosing(boxes),
        cache_dir=cache_dir,
    )
    first = info.first if isinstance(info, SegmentInfo) else 0
    seconds = None if times is None else np.asarray(times)[plan.indices]
    return VideoClips(cut_views(frames, plan, boxes), plan.indices + first, seconds)

"""Plans for the clips of one video, which hold all random choices before anything is read."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.clips.area_crop import AreaCrop, draw_area_crop
from vdroppath_tf.data.clips.augment import Augmentation, Operation, draw_operations
from vdroppath_tf.data.clips.positions import dense_indices, segment_indices
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.sources.clock import shown_count, shown_frames
from vdroppath_tf.names import named

Corner = tuple[float, float]
CENTRE: Corner = (0.5, 0.5)


@named
@dataclasses.dataclass(frozen=True, eq=False)
class ClipPlan:
    """The plan for the clips of one video, with all random choices made.

    Attributes:
        indices: The frame numbers, int64 `(clips, frames)`.
        short_edge: The length of the shorter side in pixels; None keeps the size.
        crop: The height and width of the clip; None takes the whole frame.
        corners: The crops of every clip, as positions between the first place (0) and the last (1),
            vertically and horizontally.
        flip: Whether to mirror left to right. Defaults to False.
        shares: The height and width to cut, as shares of the largest crop that fits, which is then
            scaled to `crop`. Defaults to None, which cuts `crop` pixels.
        area: The sizes to cut, which are then scaled to `crop`. Defaults to None.
        operations: Changes of colour and shape, in order, alike for all frames. Defaults to ().

    Example:
        ```python
        plan = evaluation_plan(ClipSampling(frames=4), 100, "validation")
        plan.indices, plan.corners  # [[48, 49, 50, 51]], ((0.5, 0.5),)
        ```
    """

    indices: np.ndarray
    short_edge: int | None
    crop: tuple[int, int] | None
    corners: tuple[Corner, ...] = (CENTRE,)
    flip: bool = False
    shares: tuple[float, float] | None = None
    area: AreaCrop | None = None
    operations: tuple[Operation, ...] = ()


@named
def training_plan(
    sampling: ClipSampling,
    num_frames: int,
    rng: np.random.Generator,
    augment: Augmentation | None = None,
    *,
    times: np.ndarray | None = None,
) -> ClipPlan:
    """Draws one training clip of a video; every clip takes the same number of draws from `rng`.

    Args:
        sampling: How clips are made.
        num_frames: The number of frames of the video.
        rng: The random generator.
        augment: The augmentation. Defaults to None, none.
        times: The time of each frame in seconds, for `sampling.fps`. Defaults to None.

    Returns:
        The plan.

    Example:
        ```python
        plan = training_plan(ClipSampling(frames=8), 100, np.random.default_rng(0))
        ```
    """
    edge, down, right, mirror = rng.random(4)
    edges = sampling.short_edge
    if isinstance(edges, tuple):
        edges = edges[int(edge * len(edges))]
    indices = _indices(sampling, num_frames, "train", rng, times)
    return ClipPlan(
        indices,
        edges,
        None if sampling.crop is None else sampling.crop_size,
        ((down, right),),
        bool(sampling.flip and mirror < 0.5),
        _draw_shares(sampling.crop_scales, rng) if sampling.crop_scales else None,
        draw_area_crop(sampling.crop_area, sampling.crop_ratio, rng)
        if sampling.crop_area
        else None,
        () if augment is None else draw_operations(augment, rng),
    )


@named
def evaluation_plan(
    sampling: ClipSampling, num_frames: int, split: str, *, times: np.ndarray | None = None
) -> ClipPlan:
    """Plans the clips of a video for "validation" (one, from the centre) or "test" (all views).

    Args:
        sampling: How clips are made.
        num_frames: The number of frames of the video.
        split: "validation" or "test".
        times: The time of each frame in seconds, for `sampling.fps`. Defaults to None.

    Returns:
        The plan.

    Example:
        ```python
        evaluation_plan(ClipSampling(frames=4), 100, "validation").indices  # [[48, 49, 50, 51]]
        ```
    """
    indices = _indices(sampling, num_frames, split, None, times)
    crop = None if sampling.crop is None else sampling.crop_size
    corners: tuple[Corner, ...] = (CENTRE,)
    if split == "test" and sampling.crops_per_clip == 3:
        # The short edge equals the crop, so crops differ along the longer side only.
        corners = ((0.0, 0.0), CENTRE, (1.0, 1.0))
    return ClipPlan(indices, sampling.fixed_short_edge(), crop, corners)


def _indices(
    sampling: ClipSampling,
    num_frames: int,
    split: str,
    rng: np.random.Generator | None,
    times: np.ndarray | None,
) -> np.ndarray:
    """Returns the frame numbers of the clips, `(clips, frames)`."""
    if sampling.fps is None:
        return _counted(sampling, num_frames, split, rng)
    if times is None:
        raise ValueError("sampling.fps requires the times of the frames. Pass times=.")
    times = times[:num_frames]
    numbers = _counted(sampling, shown_count(times, sampling.fps), split, rng)
    return shown_frames(times, numbers, sampling.fps)


def _counted(
    sampling: ClipSampling, num_frames: int, split: str, rng: np.random.Generator | None
) -> np.ndarray:
    clips = sampling.clips_per_video if split == "test" else 1
    if sampling.sampler == "segments":
        return segment_indices(num_frames, sampling.frames, split=split, rng=rng, clips=clips)
    return dense_indices(
        num_frames,
        sampling.frames,
        sampling.stride,
        split=split,
        rng=rng,
        clips=clips,
        random_stride=sampling.random_stride,
    )


def share_pairs(scales: tuple[float, ...]) -> list[tuple[float, float]]:
    """Returns pairs for height and width, at most one step apart, to limit distortion."""
    n = range(len(scales))
    return [(scales[a], scales[b]) for a in n for b in n if abs(a - b) <= 1]


def _draw_shares(scales: tuple[float, ...], rng: np.random.Generator) -> tuple[float, float]:
    pairs = share_pairs(scales)
    return pairs[int(rng.random() * len(pairs))]

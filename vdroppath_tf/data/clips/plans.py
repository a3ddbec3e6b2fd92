"""What is to be done to one video: everything random is drawn before anything is read."""

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
    """What is to be done to one video: everything random is drawn already.

    Attributes:
        indices: frame numbers, int64 `(clips, frames)`.
        short_edge: pixels of the shorter side; None keeps the size.
        crop: height and width of the clip; None takes the whole frame.
        corners: of the crops of every clip: where each lies between the first place (0) and the
            last (1), down and right.
        flip: whether to mirror left to right.
        shares: of the largest crop that fits, what is cut in height and width, to be scaled to
            `crop`; None cuts `crop` pixels.
        area: sizes of what is cut, to be scaled to `crop`.
        operations: changes of colour and shape, in order; the same for all frames.
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
        sampling: how clips are made.
        num_frames: frames of the video.
        rng: where all is drawn from.
        augment: what is done to the clip besides.
        times: when each frame is shown, in seconds, for `sampling.fps`.
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
    """The clips of a video in "validation" (one, from the centre) or "test" (all views).

    Args:
        sampling: how clips are made.
        num_frames: frames of the video.
        split: "validation" or "test".
        times: when each frame is shown, in seconds, for `sampling.fps`.
    """
    indices = _indices(sampling, num_frames, split, None, times)
    crop = None if sampling.crop is None else sampling.crop_size
    corners: tuple[Corner, ...] = (CENTRE,)
    if split == "test" and sampling.crops_per_clip == 3:
        # the short edge is the crop's, so there is room along the longer side only
        corners = ((0.0, 0.0), CENTRE, (1.0, 1.0))
    return ClipPlan(indices, sampling.fixed_short_edge(), crop, corners)


def _indices(
    sampling: ClipSampling,
    num_frames: int,
    split: str,
    rng: np.random.Generator | None,
    times: np.ndarray | None,
) -> np.ndarray:
    """Frame numbers of the clips, `(clips, frames)`."""
    if sampling.fps is None:
        return _counted(sampling, num_frames, split, rng)
    if times is None:
        raise ValueError("sampling.fps needs the times of the frames. Pass times=.")
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
    """Of height and width; more than one step apart would bend what is seen too much."""
    n = range(len(scales))
    return [(scales[a], scales[b]) for a in n for b in n if abs(a - b) <= 1]


def _draw_shares(scales: tuple[float, ...], rng: np.random.Generator) -> tuple[float, float]:
    pairs = share_pairs(scales)
    return pairs[int(rng.random() * len(pairs))]

"""How a clip is sampled, cropped and flipped, on numpy arrays."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.clips import dense_indices
from vdroppath_tf.data.decode import VideoError, scaled_size
from vdroppath_tf.data.frame_source import Box


@dataclasses.dataclass(frozen=True)
class ClipSampling:
    """How clips are made from videos; the defaults leave frames as they are in the file.

    Attributes:
        frames: frames in a clip.
        stride: frames of the video from one to the next.
        random_stride: training draws the stride from 1..stride.
        short_edge: pixels of the shorter side after scaling; a tuple to draw from in training; None
            keeps the size.
        crop: height and width cut out, one number for both (random place in training, else the
            centre); None takes the whole frame, and all videos must then have one size.
        flip: training mirrors half of the clips left to right. Not for labels with a direction.
        clips_per_video: clips of each video in testing.
    """

    frames: int
    stride: int = 1
    random_stride: bool = False
    short_edge: int | tuple[int, ...] | None = None
    crop: int | tuple[int, int] | None = None
    flip: bool = False
    clips_per_video: int = 1

    def __post_init__(self) -> None:
        edges = () if self.short_edge is None else np.atleast_1d(self.short_edge).tolist()
        crops = () if self.crop is None else self.crop_size
        for name, values in (
            ("frames", (self.frames,)),
            ("stride", (self.stride,)),
            ("clips_per_video", (self.clips_per_video,)),
            ("short_edge", edges),
            ("crop", crops),
        ):
            if any(isinstance(v, bool) or int(v) != v or v < 1 for v in values):
                raise ValueError(f"{name} must be whole and at least 1. Received: {values}.")
        if self.crop is None and len(set(edges)) > 1:
            raise ValueError(
                f"short_edge {self.short_edge} gives frames of several sizes: set crop too."
            )
        if self.crop is not None and edges and max(crops) > min(edges):
            raise ValueError(f"crop {self.crop} is larger than short_edge {self.short_edge}.")

    @property
    def crop_size(self) -> tuple[int, int]:
        """Height and width of the crop; only where there is one."""
        assert self.crop is not None
        return (self.crop, self.crop) if isinstance(self.crop, int) else self.crop

    def fixed_short_edge(self) -> int | None:
        """The one short edge of evaluation.

        Raises:
            ValueError: there are several to draw from.
        """
        if not isinstance(self.short_edge, tuple):
            return self.short_edge
        if len(set(self.short_edge)) == 1:
            return self.short_edge[0]
        raise ValueError(
            f"evaluation draws nothing, but short_edge is {self.short_edge}. Pass one number, e.g. "
            "dataclasses.replace(sampling, short_edge=256)."
        )

    def clip_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the clips of videos with frames of `height` and `width`."""
        if self.crop is not None:
            return self.crop_size
        return scaled_size(height, width, self.fixed_short_edge())


@dataclasses.dataclass(frozen=True, eq=False)
class ClipPlan:
    """What is to be done to one video: everything random is drawn already.

    Attributes:
        indices: frame numbers, int64 `(clips, frames)`.
        short_edge: pixels of the shorter side; None keeps the size.
        crop: height and width to cut out; None takes the whole frame.
        corner: where the crop lies between the first place (0) and the last (1), down and right.
        flip: whether to mirror left to right.
    """

    indices: np.ndarray
    short_edge: int | None
    crop: tuple[int, int] | None
    corner: tuple[float, float] = (0.5, 0.5)
    flip: bool = False


def training_plan(sampling: ClipSampling, num_frames: int, rng: np.random.Generator) -> ClipPlan:
    """Draws one training clip of a video; every clip takes the same number of draws from `rng`."""
    edge, down, right, mirror = rng.random(4)
    edges = sampling.short_edge
    if isinstance(edges, tuple):
        edges = edges[int(edge * len(edges))]
    indices = dense_indices(
        num_frames,
        sampling.frames,
        sampling.stride,
        split="train",
        rng=rng,
        random_stride=sampling.random_stride,
    )
    crop = None if sampling.crop is None else sampling.crop_size
    return ClipPlan(indices, edges, crop, (down, right), sampling.flip and mirror < 0.5)


def evaluation_plan(sampling: ClipSampling, num_frames: int, split: str) -> ClipPlan:
    """The clips of a video in "validation" (one, from the centre) or "test" (`clips_per_video`)."""
    indices = dense_indices(
        num_frames,
        sampling.frames,
        sampling.stride,
        split=split,
        clips=sampling.clips_per_video if split == "test" else 1,
    )
    crop = None if sampling.crop is None else sampling.crop_size
    return ClipPlan(indices, sampling.fixed_short_edge(), crop)


def crop_box(plan: ClipPlan, height: int, width: int, name: str) -> Box | None:
    """The plan's crop in scaled frames of this size; None where it takes the whole frame.

    Args:
        plan: the plan.
        height, width: of the scaled frames, in pixels.
        name: of the video, for the error.

    Raises:
        VideoError: the frames are smaller than the crop.
    """
    if plan.crop is None:
        return None
    tall, wide = plan.crop
    if tall > height or wide > width:
        raise VideoError(
            f"{name}: frames of {width}x{height} are smaller than the crop {wide}x{tall}. Set "
            f"short_edge to at least {max(plan.crop)}, or a smaller crop."
        )
    top = _place(plan.corner[0], height - tall)
    left = _place(plan.corner[1], width - wide)
    return Box(top, left, tall, wide)


def _place(fraction: float, room: int) -> int:
    return min(room, int(fraction * (room + 1)))

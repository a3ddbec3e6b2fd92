"""The sampling of clips as data: which frames, which part of them, how many clips."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import Any

import numpy as np

from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.names import named
from vdroppath_tf.ranges import MAX_FPS

SAMPLERS = ("dense", "segments")
_CROPS = (1, 3)
# frames of a clip, pixels of a side; TensorFlow refuses much larger shapes without a word
_MOST = 2**16 - 1
_RATIO = (3 / 4, 4 / 3)


def _is_count(value: object) -> bool:
    """Returns whether a value is a whole number from 1 to ``_MOST``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    number: Any = value
    return math.isfinite(number) and 1 <= number <= _MOST and int(number) == number


@named
@dataclasses.dataclass(frozen=True)
class ClipSampling:
    """How clips are made of videos; by default frames are neither scaled nor cropped.

    Attributes:
        frames: The number of frames in a clip.
        stride: The distance between consecutive frames in the video; must be 1 for segments.
            Defaults to 1.
        random_stride: Whether training draws the stride from 1..stride. Defaults to False.
        short_edge: The length of the shorter side after scaling, in pixels; a tuple to draw from in
            training. Defaults to None, which keeps the size.
        crop: The height and width to cut out, or one number for both (at a random place in
            training, else in the centre). Defaults to None, the whole frame; all videos must then
            have the same size.
        flip: Whether training mirrors half of the clips left to right. Refused if labels have a
            direction. Defaults to False.
        clips_per_video: The number of clips of each video in testing. Defaults to 1.
        sampler: "dense", neighbouring frames, see `dense_indices`; or "segments", one frame of
            each of `frames` parts of the video, see `segment_indices`. Defaults to "dense".
        crop_scales: Shares, descending, of the largest crop that fits. Training cuts out a height
            and width of these shares, at most one step apart, and scales them to `crop` (TSN: 1,
            .875, .75, .66). Defaults to (), which cuts `crop` pixels.
        flip_directional: Whether `flip` may mirror clips whose labels have a direction. Defaults to
            False.
        crops_per_clip: The number of crops of each clip in testing: 1, in the centre; or 3, at both
            ends and in the centre of the longer side. Defaults to 1.
        crop_area: The smallest and the largest share of the frame's area that training cuts out,
            with an aspect ratio from `crop_ratio`, and scales to `crop` (GoogLeNet's
            RandomResizedCrop: .08, 1). Defaults to (), which cuts `crop` pixels.
        crop_ratio: The smallest and the largest aspect ratio (width / height) for `crop_area`.
            Defaults to (3/4, 4/3).
        square_pixels: Whether frames with pixels that are not square are first scaled to the size
            that players show. Defaults to False, the stored size, as in decord, torchcodec and
            PyAV.
        fps: A common frame rate at which all videos are sampled: a clip then has the frames on
            display at `frames` times, `stride / fps` seconds apart. Defaults to None: the stored
            frames of each video are counted.

    Example:
        ```python
        sampling = ClipSampling(frames=16, stride=2, short_edge=256, crop=224, clips_per_video=2)
        sampling.views("test"), sampling.clip_size(240, 320)  # 2, (224, 224)
        ```
    """

    frames: int
    stride: int = 1
    random_stride: bool = False
    short_edge: int | tuple[int, ...] | None = None
    crop: int | tuple[int, int] | None = None
    flip: bool = False
    clips_per_video: int = 1
    sampler: str = "dense"
    crop_scales: tuple[float, ...] = ()
    flip_directional: bool = False
    crops_per_clip: int = 1
    crop_area: tuple[float, ...] = ()
    crop_ratio: tuple[float, ...] = _RATIO
    square_pixels: bool = False
    fps: float | None = None

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
            if not all(_is_count(value) for value in values):
                raise ValueError(
                    f"{name} must be whole and at least 1, at most {_MOST:,}. Received: {values}."
                )
        if self.crop is None and len(set(edges)) > 1:
            raise ValueError(
                f"short_edge {self.short_edge} gives frames of several sizes: pass crop= too."
            )
        if self.crop is not None and edges and max(crops) > min(edges):
            raise ValueError(f"crop {self.crop} is larger than short_edge {self.short_edge}.")
        self._check_sampler()
        self._check_rate()
        self._check_crops()
        self._check_area()

    def _check_sampler(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {SAMPLERS}. Received: {self.sampler!r}.")
        if self.sampler == "segments" and (self.stride != 1 or self.random_stride):
            raise ValueError(
                "sampler='segments' takes a frame of each segment: leave stride at 1 and "
                f"random_stride off. Received: {self.stride}, {self.random_stride}."
            )
        if self.flip_directional and not self.flip:
            raise ValueError("flip_directional=True modifies flip: pass flip=True too.")

    def _check_rate(self) -> None:
        if self.fps is None:
            return
        if not 0 < self.fps <= MAX_FPS:
            raise ValueError(f"fps must be above 0, at most {MAX_FPS:g}. Received: {self.fps}.")
        if self.sampler == "segments":
            raise ValueError(
                "sampler='segments' spans the whole video at any frame rate: "
                f"leave fps out. Received: {self.fps}."
            )

    def _check_crops(self) -> None:
        if self.crops_per_clip not in _CROPS:
            raise ValueError(f"crops_per_clip must be 1 or 3. Received: {self.crops_per_clip}.")
        if self.crop is None and (self.crop_scales or self.crop_area or self.crops_per_clip > 1):
            raise ValueError(
                "crop_scales, crop_area and crops_per_clip require crops: pass crop= too."
            )
        if self.crops_per_clip == 3 and {*np.atleast_1d(self.short_edge), *self.crop_size} != {
            self.crop
        }:
            raise ValueError(
                "crops_per_clip=3 covers the longer side with square crops as high as the shorter "
                f"one: short_edge and crop must be one number. Received: {self.short_edge}, "
                f"{self.crop}."
            )
        scales = list(self.crop_scales)
        if scales != sorted(set(scales), reverse=True) or any(not 0 < s <= 1 for s in scales):
            raise ValueError(
                f"crop_scales must be descending shares above 0, at most 1. Received: {scales}."
            )

    def _check_area(self) -> None:
        if not self.crop_area:
            if self.crop_ratio != _RATIO:
                raise ValueError("crop_ratio applies to crop_area only: set crop_area too.")
            return
        if self.crop_scales:
            raise ValueError("crop_scales and crop_area exclude each other: set one of them.")
        for name, most in (("crop_area", 1.0), ("crop_ratio", np.inf)):
            values = getattr(self, name)
            if len(values) != 2 or not 0 < values[0] <= values[1] <= most or np.isinf(values[1]):
                bound = ", at most 1" if most == 1 else ""
                raise ValueError(
                    f"{name} must be two numbers above 0{bound}, the smaller one first. "
                    f"Received: {values}."
                )

    @property
    def crop_size(self) -> tuple[int, int]:
        """The height and width of the crop; an error for clips without one."""
        if self.crop is None:
            raise ValueError("These clips are whole frames. Set crop to have a crop size.")
        return (self.crop, self.crop) if isinstance(self.crop, int) else self.crop

    def views(self, split: str) -> int:
        """Returns the number of views of a video: `clips_per_video * crops_per_clip` in "test"."""
        return self.clips_per_video * self.crops_per_clip if split == "test" else 1

    def fixed_short_edge(self) -> int | None:
        """Returns the short edge of evaluation.

        Raises:
            ValueError: If there are several to draw from.
        """
        if not isinstance(self.short_edge, tuple):
            return self.short_edge
        if len(set(self.short_edge)) == 1:
            return self.short_edge[0]
        raise ValueError(
            f"evaluation is not random, but short_edge is {self.short_edge}. Pass one number, e.g. "
            "dataclasses.replace(sampling, short_edge=256)."
        )

    def clip_size(self, height: int, width: int) -> tuple[int, int]:
        """Returns the height and width of clips, for frames of `height` and `width`."""
        if self.crop is not None:
            return self.crop_size
        return scaled_size(height, width, self.fixed_short_edge())

    def check_flip(self, manifest: Manifest) -> None:
        """Raises an error if flipping would make labels wrong.

        Raises:
            ValueError: If clips would be mirrored although left and right are part of their labels.
        """
        if self.flip and manifest.directional and not self.flip_directional:
            raise ValueError(
                f"{manifest.source}: its labels have a direction, and flip would mirror clips but "
                "not their labels. Set flip=False (--noflip), or flip_directional=True "
                "(--flip_directional) to do it nevertheless."
            )

"""The crops of a plan: their places in the frames of one video, and cutting them out."""

from __future__ import annotations

import itertools

import numpy as np

from vdroppath_tf.data.clips.plans import CENTRE, ClipPlan
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.resize import resize_frames
from vdroppath_tf.data.sources.source import Box, cut, mirrored


class ClipSizeError(VideoError):
    """A video is intact, but its clips would differ from the others: settings must be changed."""


def crop_boxes(plan: ClipPlan, height: int, width: int, name: str) -> list[Box] | None:
    """Returns the plan's crops in scaled frames of this size; None for the whole frame.

    Args:
        plan: The plan.
        height, width: The size of the scaled frames, in pixels.
        name: The name of the video, for the error.

    Raises:
        ClipSizeError: If the frames are smaller than the crop.
    """
    if plan.crop is None:
        return None
    (tall, wide), corners = plan.crop, plan.corners
    if plan.area is not None:
        tall, wide, drawn = plan.area.size(height, width)
        corners = corners if drawn else (CENTRE,)
    if plan.shares is not None:
        largest = min(height / tall, width / wide)
        tall, wide = (
            max(1, round(share * largest * side))
            for share, side in zip(plan.shares, plan.crop, strict=True)
        )
    if tall > height or wide > width:
        raise ClipSizeError(
            f"{name}: frames of {width}x{height} are smaller than the crop {wide}x{tall}. Pass "
            f"short_edge={max(plan.crop)} or more, or a smaller crop=."
        )
    return [
        Box(_place(down, height - tall), _place(right, width - wide), tall, wide)
        for down, right in corners
    ]


def _place(fraction: float, room: int) -> int:
    return min(room, int(fraction * (room + 1)))


def enclosing(boxes: list[Box] | None) -> Box | None:
    """Returns the smallest box around all boxes, the part of the frames to read."""
    return None if boxes is None else _around(boxes)


def _around(boxes: list[Box]) -> Box:
    top, left = min(box.top for box in boxes), min(box.left for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    right = max(box.left + box.width for box in boxes)
    return Box(top, left, bottom - top, right - left)


def cut_views(frames: np.ndarray, plan: ClipPlan, boxes: list[Box] | None) -> np.ndarray:
    """Cuts the clips of a plan out of the frames in `enclosing(boxes)`.

    Args:
        frames: The frames of all clips in sequence, uint8 `(clips * frames, height, width, 3)`.
        plan: The plan.
        boxes: Its crops, or None for the whole frames.

    Returns:
        uint8 `(clips * crops, frames, height, width, 3)`; the crops of a clip are neighbours.
    """
    clips, times = plan.indices.shape
    shaped = frames.reshape(clips, times, *frames.shape[1:])
    views = shaped if boxes is None or plan.crop is None else _cut_all(shaped, plan.crop, boxes)
    views = mirrored(views) if plan.flip else views
    if plan.operations:
        from vdroppath_tf.data.clips.operations import apply_operations

        views = np.stack([apply_operations(clip, plan.operations) for clip in views])
    return views


def _cut_all(clips: np.ndarray, size: tuple[int, int], boxes: list[Box]) -> np.ndarray:
    outer = _around(boxes)
    views = []
    for clip, box in itertools.product(clips, boxes):
        inside = box._replace(top=box.top - outer.top, left=box.left - outer.left)
        views.append(resize_frames(cut(clip, inside), *size))
    return views[0][None] if len(views) == 1 else np.stack(views)

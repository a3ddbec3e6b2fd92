"""Prepares a body for the network: windows, checks of clips, pictures."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips
from vdroppath_tf.data.clips.windows import Window, windows_of
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.serving.server.asked import Asked
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.pictures import pictures_of


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A video or a window of it, decoded.

    Attributes:
        clips: The clips.
        span: For a window, its start and end in seconds.
        pictures: A few of the frames, if they were requested. Defaults to ().
    """

    clips: VideoClips
    span: tuple[float, float] | None
    pictures: tuple[str, ...] = ()


def part_of(clips: VideoClips, span: tuple[float, float] | None, asked: Asked) -> Part:
    """Makes a part with its pictures, which takes some milliseconds: not for the event loop."""
    most = 8 if span is None else 1
    return Part(clips, span, tuple(pictures_of(clips.clips[0], most)) if asked.pictures else ())


def windows_asked(
    entry: VideoEntry, window: float, hop: float | None, limits: Limits
) -> list[Window]:
    """Returns the windows of a video, with this length and hop in seconds.

    Raises:
        RefusedError: If there are too many.
    """
    most = limits.max_windows
    found = list(itertools.islice(windows_of(entry, window, hop), most + 1))
    if len(found) > most:
        raise RefusedError(
            413, "too_many_windows", f"More than {most} windows. Request longer ones, or fewer."
        )
    return found


def check_fit(clips: np.ndarray, sampling: ClipSampling) -> None:
    """Raises an error for clips of sizes for which the network was not trained."""
    wanted = (sampling.frames, *(sampling.crop_size if sampling.crop is not None else ()))
    if clips.shape[1 : 1 + len(wanted)] != wanted:
        names = ("time", "height", "width")[: len(wanted)]
        shown = ", ".join(f"{name} {n}" for name, n in zip(names, wanted, strict=True))
        raise RefusedError(
            422, "clips", f"Clips must have {shown}. Received: {clips.shape} (views first)."
        )

"""Prepares a body for the network: windows, decoding, checks of clips, pictures."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips, clips_of
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


@dataclasses.dataclass(frozen=True, eq=False)
class Begun:
    """A body whose first part is decoded.

    Attributes:
        video: The video, with its index; None for clips that were sent.
        first: Its first window, or all of it.
        others: The other windows. Defaults to ().
    """

    video: VideoEntry | None
    first: Part
    others: tuple[Window, ...] = ()


def begun(entry: VideoEntry, sampling: ClipSampling, asked: Asked, limits: Limits) -> Begun:
    """Divides a video into the requested windows, and decodes the first.

    Raises:
        RefusedError: If there are too many windows.
        VideoError: If the video cannot be read.
    """
    if asked.window is None:
        return Begun(entry, part_of(clips_of(entry, sampling), None, asked))
    first, *others = windows_asked(entry, asked.window, asked.hop, limits)
    return Begun(entry, decoded(first, sampling, asked), tuple(others))


def decoded(window: Window, sampling: ClipSampling, asked: Asked) -> Part:
    """Decodes a window.

    Raises:
        VideoError: If it cannot be read.
    """
    return part_of(clips_of(window.entry, sampling), (window.start, window.end), asked)


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

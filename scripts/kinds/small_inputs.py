"""Makes kinds from a folder of small videos, whose frames are compared to those of `ffmpeg`.

This module is for `table.py --shared=FOLDER`. The videos may have the frames of `film_files.draw`
or others; the numbers and the corners of all frames are compared. It needs the program `ffmpeg`.
"""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import numpy as np
from film_files import corners, number
from kind import Kind, WrongAnswerError, expect

from vdroppath_tf.data.sources import VideoFile

_NO_VIDEOS = {".py", ".txt", ".md", ".json", ".csv"}
_WITHIN = 6  # pixel values, of the mean of a corner: ffmpeg scales chroma differently
# The files that cannot be read, and why. Of the last one, FFmpeg also shows frames that it invents.
_REFUSED = {"y4m.y4m": "is empty", "h264_out.ts": "none of its frames can be decoded"}
_MADE_UP = {"tunein.ts"}


def small_inputs(folder: Path) -> tuple[Kind, ...]:
    """Returns one kind for each video below the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        Kind(
            f"shared: {path.relative_to(folder)}",
            "refused" if path.name in _REFUSED else "as ffmpeg shows it",
            partial(_compare, path),
            refusal=_REFUSED.get(path.name),
        )
        for path in paths
        if path.suffix not in _NO_VIDEOS
    )


def _compare(path: Path, _: Path) -> None:
    source = VideoFile(str(path))
    info = source.info()
    found = source.read(range(info.num_frames))
    shown = _shown(path, info.height, info.width)
    if path.name in _MADE_UP:
        shown = shown[-len(found) :]
    expect(len(found), len(shown), "frames")
    numbers = [[number(frame) for frame in frames] for frames in (found, shown)]
    expect(numbers[0], numbers[1], "numbers of the frames")
    for place, (ours, theirs) in enumerate(zip(found, shown, strict=True)):
        if (off := np.abs(corners(ours) - corners(theirs)).max()) > _WITHIN:
            raise WrongAnswerError(f"frame {place}: the corners are off by {off:.0f}")


def _shown(path: Path, height: int, width: int) -> np.ndarray:
    """Returns the frames that ffmpeg shows, without duplicating or dropping any."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "0", "-f", "rawvideo"]
    command += ["-pix_fmt", "rgb24", "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=False)
    size = height * width * 3
    if not done.stdout or len(done.stdout) % size:
        raise WrongAnswerError(f"frames are {width}x{height}, but those of ffmpeg are not")
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)

"""Videos without classes, by path: files, folders, archives and lists of paths."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence

from vdroppath_tf.data.lists.one_video import one_video
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.content import is_video, videos_in_zip
from vdroppath_tf.data.sources.frame_kinds import NUMBERED
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.data.sources.zip import FrameZip
from vdroppath_tf.files import read_text
from vdroppath_tf.names import named

LISTS = (".txt", ".lst", ".list")
"""Suffixes of files that list paths."""


@named
@dataclasses.dataclass(frozen=True)
class VideoReading:
    """Options for reading videos that are passed by path.

    Attributes:
        flow: bool, whether the paths are folders of optical flow. Defaults to False.
        video_stream: int, the number of the video stream in each file, from 0. Defaults to None,
            the stream that a player shows.
        source_fps: float, the frame rate of pictures, which have no times. Defaults to None,
            unknown.
        allow_open_end: bool, whether recordings that end inside a frame are read up to their last
            whole frame, see ``Lookup``. Defaults to False.

    Example:
        ```python
        reading = VideoReading(source_fps=25.0)
        entries = list(named_videos("frames/video1", reading))
        ```
    """

    flow: bool = False
    video_stream: int | None = None
    source_fps: float | None = None
    allow_open_end: bool = False


@named
def named_videos(
    path: str | os.PathLike[str],
    reading: VideoReading | None = None,
    *,
    on_error: Callable[[str, Exception], object] | None = None,
) -> Iterator[VideoEntry]:
    """Lists the videos of a path, without reading them.

    A path is a video file; a folder of frames; a zip archive of frames or of videos; a folder that
    is searched for all of these at any depth; or a text file (``.txt``, ``.lst``, ``.list``) with
    one path a line, relative to the folder of the list.

    Args:
        path: str, the path.
        reading: VideoReading, how the videos are read. Defaults to ``VideoReading()``.
        on_error: Callable that receives a path and the error there; the other paths follow.
            Defaults to None, which raises the error.

    Yields:
        A ``VideoEntry`` without a class for each video, in the order of the list or of the names.
        Its ``name`` is the path as it was passed, with the part that was found below it.

    Raises:
        VideoError: If a folder holds no video, or a line of a list leads to nothing.

    Example:
        ```python
        for entry in named_videos("videos/jump"):
            print(entry.name, entry.source.info().num_frames)
        ```
    """
    reading = VideoReading() if reading is None else reading
    text = os.fspath(path)
    is_list = text.lower().endswith(LISTS) and os.path.isfile(text)
    for each in _listed(text, on_error) if is_list else [text]:
        try:
            yield from _at(each, reading)
        except (ValueError, OSError) as error:
            if on_error is None:
                raise
            on_error(each, error)


def _at(path: str, reading: VideoReading) -> Iterator[VideoEntry]:
    if os.path.isdir(path) and not reading.flow:
        found = list(_below(path, reading))
        # The reader of the folder explains best why it holds nothing.
        yield from found or [_entry(path, reading)]
    elif path.lower().endswith(".zip") and os.path.isfile(path):
        yield from _of_zip(path, reading)
    else:
        yield _entry(path, reading)


def _entry(path: str, reading: VideoReading) -> VideoEntry:
    (entry,) = one_video(
        path,
        (),
        flow=reading.flow,
        video_stream=reading.video_stream,
        source_fps=reading.source_fps,
        allow_open_end=reading.allow_open_end,
    )
    return dataclasses.replace(entry, name=path)


def _listed(file: str, on_error: Callable[[str, Exception], object] | None) -> Iterator[str]:
    """Yields the paths in a list."""
    lines = [(k, line.strip()) for k, line in enumerate(read_text(file).splitlines(), 1)]
    paths = [(k, os.path.join(os.path.dirname(file), line)) for k, line in lines if _counts(line)]
    if not paths:
        raise VideoError(f"{file}: lists nothing. Expected one path a line.")
    for number, path in paths:
        if os.path.lexists(path) or ".zip!" in path.lower():
            yield path
            continue
        error = VideoError(
            f"{file}:{number}: {path} does not exist. Expected one path a line; a list with "
            "numbers or classes after the paths is passed as --data."
        )
        if on_error is None:
            raise error
        on_error(path, error)


def _counts(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _of_zip(file: str, reading: VideoReading) -> Iterator[VideoEntry]:
    videos = videos_in_zip(file)
    if videos:
        yield from (_entry(f"{file}!{name}", reading) for name in videos)
        return
    entry = VideoEntry(FrameZip(os.path.abspath(file)), 0, None, file, file)
    yield dataclasses.replace(entry, fps=reading.source_fps)


def _below(folder: str, reading: VideoReading) -> Iterator[VideoEntry]:
    try:
        names = sorted(name for name in os.listdir(folder) if not is_leftover(name))
    except OSError as error:
        raise VideoError(f"{folder}: cannot be listed ({error}). Check its permissions.") from None
    paths = [os.path.join(folder, name) for name in names]
    if _is_frames(names) and not any(is_video(path) for path in paths if os.path.isfile(path)):
        yield _entry(folder, reading)
        return
    for path in paths:
        if os.path.isdir(path):
            if not os.path.islink(path):  # a link to a folder above would recurse forever
                yield from _below(path, reading)
        elif path.lower().endswith(".zip"):
            yield from _of_zip(path, reading)
        elif os.path.isfile(path) and is_video(path):
            yield _entry(path, reading)


def _is_frames(names: Sequence[str]) -> bool:
    """Returns whether a folder holds numbered pictures."""
    return any(name.lower().endswith(PICTURES) and NUMBERED.fullmatch(name) for name in names)

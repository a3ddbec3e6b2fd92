"""Facts about videos from their headers, and notes for the user on how they are read."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.clock import mean_rate
from vdroppath_tf.data.sources.container import VideoError, open_video
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.data.sources.orientation import UPRIGHT
from vdroppath_tf.data.sources.request import FrameInfo
from vdroppath_tf.data.sources.segment import Segment, SegmentInfo
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.stream_choice import describe_choice
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class VideoFacts(FrameInfo):
    """Facts about one video from its index, without decoding it.

    Attributes:
        num_frames, height, width: See `FrameInfo`.
        seconds: The duration; None for pictures, and if the file does not give it.
        streams: The video streams of the file and which one is read, if there are several.
        unfinished: Whether the file ends inside a frame, which is left out.
        turned: Whether frames are stored rotated or mirrored.
        pixel_aspect: The width and height of a stored pixel, as a ratio; (1, 1) if it is square.
        fps: The mean frame rate; None if frames have no times.

    Example:
        ```python
        for facts in read_facts(manifest):
            print(facts if isinstance(facts, VideoError) else facts.seconds)
        ```
    """

    seconds: float | None
    streams: str | None = None
    unfinished: bool = False
    turned: bool = False
    pixel_aspect: tuple[int, int] = (1, 1)
    fps: float | None = None


@named
def read_facts(
    manifest: Manifest,
    *,
    workers: int | None = None,
    on_video: Callable[[], object] | None = None,
) -> list[VideoFacts | VideoError]:
    """Reads the index of every video, in parallel.

    Args:
        manifest: The videos.
        workers: The number of threads. Defaults to one for each core.
        on_video: Called after each video, for a progress bar. Defaults to None.

    Returns:
        For each video its facts, or the error why it cannot be used: it is damaged, or has fewer
        frames than its list states.

    Example:
        ```python
        facts = read_facts(read_folder("videos"))
        ```
    """
    found: list[VideoFacts | VideoError] = []
    for facts in map_ahead(_facts, manifest, workers=workers):
        found.append(facts)
        if on_video is not None:
            on_video()
    return found


@named
def describe_facts(manifest: Manifest, found: list[VideoFacts | VideoError]) -> list[str]:
    """Returns notes about how videos are read: rotated frames, several streams, pixel shapes.

    Args:
        manifest: The videos.
        found: The result of `read_facts` for them.

    Returns:
        One sentence for each note.

    Example:
        ```python
        notes = describe_facts(manifest, read_facts(manifest))
        ```
    """
    good = [
        (entry, facts)
        for entry, facts in zip(manifest, found, strict=True)
        if isinstance(facts, VideoFacts)
    ]
    notes = []
    if turned := sum(facts.turned for _, facts in good):
        notes.append(f"{turned:,} videos are stored rotated or mirrored, and are shown upright")
    if unfinished := sum(facts.unfinished for _, facts in good):
        notes.append(f"{unfinished:,} videos end inside a frame, and are read up to the last whole")
    if several := [(entry.path, facts.streams) for entry, facts in good if facts.streams]:
        path, streams = several[0]
        notes.append(
            f"{len(several):,} videos have several video streams, such as {path} ({streams}); "
            "--video_stream chooses another one"
        )
    aspects = Counter(facts.pixel_aspect for _, facts in good)
    for (wide, high), count in aspects.most_common():
        if wide != high:
            notes.append(
                f"{count:,} videos have pixels of {wide}:{high}, not square ones: frames are used "
                "as they are stored; train and convert scale them to the size that players show "
                "with --square_pixels"
            )
    return notes


@named
def with_frame_counts(manifest: Manifest, found: list[VideoFacts | VideoError]) -> Manifest:
    """Returns the manifest with the numbers of frames found, where its list has none.

    Args:
        manifest: The videos.
        found: The result of `read_facts` for them.

    Returns:
        The completed manifest.

    Example:
        ```python
        manifest = with_frame_counts(manifest, read_facts(manifest))
        ```
    """
    entries = [
        dataclasses.replace(entry, num_frames=facts.num_frames)
        if entry.num_frames is None and isinstance(facts, VideoFacts)
        else entry
        for entry, facts in zip(manifest, found, strict=True)
    ]
    return dataclasses.replace(manifest, entries=tuple(entries))


def _facts(entry: VideoEntry) -> VideoFacts | VideoError:
    try:
        info = entry.info()
        entry.source.validate()  # for a record, info() only repeats the index
        seconds, streams = _headers(entry.source.whole)
        if isinstance(entry.source, Segment):
            seconds = _length(info)
        index = info.whole if isinstance(info, SegmentInfo) else info
        size = info.num_frames, info.height, info.width
        facts = VideoFacts(*size, seconds, streams, fps=mean_rate(entry.times()))
        if not isinstance(index, FrameIndex):
            return facts
        turned = index.orientation != UPRIGHT
        return dataclasses.replace(
            facts,
            unfinished=index.unfinished,
            turned=turned,
            pixel_aspect=index.pixel_aspect,
        )
    except VideoError as error:
        return error


def _headers(source: FrameSource) -> tuple[float | None, str | None]:
    """Returns the duration and the video streams of a video file, see `VideoFacts`."""
    if not isinstance(source, VideoFile):
        return None, None
    with open_video(source.file, source.stream) as (container, stream):
        seconds = None if container.duration is None else container.duration / 1e6
        return seconds, describe_choice(container, stream)


def _length(info: FrameInfo) -> float | None:
    """Returns the duration of a segment in seconds."""
    times = info.times()
    if times is None:
        return None
    shown = float(times[-1] - times[0])  # without the last frame
    return shown * len(times) / max(1, len(times) - 1)

"""The frames that a decoder shows of an open file, from the first one that is shown in full.

A stream that was cut from a longer one begins with frames whose references are missing. Decoders
refuse some of them, leave out others, and partly make up the rest: none of them counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import av

from vdroppath_tf.data.sources.container import VideoError, open_video, packets_of
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES, FrameIndex

# Their decoders withhold frames until all of their references were decoded.
_PATIENT_CODECS = ("h264",)


@dataclasses.dataclass
class Shown:
    """The result of decoding a file.

    Attributes:
        pts: The pts of each frame that counts.
        skipped: The number of frames before the first that counts.
        errors: The number of packets before it that the decoder refused.
        damaged: The number of the first frame that was partly made up; None if there is none.
    """

    pts: list[int | None] = dataclasses.field(default_factory=list)
    skipped: int = 0
    errors: int = 0
    damaged: int | None = None

    def whole_before(self, pts: int | None) -> int:
        """Counts the frames before the incomplete last frame of the file; 0 if it is unknown."""
        places = [] if self.damaged is None else [self.damaged]
        if pts is not None and pts in self.pts:
            places.append(self.pts.index(pts))
        return min(places, default=0)


def decode_shown(
    path: str,
    video_stream: int | None,
    *,
    begins: bool,
    keyed: bool,
    joined: bool = False,
    first_only: bool = False,
) -> Shown:
    """Decodes a file, which finds its frames slowly but reliably.

    Args:
        path: The file.
        video_stream: See `open_video`.
        begins: Whether all references of the first frames exist: then all frames count, and a
            frame that cannot be decoded is an error.
        keyed: Whether decoding can start at the first packet.
        joined: See `FrameIndex`. Defaults to False.
        first_only: Whether to stop at the first frame that counts. Defaults to False.
    """
    found = _decode(path, video_stream, begins, keyed, joined, first_only)
    if not (found.pts or begins or keyed):  # no frame is marked as a keyframe
        return _decode(path, video_stream, begins, True, joined, first_only)
    return found


def _decode(
    path: str,
    video_stream: int | None,
    begins: bool,
    keyed: bool,
    joined: bool,
    first_only: bool,
) -> Shown:
    found = Shown()
    with open_video(path, video_stream) as (container, stream):
        keyed = keyed or stream.codec_context.name in _PATIENT_CODECS
        for packet in packets_of(container, stream):
            waiting = not (begins or found.pts)
            try:
                frames = _decode_packet(packet, stream, joined)
            except av.error.FFmpegError:
                if not waiting:
                    raise
                found.errors += 1
                continue
            for frame in frames:
                waiting = not (begins or found.pts)
                if waiting and (frame.is_corrupt or not (keyed or frame.key_frame)):
                    found.skipped += 1
                    continue
                if frame.is_corrupt and found.damaged is None:
                    found.damaged = len(found.pts)
                found.pts.append(frame.pts)
                if first_only:
                    return found
                if len(found.pts) > MAX_FRAMES:
                    raise too_many(path)
    return found


def too_many(path: str) -> VideoError:
    """Returns the error for a file with more frames than can be indexed."""
    return VideoError(f"{path}: has more than {MAX_FRAMES} frames. Cut it into shorter files.")


def frames_of(container: Any, stream: Any, index: FrameIndex) -> Iterator[Any]:
    """Yields the frames that count, from the start of a file that was just opened."""
    waiting, skip = bool(index.dropped or index.skipped), index.skipped
    for packet in packets_of(container, stream):
        try:
            frames = _shown_of(packet, stream, index)
        except av.error.FFmpegError:
            if not waiting:
                raise
            continue
        for frame in frames:
            if waiting and index.exact:
                waiting = frame.pts is None or frame.pts < index.pts[0]
            elif waiting:
                waiting, skip = skip > 0, skip - 1
            if not waiting:
                yield frame


def frames_after_seek(container: Any, stream: Any, index: FrameIndex) -> Iterator[Any]:
    """Yields frames from the first keyframe after the position of a seek.

    MPEG-TS seeks by bytes and may land at any frame; decoders of FFmpeg 7 and earlier then make up
    H.265 frames without marking them.
    """
    started = False
    for packet in packets_of(container, stream):
        started = started or packet.is_keyframe or not packet.size
        if started:
            yield from _shown_of(packet, stream, index)


def _shown_of(packet: Any, stream: Any, index: FrameIndex) -> list[Any]:
    """Returns the frames of a packet, without the one in which the file ends, if it has a time."""
    if not (index.unfinished and index.exact):
        return _decode_packet(packet, stream, index.joined)
    try:
        frames = _decode_packet(packet, stream, index.joined)
    except av.error.FFmpegError:  # of the incomplete frame; any other missing frame is noticed
        return []
    return [frame for frame in frames if index.holds(frame.pts)]


def _decode_packet(packet: Any, stream: Any, joined: bool) -> list[Any]:
    """Decodes a packet; intact packets before a joint, marked as damaged, are decoded unmarked."""
    if not (joined and packet.is_corrupt and packet.size):
        return list(packet.decode())
    whole = av.Packet(bytes(packet))
    whole.pts, whole.dts, whole.time_base = packet.pts, packet.dts, packet.time_base
    return list(stream.codec_context.decode(whole))

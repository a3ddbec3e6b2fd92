"""Chooses the main video stream of a file: the one that a player shows.

Covers and thumbnails (FFmpeg's attached pictures) are excluded, and a stream of a single frame is
the last choice. Of the others, the stream that the file marks as the default is taken; then the one
with the most pixels, the highest bit rate, and the lowest number.
"""

from __future__ import annotations

import re
from typing import Any

_DEFAULT, _IMPAIRED = 0x1, 0x80 | 0x100
_NO_FILM = 0x400 | 0x800 | 0x100000  # an attached picture, a timed thumbnail, a still image
_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,12})?)")
_STILL_CODECS = {"mjpeg", "png", "bmp", "tiff", "webp", "gif", "jpegls", "jpeg2000"}


def films(container: Any) -> list[Any]:
    """Returns the video streams of an open file, without attached pictures, in file order."""
    return [stream for stream in container.streams.video if not _flags(stream) & _NO_FILM]


def choose_stream(container: Any, number: int | None = None) -> Any:
    """Returns the stream to read; None if there is none.

    Args:
        container: The open file.
        number: The number of the stream among `films`, from 0. Defaults to None, the one that a
            player shows.
    """
    found = films(container)
    if number is not None:
        return found[number] if 0 <= number < len(found) else None
    return max(found, key=lambda stream: _rank(stream, found), default=None)


def no_stream(container: Any, number: int | None) -> str:
    """Describes why `choose_stream` found nothing, for an error."""
    if films(container):
        return (
            f"has no video stream {number}; it has {describe(container)}. Pass another "
            "video_stream= (--video_stream), or leave it out to read the one that a player shows."
        )
    kinds = [_kind(stream) for stream in container.streams]
    return f"holds no video (found: {', '.join(kinds) or 'no stream'}). Expected a video stream."


def describe_choice(container: Any, stream: Any) -> str | None:
    """Describes the video streams of a file and which one is read; None if there is only one."""
    found = [other.index for other in films(container)]
    if len(found) < 2:
        return None
    return f"{describe(container)}; {found.index(stream.index)} is read"


def describe(container: Any) -> str:
    """Lists the video streams of a file by number, such as `0: h264 64x48, 1: mjpeg 16x12`."""
    return ", ".join(
        f"{number}: {_codec(stream) or 'unknown'} {'x'.join(map(str, _size(stream)))}"
        for number, stream in enumerate(films(container))
    )


def _rank(stream: Any, found: list[Any]) -> tuple[Any, ...]:
    """Returns the criteria that players compare, the most important first."""
    if stream.codec_context is None:  # there is no decoder for it
        return (False, -stream.index)
    flags = _flags(stream)
    return (
        True,
        not flags & _IMPAIRED,
        _frames(stream) != 1,
        bool(flags & _DEFAULT),
        not _may_be_still(stream, found),
        stream.width * stream.height,
        stream.bit_rate or 0,
        stream.frames,
        -stream.index,
    )


def _frames(stream: Any) -> int:
    """Returns the number of frames by the file's headers, 0 if they do not give it."""
    if stream.frames:
        return stream.frames
    # Matroska has no number of frames, but most programs store the duration of a stream.
    found = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if found is None or not stream.average_rate:
        return 0
    hours, minutes, seconds = (float(part) for part in found.groups())
    return round((hours * 3600 + minutes * 60 + seconds) * stream.average_rate)


def _may_be_still(stream: Any, found: list[Any]) -> bool:
    """Returns whether a stream of unknown length has a picture codec and another has not."""
    if _frames(stream):
        return False
    others = {_codec(other) for other in found} - _STILL_CODECS
    return _codec(stream) in _STILL_CODECS and bool(others)


def _kind(stream: Any) -> str:
    """Returns the kind of a stream without `type`: PyAV 15 crashes on kinds unknown to FFmpeg."""
    kind = type(stream).__name__.removesuffix("Stream").lower()
    return {"video": "an attached picture", "": "an unknown kind"}.get(kind, kind)


def _size(stream: Any) -> tuple[int, int]:
    """Returns the width and height; zeros for a stream without a decoder."""
    return (0, 0) if stream.codec_context is None else (stream.width, stream.height)


def _codec(stream: Any) -> str | None:
    return None if stream.codec_context is None else stream.codec_context.name


def _flags(stream: Any) -> int:
    """Returns the flags of a stream; PyAV 17 has an enumeration, later ones have a number."""
    return getattr(stream.disposition, "value", stream.disposition)

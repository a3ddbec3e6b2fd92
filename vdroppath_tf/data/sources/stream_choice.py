"""Which of the video streams of a file is the film: the one that a player shows.

Covers and thumbnails (FFmpeg's attached pictures) are no film, and a stream of a single frame is
none beside one that moves. Of the others, the one that the file marks as the default is taken; then
the one of most pixels, of the highest bit rate, and the first one.
"""

from __future__ import annotations

import re
from typing import Any

_DEFAULT, _IMPAIRED = 0x1, 0x80 | 0x100
_NO_FILM = 0x400 | 0x800 | 0x100000  # an attached picture, a timed thumbnail, a still image
_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,12})?)")
_STILL_CODECS = {"mjpeg", "png", "bmp", "tiff", "webp", "gif", "jpegls", "jpeg2000"}


def films(container: Any) -> list[Any]:
    """The video streams of an open file that are no attached pictures, in its order."""
    return [stream for stream in container.streams.video if not _flags(stream) & _NO_FILM]


def choose_stream(container: Any, number: int | None = None) -> Any:
    """The stream to read; None if there is none.

    Args:
        container: the open file.
        number: of the stream among `films`, from 0; None takes the one that a player shows.
    """
    found = films(container)
    if number is not None:
        return found[number] if 0 <= number < len(found) else None
    return max(found, key=lambda stream: _rank(stream, found), default=None)


def no_stream(container: Any, number: int | None) -> str:
    """What is wrong with a file where `choose_stream` found nothing, for an error."""
    if films(container):
        return (
            f"has no video stream {number}; it has {describe(container)}. Pass another "
            "video_stream= (--video_stream), or none to take the one that a player shows."
        )
    kinds = [_kind(stream) for stream in container.streams]
    return f"holds no video (found: {', '.join(kinds) or 'no stream'}). Expected a video stream."


def describe_choice(container: Any, stream: Any) -> str | None:
    """The video streams of an open file and which one is read; None if there is only one."""
    found = [other.index for other in films(container)]
    if len(found) < 2:
        return None
    return f"{describe(container)}; {found.index(stream.index)} is read"


def describe(container: Any) -> str:
    """The video streams of an open file by number, such as `0: h264 64x48, 1: mjpeg 16x12`."""
    return ", ".join(
        f"{number}: {_codec(stream) or 'unknown'} {'x'.join(map(str, _size(stream)))}"
        for number, stream in enumerate(films(container))
    )


def _rank(stream: Any, found: list[Any]) -> tuple[Any, ...]:
    """What players compare, the most important first."""
    if stream.codec_context is None:  # no decoder reads it
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
    """The number of frames by the file's headers, 0 where they do not tell."""
    if stream.frames:
        return stream.frames
    # Matroska has no number of frames, but most writers add how long a stream plays.
    found = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if found is None or not stream.average_rate:
        return 0
    hours, minutes, seconds = (float(part) for part in found.groups())
    return round((hours * 3600 + minutes * 60 + seconds) * stream.average_rate)


def _may_be_still(stream: Any, found: list[Any]) -> bool:
    """Whether a stream of unknown length is of a codec for pictures, beside one that is not."""
    if _frames(stream):
        return False
    others = {_codec(other) for other in found} - _STILL_CODECS
    return _codec(stream) in _STILL_CODECS and bool(others)


def _kind(stream: Any) -> str:
    """Not its `type`: PyAV 15 ends the process at a stream of a kind that FFmpeg does not know."""
    kind = type(stream).__name__.removesuffix("Stream").lower()
    return {"video": "an attached picture", "": "an unknown kind"}.get(kind, kind)


def _size(stream: Any) -> tuple[int, int]:
    """Width and height; zeros for a stream that no decoder reads, which has no such attributes."""
    return (0, 0) if stream.codec_context is None else (stream.width, stream.height)


def _codec(stream: Any) -> str | None:
    return None if stream.codec_context is None else stream.codec_context.name


def _flags(stream: Any) -> int:
    """PyAV 17 has an enumeration, later ones have a number."""
    return getattr(stream.disposition, "value", stream.disposition)

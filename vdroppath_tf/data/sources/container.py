"""Opening a video file safely, and telling early what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

import av

from vdroppath_tf.data.sources.stream_choice import choose_stream, no_stream

MAX_SIDE = 16384
"""Frames wider or higher than this are refused before they are decoded (pixels)."""

# Playlists (HLS, concat), image sequences and the like would let one file make the reader open
# others: each of these reads the one file that it is given.
_FORMATS = (
    "mov,avi,matroska,mpegts,mpeg,flv,ogg,asf,mxf,dv,"  # containers
    "gif,apng,ivf,yuv4mpegpipe,"  # pictures one after another, and little else
    "h264,hevc,m4v,mpegvideo,mjpeg,obu"  # streams without a container
)
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}


class VideoError(ValueError):
    """A video file cannot be used; the message names the file, what was found and what to do."""


class NoVideoStreamError(VideoError):
    """A file can be opened and holds no video: sound only, say."""


def status_of(path: str) -> os.stat_result:
    """Status of what is there, else `VideoError`."""
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        raise VideoError(
            f"{path}: cannot be read ({error}). Check the path and its permissions."
        ) from None


def regular_file(path: str) -> os.stat_result:
    """Status of a file that is there, is a file and is not empty; else `VideoError`."""
    status = status_of(path)
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path}: is not a file. Expected a video file such as mp4, avi or webm.")
    if status.st_size == 0:
        raise VideoError(f"{path}: is empty (0 bytes). Copy or download the video again.")
    return status


@contextlib.contextmanager
def open_video(path: str, video_stream: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Opens a video stream of a file and yields `(container, stream)`.

    FFmpeg's errors, then and in the body of the `with`, become `VideoError`.

    Args:
        path: the file.
        video_stream: number of the stream, see `choose_stream`; None takes the one that a player
            shows.
    """
    check_whole(path)
    try:
        # Not options=, which are for codecs too: with them, PyAV before 18 ends the process at
        # files whose streams are found only on the way, such as MPEG-PS and FLV.
        with av.open(path, container_options=_OPEN_OPTIONS, metadata_errors="replace") as container:
            stream = choose_stream(container, video_stream)
            if stream is None:
                raise NoVideoStreamError(f"{path}: {no_stream(container, video_stream)}")
            if stream.codec_context is None:
                raise VideoError(f"{path}: no decoder for its video. Convert it to H.264 mp4.")
            stream.codec_context.thread_count = 1  # callers run many files at once
            _check_side(path, stream.codec_context.height, stream.codec_context.width)
            yield container, stream
    except av.error.FFmpegError as error:
        check_whole(path)  # it may have been cut short, or deleted, since it was opened
        raise VideoError(
            f"{path}: is damaged or not a video ({error.strerror or error}). "
            "Copy or convert it again, or take it off the list."
        ) from error


def _check_side(path: str, height: int, width: int) -> None:
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{path}: frames are {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "The file is damaged or needs to be scaled down first."
        )


def check_whole(path: str) -> None:
    """Raises `VideoError` if a file is missing, empty or cut short.

    Decoders read a file that was cut short without complaint; its own headers tell.
    """
    size = regular_file(path).st_size
    try:
        _compare_sizes(path, size)
    except OSError as error:  # no permission, a disk or a network that fails
        raise VideoError(
            f"{path}: cannot be read ({error}). Check the path and its permissions."
        ) from None


def _compare_sizes(path: str, size: int) -> None:
    with open(path, "rb") as file:
        head = file.read(256)
        expected = 0
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
            expected = _mp4_size(file, size)
        elif head[:4] == b"RIFF":
            expected = 8 + int.from_bytes(head[4:8], "little")
        elif head[:4] == b"\x1a\x45\xdf\xa3":
            expected = _matroska_size(head)
        elif head[:1] == head[188:189] == b"\x47":  # MPEG-TS
            expected = size + -size % 188
    if size < expected:
        raise VideoError(
            f"{path}: is cut short: {size} of {expected} bytes are there. "
            "Copy or download it again, or take it off the list."
        )


def _mp4_size(file: BinaryIO, size: int) -> int:
    """Where the last top-level box of an mp4 or mov file ends, by the boxes' own lengths."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if (
            length < 8
        ):  # 0 means "to the end of the file"; less is damage, which the decoder reports
            return size
        place += length
    return place


def _matroska_size(head: bytes) -> int:
    """Where the segment of a Matroska or WebM file ends; 0 if its header has no end."""
    length, start = _vint(head, 4)
    segment = start + length
    if head[segment : segment + 4] != b"\x18\x53\x80\x67":
        return 0
    length, start = _vint(head, segment + 4)
    unknown = length == (1 << 7 * (start - segment - 4)) - 1  # all ones: written as a live stream
    return 0 if unknown else start + length


def _vint(data: bytes, place: int) -> tuple[int, int]:
    """EBML's variable length number at `place`, and the place after it."""
    if place >= len(data) or data[place] == 0:
        return 0, place
    width = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + width], "big") & ((1 << 7 * width) - 1)
    return value, place + width

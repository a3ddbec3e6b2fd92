"""Opens video files safely, and reports early what is wrong with one."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

import av

from vdroppath_tf.data.sources.deadline import is_late
from vdroppath_tf.data.sources.sizes import Shortfall, find_shortfall
from vdroppath_tf.data.sources.stream_choice import choose_stream, no_stream
from vdroppath_tf.data.sources.webp import WebpError, as_video, is_animated_webp
from vdroppath_tf.data.sources.zipped_file import (
    FileStatus,
    ZippedError,
    file_status,
    opened,
    split_zip,
)

MAX_SIDE = 16384
"""Frames wider or higher than this are refused before they are decoded (pixels)."""

# Playlists (HLS, concat), image sequences and the like could make the reader open other files.
# Each of the formats below reads only the file that is passed.
_FORMATS = (
    "mov,avi,matroska,mpegts,mpeg,flv,ogg,asf,mxf,dv,"  # containers
    "gif,apng,ivf,yuv4mpegpipe,"  # sequences of pictures without sound
    "h264,hevc,m4v,mpegvideo,mjpeg,obu"  # streams without a container
)
_MAX_HEADER = 1 << 16  # bytes
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}


class VideoError(ValueError):
    """A video file cannot be used; the message names the file, the problem and the remedy."""


class NoVideoStreamError(VideoError):
    """A file can be opened but holds no video, for example only sound."""


def status_of(path: str) -> FileStatus:
    """Returns the status of a file, a folder or a member of a zip archive, or raises VideoError."""
    try:
        return file_status(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: Exception) -> VideoError:
    if isinstance(error, ZippedError):
        return VideoError(f"{path}: cannot be read, {error}. Copy or download the archive again.")
    return VideoError(f"{path}: cannot be read ({error}). Check the path and its permissions.")


def regular_file(path: str) -> FileStatus:
    """Returns the status of a regular file that is not empty, or raises `VideoError`."""
    status = status_of(path)
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path}: is not a file. Expected a video file such as mp4, avi or webm.")
    if status.st_size == 0:
        raise VideoError(f"{path}: is empty (0 bytes). Copy or download the video again.")
    return status


class LateVideoError(VideoError):
    """Reading a video took longer than allowed, see `decode_until`."""


@contextlib.contextmanager
def open_video(path: str, video_stream: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Opens a video stream of a file and yields `(container, stream)`.

    FFmpeg's errors become `VideoError`, both on opening and in the body of the `with` statement.

    Args:
        path: The file.
        video_stream: The number of the stream, see `choose_stream`. Defaults to None, the stream
            that a player shows.
    """
    file = _as_file(path)
    closing = contextlib.nullcontext() if isinstance(file, str) else contextlib.closing(file)
    try:
        # Not options=, which also apply to codecs: with them, PyAV before 18 crashes the process
        # on files whose streams are found only during reading, such as MPEG-PS and FLV.
        with (
            closing,
            av.open(file, container_options=_OPEN_OPTIONS, metadata_errors="replace") as container,
        ):
            stream = choose_stream(container, video_stream)
            if stream is None:
                raise NoVideoStreamError(f"{path}: {no_stream(container, video_stream)}")
            if stream.codec_context is None:
                raise VideoError(f"{path}: no decoder for its video. Convert it to H.264 mp4.")
            stream.codec_context.thread_count = 1  # callers run many files at once
            _check_side(path, stream.codec_context.height, stream.codec_context.width)
            yield container, stream
    except av.error.FFmpegError as error:
        blame_the_end(path)  # the file may have been cut or deleted since it was opened
        raise VideoError(
            f"{path}: is damaged or not a video ({error.strerror or error}). "
            "Copy or convert it again, or take it off the list."
        ) from error


def _as_file(path: str) -> str | BinaryIO:
    """Returns what FFmpeg opens: the path, or a converted video in memory if FFmpeg needs one."""
    regular_file(path)
    try:
        if is_animated_webp(path):
            return as_video(path)
        return path if split_zip(path) is None else opened(path)
    except WebpError as error:
        raise VideoError(
            f"{path}: {error}. Copy or convert it again, or take it off the list."
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Yields the packets of a stream of an open file, and finally an empty one, the end mark.

    PyAV cannot handle streams that appear later than the others, as in joined recordings: it may
    yield their packets too, and fails at their end marks, which come last. Empty packets with a
    time (Theora) repeat the previous frame and do not count. Neither do the repeated headers of
    VP8 where Ogg files were joined, which its decoder takes for frames.
    """
    number = stream.index
    ogg = container.format.name == "ogg"
    # Closed here: a generator of PyAV that is only dropped, as when the wanted frames come before
    # the last packet, never frees its buffers. Cython runs no `finally` then in wheels for Python's
    # limited API (cython/cython#6405).
    with contextlib.suppress(IndexError), contextlib.closing(container.demux(stream)) as packets:
        for packet in packets:
            if is_late():
                raise LateVideoError(f"{container.name}: decoding takes longer than allowed.")
            if packet.size:
                if packet.stream_index == number and not (ogg and _is_header(packet)):
                    yield packet
            elif packet.pts is None and packet.dts is None and packet.stream.index == number:
                yield packet


def _is_header(packet: Any) -> bool:
    """Returns whether an Ogg packet is a header of VP8."""
    return packet.size < _MAX_HEADER and bytes(packet)[:5] == b"OVP80"


def _check_side(path: str, height: int, width: int) -> None:
    if height == width == 0:
        raise VideoError(
            f"{path}: none of its frames can be decoded: the codec's headers are not in the file, "
            "as when a stream was cut from a longer one without encoding. Cut it again from a "
            "keyframe, or take it off the list."
        )
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{path}: frames are {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "The file is damaged or needs to be scaled down first."
        )


def missing_end(path: str) -> Shortfall | None:
    """Finds how many bytes are missing at the end of a file by its headers: `find_shortfall`.

    Raises:
        VideoError: If the file does not exist, is empty, or cannot be read.
    """
    regular_file(path)
    try:
        return find_shortfall(path)
    except OSError as error:  # no permission, a disk or a network that fails
        raise _unreadable(path, error) from None


def cut_short(path: str, found: Shortfall) -> VideoError:
    """Returns the error for a file that was cut short."""
    return VideoError(
        f"{path}: is cut short: {found.size} of {found.expected} bytes are there. "
        "Copy or download it again, or take it off the list."
    )


def blame_the_end(path: str) -> None:
    """Raises `VideoError` if the end of the file is missing, which explains an earlier error."""
    found = missing_end(path)
    if found is not None:
        raise cut_short(path, found)

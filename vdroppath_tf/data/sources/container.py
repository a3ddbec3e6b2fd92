"""Opening a video file safely, and telling early what is wrong with it."""

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

# Playlists (HLS, concat), image sequences and the like would let one file make the reader open
# others: each of these reads the one file that it is given.
_FORMATS = (
    "mov,avi,matroska,mpegts,mpeg,flv,ogg,asf,mxf,dv,"  # containers
    "gif,apng,ivf,yuv4mpegpipe,"  # pictures one after another, and little else
    "h264,hevc,m4v,mpegvideo,mjpeg,obu"  # streams without a container
)
_MAX_HEADER = 1 << 16  # bytes
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}


class VideoError(ValueError):
    """A video file cannot be used; the message names the file, what was found and what to do."""


class NoVideoStreamError(VideoError):
    """A file can be opened and holds no video: sound only, say."""


def status_of(path: str) -> FileStatus:
    """Status of what is there, in a zip archive too, else `VideoError`."""
    try:
        return file_status(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: Exception) -> VideoError:
    if isinstance(error, ZippedError):
        return VideoError(f"{path}: cannot be read, {error}. Copy or download the archive again.")
    return VideoError(f"{path}: cannot be read ({error}). Check the path and its permissions.")


def regular_file(path: str) -> FileStatus:
    """Status of a file that is there, is a file and is not empty; else `VideoError`."""
    status = status_of(path)
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path}: is not a file. Expected a video file such as mp4, avi or webm.")
    if status.st_size == 0:
        raise VideoError(f"{path}: is empty (0 bytes). Copy or download the video again.")
    return status


class LateVideoError(VideoError):
    """Reading a video took longer than it may, see `decode_until`."""


@contextlib.contextmanager
def open_video(path: str, video_stream: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Opens a video stream of a file and yields `(container, stream)`.

    FFmpeg's errors, then and in the body of the `with`, become `VideoError`.

    Args:
        path: the file.
        video_stream: number of the stream, see `choose_stream`; None takes the one that a player
            shows.
    """
    file = _as_file(path)
    closing = contextlib.nullcontext() if isinstance(file, str) else contextlib.closing(file)
    try:
        # Not options=, which are for codecs too: with them, PyAV before 18 ends the process at
        # files whose streams are found only on the way, such as MPEG-PS and FLV.
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
        blame_the_end(path)  # the file may also have been cut, or deleted, since it was opened
        raise VideoError(
            f"{path}: is damaged or not a video ({error.strerror or error}). "
            "Copy or convert it again, or take it off the list."
        ) from error


def _as_file(path: str) -> str | BinaryIO:
    """What FFmpeg opens: the file, or in memory a video of what it cannot read."""
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
    """The packets of a stream of an open file, and at last one of no bytes, the end mark.

    PyAV has no place for streams that appear later than others, as where recordings were joined:
    it may give their packets too, and fails at their end marks, behind those of all others. Packets
    of no bytes that have a time (Theora) repeat the frame before, and are no frames. Nor are the
    headers of VP8 that come again where Ogg files were joined; its decoder takes them for frames.
    """
    number = stream.index
    ogg = container.format.name == "ogg"
    try:
        for packet in container.demux(stream):
            if is_late():
                raise LateVideoError(f"{container.name}: decoding takes longer than is allowed.")
            if packet.size:
                if packet.stream_index == number and not (ogg and _is_header(packet)):
                    yield packet
            elif packet.pts is None and packet.dts is None and packet.stream.index == number:
                yield packet
    except IndexError:
        return


def _is_header(packet: Any) -> bool:
    """Whether a packet of Ogg is one of the headers of VP8."""
    return packet.size < _MAX_HEADER and bytes(packet)[:5] == b"OVP80"


def _check_side(path: str, height: int, width: int) -> None:
    if height == width == 0:
        raise VideoError(
            f"{path}: none of its frames can be decoded: what describes them is not in the file, "
            "as where a stream was cut from a longer one without encoding. Cut it again from a "
            "keyframe on, or take it off the list."
        )
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{path}: frames are {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "The file is damaged or needs to be scaled down first."
        )


def missing_end(path: str) -> Shortfall | None:
    """What is missing at the end of a file by its own headers, see `find_shortfall`.

    Raises:
        VideoError: the file is not there, is empty, or cannot be read.
    """
    regular_file(path)
    try:
        return find_shortfall(path)
    except OSError as error:  # no permission, a disk or a network that fails
        raise _unreadable(path, error) from None


def cut_short(path: str, found: Shortfall) -> VideoError:
    """The error about a file that was cut short."""
    return VideoError(
        f"{path}: is cut short: {found.size} of {found.expected} bytes are there. "
        "Copy or download it again, or take it off the list."
    )


def blame_the_end(path: str) -> None:
    """Raises `VideoError` if what went wrong can be explained by an end that is missing."""
    found = missing_end(path)
    if found is not None:
        raise cut_short(path, found)

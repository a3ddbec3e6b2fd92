"""Decides which unlisted files are videos: by suffix if it is known, otherwise by content.

In class folders, every file that the decoder reads counts, whatever its name. A known suffix is
decided without reading; any other costs one read of a few kilobytes.
"""

from __future__ import annotations

import functools
import os
import re

from vdroppath_tf.data.sources.container import NoVideoStreamError, VideoError, open_video
from vdroppath_tf.data.sources.frame_kinds import NUMBERED
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.zipped_file import file_status, members_of, opened, split_zip
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .apng .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m1v .m2t"
    " .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mov .mp4 .mpe .mpeg .mpg .mts .mxf .ogm .ogv .qt"
    " .vob .webm .wmv .xvid .y4m".split()
)
"""Suffixes of videos; such a file counts even if it is damaged, so that the damage is reported."""

_OTHER_SUFFIXES = frozenset(
    # Images, and files that cameras write next to their videos (thumbnails, small copies).
    ".arw .avif .bmp .cr2 .dng .heic .heif .ico .jpeg .jpg .lrv .nef .png .pgm .ppm .psd .svg .thm"
    " .tif .tiff"
    # Sound and subtitles.
    " .aac .ac3 .aif .aiff .ass .flac .idx .lrc .m3u .m3u8 .m4a .mka .mp3 .oga .opus .srt .ssa .sub"
    " .vtt .wav .wma"
    # Text, tables and documents.
    " .cfg .csv .description .doc .docx .htm .html .ini .ipynb .json .jsonl .log .md .nfo .pdf .py"
    " .sh .torrent .tsv .txt .url .xls .xlsx .xml .yaml .yml"
    # Arrays, models and archives.
    " .7z .bz2 .db .gz .h5 .hdf5 .lmdb .mat .mdb .npy .npz .parquet .pkl .pt .pth .rar .sqlite .tar"
    " .tfrecord .tgz .xz .zip".split()
)
_PARTIAL = re.compile(
    r"\.(part|partial|crdownload|download|opdownload|filepart|aria2|ytdl|tmp|temp|!ut|!qb|bc!)"
    r"(-frag\d+)?(\.part)?$",
    re.IGNORECASE,
)
_HEAD = 4096  # bytes
_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: wmv
    b"\0\0\x01\xba",  # MPEG program stream
    b"\0\0\x01\xb3",  # MPEG-1 and 2 without a container
    b"\0\0\x01\xb0",  # MPEG-4
    b"\0\0\0\x01\x09",  # H.264: a delimiter, or the parameters of the sequence
    b"\0\0\0\x01\x27",
    b"\0\0\0\x01\x67",
    b"\0\0\0\x01\x40\x01",  # H.265
    b"GIF87a",
    b"GIF89a",
    b"DKIF",  # IVF
    b"YUV4MPEG2 ",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01",  # MXF
)
_FIRST = 1 << 12  # bytes of an archive, which hold the name of its first member
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free")
_NO_VIDEO_BRANDS = (b"heic", b"heix", b"mif1", b"avif", b"M4A ", b"M4B ", b"crx ")


@named
def is_video(path: str) -> bool:
    """Returns whether a file that no list names is a video.

    Known suffixes decide without opening the file. Without a suffix, or with one that is unknown or
    ambiguous (`.ts`, `.webp`, `.dat`), the first bytes decide: a file that begins like a video
    container counts, unless it can be opened and has no video stream (only sound).

    Args:
        path: str, the file.

    Returns:
        True for a video, which may still be damaged; False for other files, for partial downloads,
        and for files that cannot be read.

    Example:
        ```python
        is_video("clips/dance.mp4")  # True, by its suffix
        ```
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in VIDEO_SUFFIXES:
        return True
    if suffix in _OTHER_SUFFIXES or is_partial_download(path):
        return False
    try:
        if file_status(path).st_size == 0:  # such as files in /proc, which may block a reader
            return False
        with open_regular(path) if split_zip(path) is None else opened(path) as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    return _is_container(head) and _has_pictures(path)


@named
def is_partial_download(name: str) -> bool:
    """Returns whether a file's name is one that browsers and downloaders give to partial files.

    Args:
        name: str, the name of the file, with or without its folder.

    Example:
        ```python
        is_partial_download("dance.mp4.part")  # True
        ```
    """
    return _PARTIAL.search(name) is not None


def _is_container(head: bytes) -> bool:
    """Returns whether a file with these first bytes can be a video; compares many, to be sure."""
    if head[4:8] in _MP4_BOXES:
        return head[8:12] not in _NO_VIDEO_BRANDS
    if head[:4] == b"RIFF":
        animated = head[8:16] == b"WEBPVP8X" and bool(head[20:21] and head[20] & 2)
        return animated or head[8:12] in (b"AVI ", b"AMV ", b"CDXA")
    if head[:4] == b"OggS":
        return any(mark in head for mark in (b"\x80theora", b"BBCD\0", b"OVP80", b"\x01video"))
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return b"acTL" in head[: head.find(b"IDAT") if b"IDAT" in head else None]
    return head.startswith(_STARTS) or _is_transport_stream(head)


def _is_transport_stream(head: bytes) -> bool:
    """Returns whether MPEG-TS packets (188 bytes, with 4 more before or 16 behind) line up."""
    for size in (188, 192, 204):
        for start in range(min(2 * size, len(head))):
            marks = head[start::size]
            if len(marks) >= 5 and marks == b"\x47" * len(marks):
                return True
    return False


def _has_pictures(path: str) -> bool:
    """Returns whether a container has a video stream; True if it is damaged, to report it later."""
    try:
        with open_video(path):
            return True
    except NoVideoStreamError:
        return False
    except VideoError:
        return True


@named
def videos_in_zip(archive: str) -> tuple[str, ...]:
    """Lists the videos in a zip archive, sorted; none if it holds frames or is damaged.

    Args:
        archive: str, the path of the archive.

    Returns:
        The names of the members that are videos.

    Raises:
        ValueError: If it holds both videos and pictures that are numbered like frames.
    """
    try:
        status = os.stat(archive)
        return _videos_in_zip(archive, status.st_size, status.st_mtime_ns)
    except OSError:
        return ()


@functools.lru_cache(maxsize=16)
def _videos_in_zip(archive: str, size: int, mtime: int) -> tuple[str, ...]:
    """See ``videos_in_zip``; an archive whose size or time changed is read again."""
    with open_regular(archive) as file:
        head = file.read(_FIRST)
    if _first_member(head).lower().endswith(PICTURES):
        return ()  # skips the search in archives of frames, of which a data set may have many
    names = members_of(archive)
    pictures = [name for name in names if name.lower().endswith(PICTURES)]
    others = (name for name in names if not name.lower().endswith(PICTURES))
    videos = sorted(name for name in others if is_video(f"{archive}!{name}"))
    if videos and any(NUMBERED.fullmatch(name.rpartition("/")[2]) for name in pictures):
        raise ValueError(
            f"{archive}: holds videos, such as {videos[0]!r}, and numbered pictures, such as "
            f"{pictures[0]!r}. List the videos that you mean, as 'archive.zip!{videos[0]} label'."
        )
    return tuple(videos)


def _first_member(head: bytes) -> str:
    """Returns the name of the first member of an archive, from its first bytes."""
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].decode("utf-8", "replace")

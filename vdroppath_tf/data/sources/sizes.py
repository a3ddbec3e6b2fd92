"""Compares the size of a video file with its headers: a shorter file may be cut short.

Headers are often wrong: a recorder crashed or wrote to a pipe, or text was appended. A difference
is therefore a suspicion that decoding has to confirm, unless the missing part must hold frames.
"""

from __future__ import annotations

import dataclasses
from typing import BinaryIO

from vdroppath_tf.data.sources.zipped_file import file_status, opened

_MP4_STARTS = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_CLUSTER = b"\x1f\x43\xb6\x75"
_AFTER_CLUSTERS = {  # Cues, Tags, Attachments, Chapters, SeekHead, Void
    b"\x1c\x53\xbb\x6b",
    b"\x12\x54\xc3\x67",
    b"\x19\x41\xa4\x69",
    b"\x10\x43\xa7\x70",
    b"\x11\x4d\x9b\x74",
    b"\xec",
}
_UNKNOWN_RIFF = (0, 0xFFFFFFFF)  # written before the size is known
_TS_PACKETS = (188, 192, 204)  # bytes
_TAIL = 1 << 16  # bytes
_MOST_PARTS = 1 << 20  # a file with more boxes, blocks or chunks is not checked further


@dataclasses.dataclass(frozen=True)
class Shortfall:
    """A file that is shorter than its headers say.

    Attributes:
        size: The number of bytes in the file.
        expected: The number of bytes by its headers.
        certain: Whether the missing part holds frames, or data needed to find them.
    """

    size: int
    expected: int
    certain: bool


def find_shortfall(path: str) -> Shortfall | None:
    """Compares a file with its headers and returns what is missing at its end, or None.

    Raises:
        OSError: If the file cannot be read.
    """
    size = file_status(path).st_size
    with opened(path) as file:
        head = file.read(256)
        expected, certain = size, False
        if head[4:8] in _MP4_STARTS:
            expected, certain = _mp4(file, size)
        elif head[:4] == b"RIFF":
            length = int.from_bytes(head[4:8], "little")
            expected = 8 + length if length not in _UNKNOWN_RIFF else size
        elif head[:4] == b"\x1a\x45\xdf\xa3":
            expected, certain = _matroska(file, head, size)
        elif head[:6] in (b"GIF87a", b"GIF89a"):
            expected, certain = _gif(file, head, size)
        elif head[:8] == b"\x89PNG\r\n\x1a\n":
            expected, certain = _png(file, size)
        elif head[:3] == b"\xff\xd8\xff":
            expected, certain = _mjpeg(file, size)
        elif (packet := _transport_packet(head)) and size % packet:
            expected = size + -size % packet
    return Shortfall(size, expected, certain) if size < expected else None


def _transport_packet(head: bytes) -> int:
    """Returns the bytes of an MPEG-TS packet; 0 if a file with these first bytes is not MPEG-TS."""
    starts = {192: 4}  # camcorders put a time before each packet
    found = (n for n in _TS_PACKETS if head[(s := starts.get(n, 0)) : s + n + 1 : n] == b"\x47\x47")
    return next(found, 0)


def _mp4(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Returns where the last top-level box ends, and whether its cut loses frames for certain.

    It does if the box belongs to the index, or is `mdat` in a fragmented file, which has no index.
    """
    place, name, fragments = 0, b"", False
    for _ in range(_MOST_PARTS):
        if place + 8 > size:
            return place, name in (b"moov", b"moof") or (fragments and name == b"mdat")
        file.seek(place)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0 means "to the end of the file"; less is damage, or no box at all
            return size, False
        fragments = fragments or name == b"moof"
        place += length
    return size, False


def _matroska(file: BinaryIO, head: bytes, size: int) -> tuple[int, bool]:
    """Returns where the segment ends; only a cut in the elements behind the frames loses none."""
    length, start = _vint(head, 4)
    segment = start + length
    if head[segment : segment + 4] != b"\x18\x53\x80\x67":
        return size, False
    length, start = _vint(head, segment + 4)
    end = start + length
    if end <= size or length == _unknown(start - segment - 4):  # unknown in live streams
        return size, False
    place, name, clusters = start, b"", False
    while place < size:
        file.seek(place)
        element = file.read(16)
        name = element[:4] if element[:1] != b"\xec" else element[:1]
        length, behind = _vint(element, len(name))
        if behind == len(name) or length == _unknown(behind - len(name)):
            return end, True
        clusters = clusters or name == _CLUSTER
        place += behind + length
    return end, not (clusters and name in _AFTER_CLUSTERS)


def _unknown(width: int) -> int:
    """Returns EBML's number for "unknown" in this many bytes: all ones."""
    return int((1 << 7 * width) - 1)


def _vint(data: bytes, place: int) -> tuple[int, int]:
    """Reads EBML's variable length number at `place`; returns it and the place after it."""
    if place >= len(data) or data[place] == 0:
        return 0, place
    width = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + width], "big") & _unknown(width)
    return value, place + width


def _gif(file: BinaryIO, head: bytes, size: int) -> tuple[int, bool]:
    """Returns where the block at the end of the file ends; only the trailer may be missing."""

    def table(flags: int) -> int:
        return 3 << (flags & 7) + 1 if flags & 0x80 else 0

    place, inside = 13 + table(head[10]) if len(head) > 10 else size + 1, False
    for _ in range(_MOST_PARTS):
        if place >= size:
            return max(place, size + inside), place > size or inside
        file.seek(place)
        block = file.read(10)
        if inside:
            inside = block[0] > 0
            place += 1 + block[0]
        elif block[:1] == b"\x2c" and len(block) == 10:  # an image: header, colours, code size
            place, inside = place + 11 + table(block[9]), True
        elif block[:1] == b"\x21":  # an extension
            place, inside = place + 2, True
        else:  # the trailer, or appended data
            return size, False
    return size, False


def _mjpeg(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Checks that the last of the concatenated pictures ends with an end mark."""
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    cut = tail.rfind(b"\xff\xd9") <= tail.rfind(b"\xff\xd8\xff")
    return size + cut, cut


def _png(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Returns where the chunk at the end of the file ends; without `IEND` one more is missing."""
    place = 8
    for _ in range(_MOST_PARTS):
        if place + 8 > size:
            return max(place, size + 12), True
        file.seek(place)
        head = file.read(8)
        place += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return place, False
    return size, False

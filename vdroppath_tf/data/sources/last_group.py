"""Checks whether the last frame of a stream is whole, if no header gives the length of the file.

MPEG-TS and bare streams have no end mark: they stop where the recorder or the copy stopped. A file
that stops between two frames is valid. One that stops inside a frame is found by decoding: some
decoders mark such a frame as partly made up; others read on into the bytes that follow. The frame
is therefore decoded twice, with different bytes appended: a whole frame stays the same.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import av
import numpy as np

_MOST_PACKETS = 1500  # packets of a group that are kept: about a minute
_BEHIND = (b"\xa5\x13" * 64, b"\x5a\xec" * 64)  # neither contains a start code
_BYTE = 8  # bits


@dataclasses.dataclass
class _Shown:
    """The result of decoding some packets.

    Attributes:
        planes: The first plane of each frame that came with or after the last packet; no other
            frame can show the content of that packet.
        unseen: The pts of packets that gave no frame.
        marked: Whether the frame of the last packet is marked as partly made up.
    """

    planes: list[np.ndarray] = dataclasses.field(default_factory=list)
    unseen: set[int | None] = dataclasses.field(default_factory=set)
    marked: bool = False

    def lacks_only(self, packet: Any) -> bool:
        """Returns whether this is the only packet that gave no frame."""
        return packet.pts is not None and self.unseen == {packet.pts}


class LastGroup:
    """The packets of a stream from its last keyframe on, and from the keyframe before that."""

    def __init__(self) -> None:
        self._before: list[Any] = []
        self._packets: list[Any] = []

    def add(self, packet: Any) -> None:
        """Takes the next packet; an end mark is ignored."""
        if not packet.size:
            return
        if packet.is_keyframe:
            self._before, self._packets = self._packets, []
        elif not self._packets:  # no keyframe yet
            return
        if len(self._packets) <= _MOST_PACKETS:
            self._packets.append(packet)

    @property
    def last_pts(self) -> int | None:
        """The pts of the last frame of the file."""
        return self._packets[-1].pts if self._packets else None

    def is_whole(self, decoder: Any) -> bool:
        """Returns whether the last frame of the file is whole; True if its group is too long.

        Args:
            decoder: The codec context of the stream, at its end.
        """
        packets = self._packets
        if packets and self._ends_before_its_keyframe():
            packets = self._before + packets
        if not packets or len(packets) > _MOST_PACKETS:
            return True
        plain = _decoded(decoder, packets)
        if plain.marked or plain.lacks_only(packets[-1]):
            return False
        one, other = (_decoded(decoder, packets, behind).planes for behind in _BEHIND)
        return len(one) == len(other) and all(map(np.array_equal, one, other))

    def _ends_before_its_keyframe(self) -> bool:
        """Returns whether the last frame is shown before the keyframe that it is stored after."""
        last, start = self._packets[-1].pts, self._packets[0].pts
        return last is not None and start is not None and last < start


def _decoded(decoder: Any, packets: list[Any], behind: bytes = b"") -> _Shown:
    """Decodes packets, with more bytes appended to the last one."""
    last = packets[-1]
    longer = av.Packet(bytes(last) + behind)
    longer.pts, longer.dts, longer.time_base = last.pts, last.dts, last.time_base
    found = _Shown(unseen={packet.pts for packet in packets})
    decoder.flush_buffers()
    for packet in (*packets[:-1], longer, None):
        at_the_end = packet in (longer, None)
        try:
            frames = decoder.decode(packet)
        except av.error.FFmpegError:  # an earlier frame, whose references are missing or damaged
            found.marked = found.marked or at_the_end
            continue
        for frame in frames:
            found.unseen.discard(frame.pts)
            if at_the_end:
                found.planes.append(_first_plane(frame))
            mine = last.pts is not None and frame.pts == last.pts
            found.marked = found.marked or (mine and frame.is_corrupt)
    return found


def _first_plane(frame: Any) -> np.ndarray:
    """Returns the first plane of a frame, which mostly is its brightness."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    each = -(-frame.format.components[0].bits // _BYTE)
    return rows[: plane.height, : plane.width * each].copy()

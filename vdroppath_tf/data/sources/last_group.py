"""Whether the last frame of a stream is whole, where no header says how long the file is.

MPEG-TS and bare streams have no end: they stop where their recorder did, or where a copy broke off.
A file that stops between two frames is sound. One that stops inside a frame is found by decoding:
some decoders mark such a frame, as they made it up in part; others read on in whatever stands
behind it. So it is decoded with other bytes there, twice: a whole frame stays as it is.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import av
import numpy as np

_MOST_PACKETS = 1500  # of a group that is kept: a minute
_BEHIND = (b"\xa5\x13" * 64, b"\x5a\xec" * 64)  # neither has what streams mark beginnings by
_BYTE = 8  # bits


@dataclasses.dataclass
class _Shown:
    """What a decoder shows of some packets.

    Attributes:
        planes: of each frame that came with the last packet or behind it: no other can show what
            that packet holds.
        unseen: the pts of packets that no frame came of.
        marked: whether the frame of the last packet is marked as made up in part.
    """

    planes: list[np.ndarray] = dataclasses.field(default_factory=list)
    unseen: set[int | None] = dataclasses.field(default_factory=set)
    marked: bool = False

    def lacks_only(self, packet: Any) -> bool:
        """Whether this is the one packet that no frame came of."""
        return packet.pts is not None and self.unseen == {packet.pts}


class LastGroup:
    """The packets of a stream from its last keyframe on, and from the one before."""

    def __init__(self) -> None:
        self._before: list[Any] = []
        self._packets: list[Any] = []

    def add(self, packet: Any) -> None:
        """Takes the next packet; an end mark is left out."""
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
        """When the last frame of the file is shown."""
        return self._packets[-1].pts if self._packets else None

    def is_whole(self, decoder: Any) -> bool:
        """Whether the last frame of the file is whole; True where that is too much to decode.

        Args:
            decoder: the codec context of the stream, at its end.
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
        """Whether the last frame of the file is shown before the keyframe it is stored behind."""
        last, start = self._packets[-1].pts, self._packets[0].pts
        return last is not None and start is not None and last < start


def _decoded(decoder: Any, packets: list[Any], behind: bytes = b"") -> _Shown:
    """What a decoder shows of packets, with more bytes behind the last one."""
    last = packets[-1]
    longer = av.Packet(bytes(last) + behind)
    longer.pts, longer.dts, longer.time_base = last.pts, last.dts, last.time_base
    found = _Shown(unseen={packet.pts for packet in packets})
    decoder.flush_buffers()
    for packet in (*packets[:-1], longer, None):
        at_the_end = packet in (longer, None)
        try:
            frames = decoder.decode(packet)
        except av.error.FFmpegError:  # of an earlier one: not there to build on, or a hole
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
    """The brightness of a frame, or what its format has first."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    each = -(-frame.format.components[0].bits // _BYTE)
    return rows[: plane.height, : plane.width * each].copy()

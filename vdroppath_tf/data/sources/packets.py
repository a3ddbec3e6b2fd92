"""Facts about the frames of a video file from its packets, without decoding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from vdroppath_tf.data.sources.container import packets_of
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.shown import too_many


@dataclasses.dataclass
class Packets:
    """The packets of a stream in the order of the file.

    Attributes:
        timed: Whether the container stores every pts: then a packet without one is not shown.
        pts: The pts of the packets that are shown.
        keys: The pts of those packets at which decoding can start.
        count: The number of all packets, including those outside the edit list, which are decoded
            but never shown.
        reordered: Whether frames are shown in another order than they are stored.
        keyed: Whether decoding can start at the first packet.
        begins: Whether decoding can start at the first packet and no packet before the next
            keyframe is shown earlier: those would refer to missing frames.
        damaged: The number of the first packet that the file does not hold in full, or None.
        last_dts: The decoding time of the last packet that is shown.
    """

    timed: bool
    pts: list[int | None] = dataclasses.field(default_factory=list)
    keys: list[int] = dataclasses.field(default_factory=list)
    count: int = 0
    reordered: bool = False
    keyed: bool = False
    begins: bool = False
    damaged: int | None = None
    last_dts: int | None = None
    _first: int | None = None
    _start: int | None = None
    _at_the_beginning: bool = True

    def add(self, packet: Any) -> None:
        """Takes the next packet."""
        if packet.is_corrupt and self.damaged is None:
            self.damaged = self.count
        if self._at_the_beginning:
            self._look_at_the_beginning(packet)
        self.count += 1
        if packet.is_discard:
            return
        pts, dts = packet.pts, packet.dts
        self.pts.append(pts)
        self.reordered = self.reordered or pts != dts
        self.last_dts = dts
        if packet.is_keyframe and pts is not None:
            self.keys.append(pts)

    def leave_out(self, pts: int | None) -> None:
        """Removes the last packet, whose frame is not whole."""
        self.pts.remove(pts)
        if pts in self.keys:
            self.keys.remove(pts)

    def starts_with(self, shown: int | None) -> bool:
        """Returns whether the first frame that a decoder shows is the first by pts.

        It is not if decoding can start at a packet, but frames become whole only later (intra
        refresh).
        """
        return shown is None or self._start is None or shown <= self._start

    def _look_at_the_beginning(self, packet: Any) -> None:
        pts, key = packet.pts, packet.is_keyframe
        if self.count == 0:
            self.keyed = self.begins = key
            self._first = pts
        elif key:
            self._at_the_beginning = False
            return
        if packet.is_discard:
            return
        if self._first is not None:
            earlier = pts < self._first if pts is not None else self.timed
            self.begins = self.begins and not earlier
        if pts is not None and (self._start is None or pts < self._start):
            self._start = pts


def read_packets(
    path: str,
    container: Any,
    stream: Any,
    looks: Sequence[Callable[[Any], None]],
    timed: bool,
) -> Packets:
    """Reads all packets of a stream; calls each of `looks` with every packet and the end mark."""
    found = Packets(timed)
    for packet in packets_of(container, stream):
        for look in looks:
            look(packet)
        if packet.size == 0:  # the demuxer's end mark
            continue
        found.add(packet)
        if found.count > MAX_FRAMES:
            raise too_many(path)
    return found

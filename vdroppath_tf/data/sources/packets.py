"""What the packets of a video file say of its frames: nothing is decoded."""

from __future__ import annotations

import dataclasses
from typing import Any

from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.shown import too_many


@dataclasses.dataclass
class Packets:
    """The packets of a stream in the order of the file.

    Attributes:
        pts: of those that are shown.
        keys: pts of those of them that decoding can start at.
        count: of all, also those outside the edit list: decoded, never shown.
        reordered: whether frames are shown in another order than they are stored.
        keyed: whether decoding can start at the first.
        begins: whether decoding can start at the first and no packet before the next keyframe is
            shown earlier: those would build on frames that are not there.
        damaged: number of the first that the file does not hold in full; None if there is none.
    """

    pts: list[int | None] = dataclasses.field(default_factory=list)
    keys: list[int] = dataclasses.field(default_factory=list)
    count: int = 0
    reordered: bool = False
    keyed: bool = False
    begins: bool = False
    damaged: int | None = None
    _first: int | None = None
    _start: int | None = None
    _at_the_beginning: bool = True

    def add(self, packet: Any) -> None:
        """Takes the next packet."""
        if packet.is_corrupt and self.damaged is None:
            self.damaged = self.count
        self._look_at_the_beginning(packet)
        self.count += 1
        if packet.is_discard:
            return
        self.pts.append(packet.pts)
        if self._at_the_beginning and packet.pts is not None:
            self._start = packet.pts if self._start is None else min(self._start, packet.pts)
        self.reordered = self.reordered or packet.pts != packet.dts
        if packet.is_keyframe and packet.pts is not None:
            self.keys.append(packet.pts)

    def starts_with(self, shown: int | None) -> bool:
        """Whether the first frame that a decoder shows is the first by pts.

        It is not where decoding can start at a packet, but has to go on for a while before a frame
        is whole (intra refresh).
        """
        return shown is None or self._start is None or shown <= self._start

    def _look_at_the_beginning(self, packet: Any) -> None:
        if self.count == 0:
            self.keyed = self.begins = packet.is_keyframe
            self._first = packet.pts
        elif packet.is_keyframe:
            self._at_the_beginning = False
        elif self._at_the_beginning and not packet.is_discard and self._first is not None:
            self.begins = self.begins and packet.pts is not None and packet.pts >= self._first


def read_packets(path: str, container: Any, stream: Any, look: Any) -> Packets:
    """Reads all packets of a stream; `look` sees each of them, and the end mark."""
    found = Packets()
    for packet in container.demux(stream):
        look(packet)
        if packet.size == 0:  # the demuxer's end mark
            continue
        found.add(packet)
        if found.count > MAX_FRAMES:
            raise too_many(path)
    return found

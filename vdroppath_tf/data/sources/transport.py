"""MPEG-TS whose packets do not follow each other: joined out of whole files, or with a hole.

Each packet of a stream carries a number, one more than that of the packet before (4 bits). Where
it jumps, packets were lost, or another recording begins, and FFmpeg marks a frame nearby as
damaged in either case. What a recording begins with tells the two apart.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from vdroppath_tf.data.sources.zipped_file import opened, split_zip

_SYNC = 0x47
_PACKET = 188  # bytes; a time may stand before each (192 in all) or a check behind it (204)
_STEPS = (188, 192, 204)
_IN_A_ROW = 5  # packets that are enough to know where packets begin
_SEARCH = 1 << 16  # bytes
_TAIL = 1 << 22  # bytes


@dataclasses.dataclass(frozen=True)
class Jump:
    """A place where the numbers of a stream's packets jump.

    Attributes:
        place: byte at which the packet behind it begins, as FFmpeg counts.
        frame_starts: whether a frame starts there.
        program_starts: whether a new table of programs stands between the packets: its number
            jumps too.
    """

    place: int
    frame_starts: bool
    program_starts: bool


@dataclasses.dataclass(frozen=True)
class TransportStream:
    """The packets of one file.

    Attributes:
        jumps: where those of the video do not follow each other.
        cut_inside: whether the file ends inside the packet of the video that was to come next.
    """

    jumps: tuple[Jump, ...]
    cut_inside: bool


def read_transport_stream(path: str, number: int) -> TransportStream:
    """Reads the head of every packet.

    Args:
        path: the file.
        number: the one by which packets of the video are known (PID).
    """
    data = _bytes(path)
    places, step = _places(data)
    tail = data[int(places[-1]) :] if len(places) else data[:0]
    complete = len(tail) >= _PACKET
    if not complete:
        places = places[:-1]
    heads = np.stack([data[places + k] for k in range(4)], -1).astype(np.int64)
    pids = (heads[:, 1] & 0x1F) << 8 | heads[:, 2]
    video = np.flatnonzero((pids == number) & (heads[:, 3] & 0x10 > 0))
    counters = heads[video, 3] & 0xF
    jumps = np.flatnonzero((np.diff(counters) & 0xF) != 1)
    tables = np.flatnonzero(pids == 0)
    numbers = heads[tables, 3] & 0xF
    found = []
    for jump in jumps.tolist():
        before, behind = int(video[jump]), int(video[jump + 1])
        at = int(np.searchsorted(tables, before))
        new = at < len(tables) and int(tables[at]) < behind
        follows = at > 0 and new and (int(numbers[at]) - int(numbers[at - 1])) & 0xF == 1
        place = int(places[behind]) - (step - _PACKET)
        found.append(Jump(place, bool(heads[behind, 1] & 0x40), new and not follows))
    last = int(counters[-1]) if len(counters) else None
    return TransportStream(tuple(found), not complete and _is_next(tail, number, last))


def ends_with_a_full_packet(path: str, number: int) -> bool:
    """Whether the last packet of the video has no room left, so that its frame may go on.

    A frame begins with a packet of its own, so the last packet of the one before is filled up with
    nothing, unless its bytes happen to fill it.

    Args:
        path: the file.
        number: the one by which packets of the video are known (PID).
    """
    with opened(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        data = np.frombuffer(file.read(), np.uint8)
    places, _ = _places(data)
    for place in reversed(places.tolist()):
        packet = data[place : place + _PACKET].tolist()
        if len(packet) < _PACKET or not packet[3] & 0x10:
            continue
        if (packet[1] & 0x1F) << 8 | packet[2] == number:
            return not (packet[3] & 0x20 and _is_filled_up(packet[4:]))
    return False


def _is_filled_up(field: list[int]) -> bool:
    """Whether an adaptation field has bytes that say nothing."""
    length, flags = field[0], field[1]
    if length == 0:
        return True  # one byte, this one
    used = 1 + 6 * bool(flags & 0x10) + 6 * bool(flags & 0x08) + bool(flags & 0x04)
    for mark in (0x02, 0x01):  # private data and an extension, which say how long they are
        if flags & mark and used < length:
            used += 1 + field[1 + used]
    return used < length


def _bytes(path: str) -> np.ndarray:
    """The bytes of a file, read where they are asked for; those of a member of a zip at once."""
    if split_zip(path) is None:
        return np.memmap(path, np.uint8, "r")
    with opened(path) as file:
        return np.frombuffer(file.read(), np.uint8)


def _is_next(tail: np.ndarray, number: int, last: int | None) -> bool:
    """Whether the first bytes of a packet are those of the one that was to come next."""
    if len(tail) < 4:
        return len(tail) > 0  # it could be any
    head = [int(byte) for byte in tail[:4]]
    of_video = (head[1] & 0x1F) << 8 | head[2] == number
    return of_video and (last is None or head[3] & 0xF == (last + 1) & 0xF)


def _places(data: np.ndarray) -> tuple[np.ndarray, int]:
    """Where packets begin, the last perhaps not whole, and how far apart they are."""
    runs: list[np.ndarray] = []
    place, step = _search(data, 0, _STEPS)
    while place < len(data):
        marks = data[place::step] == _SYNC
        count = len(marks) if marks.all() else int(np.argmin(marks))
        runs.append(place + step * np.arange(count))
        place += step * count
        if place < len(data):
            place, _ = _search(data, place, (step,))
    return np.concatenate(runs) if runs else np.zeros(0, np.int64), step


def _search(data: np.ndarray, start: int, steps: tuple[int, ...]) -> tuple[int, int]:
    """The next place from which packets follow each other; the end of the file if there is none."""
    while start < len(data):
        marks = data[start : start + _SEARCH + _IN_A_ROW * max(steps)] == _SYNC
        for step in steps:
            good = marks[: max(0, len(marks) - (_IN_A_ROW - 1) * step)].copy()
            for k in range(1, _IN_A_ROW):
                good &= marks[k * step : k * step + len(good)]
            if good.any():
                return start + int(np.argmax(good)), step
        start += _SEARCH
    return len(data), steps[0]


def is_joined(stream: TransportStream, packets: Sequence[tuple[int, bool, int | None]]) -> bool:
    """Whether a recording begins at each jump that matters.

    Args:
        stream: what was read of the file.
        packets: of each frame in the order of the file its place, whether decoding can start at
            it, and its decoding time.

    Returns:
        False if packets are missing behind the first frame that decoding can start at.
    """
    places = np.asarray([place for place, _, _ in packets], np.int64)
    keys = np.asarray([key for _, key, _ in packets], bool)
    times = np.asarray([-np.inf if time is None else time for _, _, time in packets])
    latest = np.maximum.accumulate(times)
    first = places[np.argmax(keys)]
    for jump in stream.jumps:
        if jump.place <= first:
            continue
        at = int(np.searchsorted(places, jump.place))
        found = at < len(places) and places[at] == jump.place and keys[at]
        if not (found and jump.frame_starts):
            return False
        if not (jump.program_starts or times[at] <= latest[at - 1]):
            return False
    return True

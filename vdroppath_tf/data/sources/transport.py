"""MPEG-TS files whose packets are not consecutive: joined from whole files, or with a gap.

Each packet of a stream has a 4-bit counter, one more than that of the previous packet. Where it
jumps, packets were lost or another recording begins; FFmpeg marks a nearby frame as damaged in
either case. The first packets of a recording distinguish the two.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from vdroppath_tf.data.sources.zipped_file import opened, split_zip

_SYNC = 0x47
_PACKET = 188  # bytes; a time may precede each (192 in all) or a checksum follow it (204)
_STEPS = (188, 192, 204)
_IN_A_ROW = 5  # consecutive sync bytes that establish where packets begin
_SEARCH = 1 << 16  # bytes
_TAIL = 1 << 22  # bytes


@dataclasses.dataclass(frozen=True)
class Jump:
    """A place where the counter of a stream's packets jumps.

    Attributes:
        place: The byte at which the next packet begins, as FFmpeg counts.
        frame_starts: Whether a frame starts there.
        program_starts: Whether a new program table stands between the packets, i.e. its counter
            jumps too.
    """

    place: int
    frame_starts: bool
    program_starts: bool


@dataclasses.dataclass(frozen=True)
class TransportStream:
    """The packets of one file.

    Attributes:
        jumps: The places where the packets of the video are not consecutive.
        cut_inside: Whether the file ends inside the next packet of the video.
    """

    jumps: tuple[Jump, ...]
    cut_inside: bool


def read_transport_stream(path: str, number: int) -> TransportStream:
    """Reads the header of every packet.

    Args:
        path: The file.
        number: The identifier of the video's packets (PID).
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
    """Returns whether the last packet of the video is full, so that its frame may be incomplete.

    A frame begins with a new packet, so the last packet of a frame is padded unless its bytes
    happen to fill it.

    Args:
        path: The file.
        number: The identifier of the video's packets (PID).
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
    """Returns whether an adaptation field has padding."""
    length, flags = field[0], field[1]
    if length == 0:
        return True  # one byte of padding, this one
    used = 1 + 6 * bool(flags & 0x10) + 6 * bool(flags & 0x08) + bool(flags & 0x04)
    for mark in (0x02, 0x01):  # private data and an extension, each preceded by its length
        if flags & mark and used < length:
            used += 1 + field[1 + used]
    return used < length


def _bytes(path: str) -> np.ndarray:
    """Returns the bytes of a file, read on access; those of a zip member are read at once."""
    if split_zip(path) is None:
        return np.memmap(path, np.uint8, "r")
    with opened(path) as file:
        return np.frombuffer(file.read(), np.uint8)


def _is_next(tail: np.ndarray, number: int, last: int | None) -> bool:
    """Returns whether the first bytes of a packet are those of the video's next packet."""
    if len(tail) < 4:
        return len(tail) > 0  # too short to exclude it
    head = [int(byte) for byte in tail[:4]]
    of_video = (head[1] & 0x1F) << 8 | head[2] == number
    return of_video and (last is None or head[3] & 0xF == (last + 1) & 0xF)


def _places(data: np.ndarray) -> tuple[np.ndarray, int]:
    """Finds where packets begin, the last one perhaps incomplete, and their distance."""
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
    """Returns the next place where packets follow each other, or the end of the file."""
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
    """Returns whether a recording begins at each jump that matters.

    Args:
        stream: The packets of the file.
        packets: For each frame in file order, its place, whether decoding can start at it, and its
            decoding time.

    Returns:
        False if packets are missing after the first frame at which decoding can start.
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

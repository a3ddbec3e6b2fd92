"""Parses untrusted protocol buffers: fields by number, with bounds, without a schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields the number, the first byte and the byte after the last of each field of a message.

    Args:
        data: The bytes that hold the message.
        start, end: The place of the message.

    Raises:
        ValueError: If it is not a message, or does not end there.
    """
    place = start
    while place < end:
        key, place = varint(data, place, end)
        number, kind = key >> 3, key & 7
        first = place
        if kind == _BYTES:
            length, first = varint(data, place, end)
            place = first + length
        elif kind == _VARINT:
            _, place = varint(data, place, end)
        elif kind in (_FIXED64, _FIXED32):
            place += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind} at byte {first}")
        if not number or place > end:
            raise ValueError(f"a field that ends at byte {place} of {end}")
        yield number, first, place


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Reads a number with seven bits in each byte; returns it and the place after it."""
    value = shift = 0
    while place < end and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError(f"a number without an end at byte {place}")


def features(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yields name and place of the value of each entry of `Features` or `FeatureLists`."""
    for number, first, last in fields(data, start, end):
        if number == 1:
            parts = {part: (a, b) for part, a, b in fields(data, first, last)}
            name, value = parts.get(1, (0, 0)), parts.get(2, (0, 0))
            yield data[slice(*name)].decode("utf-8", "replace"), *value


def values(data: bytes, start: int, end: int) -> list[int] | list[float] | list[bytes]:
    """Returns the values of a `Feature`.

    Raises:
        ValueError: If it holds something else.
    """
    kinds = {number: place for number, *place in fields(data, start, end)}
    kind = next((number for number in kinds if number in (1, 2, 3)), None)
    if kind is None:
        return []
    inside = [(a, b) for number, a, b in fields(data, *kinds[kind]) if number == 1]
    if kind == 1:
        return [data[a:b] for a, b in inside]
    if kind == 3:
        return [number for a, b in inside for number in _varints(data, a, b)]
    whole = b"".join(data[a:b] for a, b in inside)
    return [*struct.unpack(f"<{len(whole) // 4}f", whole[: len(whole) // 4 * 4])]


def _varints(data: bytes, place: int, end: int) -> Iterator[int]:
    while place < end:
        value, place = varint(data, place, end)
        yield value - (1 << 64) if value >> 63 else value

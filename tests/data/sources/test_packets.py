"""Packets as PyAV gives them where streams appear on the way, and frames are repeated."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from vdroppath_tf.data.sources.container import packets_of


def _packet(number: int, size: int, time: int | None = None) -> Any:
    # PyAV's end marks have number 0 in stream_index, whatever stream they are of.
    return SimpleNamespace(
        size=size,
        pts=time,
        dts=time,
        stream_index=number if size else 0,
        stream=SimpleNamespace(index=number),
    )


class _Container:
    """Gives packets of a stream that nobody asked for, has no end mark for it, and repeats."""

    format = SimpleNamespace(name="mov")

    def demux(self, stream: Any) -> Iterator[Any]:
        yield _packet(1, 10, 0)
        yield _packet(2, 11, 0)
        yield _packet(1, 0, 1)
        yield _packet(1, 12, 2)
        yield _packet(1, 0)
        raise IndexError("list index out of range")


def test_streams_that_appear_on_the_way() -> None:
    stream = SimpleNamespace(index=1)
    assert [packet.size for packet in packets_of(_Container(), stream)] == [10, 12, 0]

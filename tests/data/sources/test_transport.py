"""Packets of MPEG-TS: whether the last one of the video has padding, as that of a whole frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from vdroppath_tf.data.sources.transport import ends_with_a_full_packet

VIDEO, SOUND, TABLE = 256, 257, 0


def packet(number: int, field: bytes | None = None) -> bytes:
    """A packet with this PID; a field before its data may hold padding, or what fills it."""
    head = bytes([0x47, number >> 8, number & 0xFF, 0x10 if field is None else 0x30])
    before = b"" if field is None else bytes([len(field)]) + field
    return (head + before).ljust(188, b"\x01")


@pytest.mark.parametrize(
    ("last", "full"),
    [
        (packet(VIDEO), True),
        (packet(VIDEO, b""), False),  # the length of the field, 0, is itself the padding
        (packet(VIDEO, b"\0" + b"\xff" * 20), False),
        (packet(VIDEO, b"\x10" + bytes(6)), True),  # a clock
        (packet(VIDEO, b"\x10" + bytes(6) + b"\xff"), False),
        (packet(VIDEO, b"\x02\x03abc"), True),  # private data
        (packet(VIDEO, b"\x02\x03abc\xff"), False),
        (packet(VIDEO, b"\x01\x02ab"), True),  # an extension
    ],
)
@pytest.mark.parametrize("after", [b"", packet(SOUND, b""), packet(TABLE)])
def test_the_last_packet_of_the_video(
    last: bytes, full: bool, after: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(packet(TABLE) + packet(VIDEO) * 4 + last + after)
    assert ends_with_a_full_packet(str(path), VIDEO) is full


def test_a_file_without_packets_of_the_video(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(packet(SOUND) * 6)
    assert not ends_with_a_full_packet(str(tmp_path / "a.ts"), VIDEO)

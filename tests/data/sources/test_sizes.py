"""Headers that say how long a file is: what is missing at its end, and when it is certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from vdroppath_tf.data.sources import sizes
from vdroppath_tf.data.sources.sizes import Shortfall, find_shortfall

GIF = b"GIF89a" + bytes(7) + b"\x21\xf9\x04" + bytes(4)
PNG = b"\x89PNG\r\n\x1a\n"
EBML, SEGMENT, CLUSTER = b"\x1a\x45\xdf\xa3\x80", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"


def box(name: bytes, size: int, *, wide: bool = False) -> bytes:
    """A box of mp4 of this size, its header included; `wide` writes the size in 64 bits."""
    if wide:
        return (1).to_bytes(4, "big") + name + size.to_bytes(8, "big") + bytes(size - 16)
    return size.to_bytes(4, "big") + name + bytes(size - 8)


def chunk(name: bytes, size: int) -> bytes:
    return size.to_bytes(4, "big") + name + bytes(size + 4)


@pytest.mark.parametrize(
    ("data", "missing", "certain"),
    [
        (box(b"ftyp", 16) + box(b"mdat", 40), 0, False),
        (box(b"ftyp", 16) + box(b"mdat", 40)[:-9], 9, False),
        (box(b"ftyp", 16) + box(b"moov", 40)[:-9], 9, True),
        (box(b"ftyp", 16) + box(b"mdat", 40, wide=True)[:-9], 9, False),
        (box(b"ftyp", 16) + box(b"moof", 16) + box(b"mdat", 40, wide=True)[:-9], 9, True),
        (box(b"ftyp", 16) + bytes(40), 0, False),  # a box "to the end of the file"
        (EBML + b"no segment", 0, False),
        (EBML + SEGMENT + b"\xff" + CLUSTER + b"\x8a" + bytes(3), 0, False),  # a live stream
        (EBML + SEGMENT + b"\x8f" + CLUSTER + b"\x8a" + bytes(3), 7, True),
        (EBML + SEGMENT + b"\x8f" + CLUSTER + b"\xff" + bytes(3), 7, True),  # of unknown size
        (EBML + SEGMENT + b"\x8f" + CLUSTER + b"\x82\0\0\xec\x86" + bytes(3), 3, False),
        (EBML + SEGMENT + b"\x86" + CLUSTER, 2, True),  # its size is missing
        (PNG + chunk(b"IHDR", 13) + chunk(b"IEND", 0), 0, False),
        (PNG + chunk(b"IHDR", 13), 12, True),
        (GIF + b"\0;", 0, False),
        (GIF[:-2], 2, True),
    ],
)  # fmt: skip
def test_what_is_missing(data: bytes, missing: int, certain: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    found = find_shortfall(str(tmp_path / "file"))
    assert found == (Shortfall(len(data), len(data) + missing, certain) if missing else None)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", 16) + box(b"free", 16) * 3 + box(b"moov", 40)[:-9],
        PNG + chunk(b"tEXt", 2) * 4,
        (GIF + b"\0" + b"\x21\xfe\x01a\0" * 3)[:-1],
    ],
)
def test_a_file_of_very_many_parts_is_not_followed(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(data)
    assert find_shortfall(str(tmp_path / "file")) is not None
    monkeypatch.setattr(sizes, "_MOST_PARTS", 3)
    assert find_shortfall(str(tmp_path / "file")) is None

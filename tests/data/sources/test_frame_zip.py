"""Zip archives of frames: read in place, exact, and nothing prepared gets through."""

from __future__ import annotations

import os
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from exact_source import check_exact, numbers
from pictures import barcodes, jpeg

from vdroppath_tf.data.sources import zip_members, zip_packing
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.data.sources.zip import FrameZip

COUNT = 12


def write(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> str:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def frames(template: str = "img_{:05d}.jpg") -> dict[str, bytes]:
    return {template.format(k + 1): data for k, data in enumerate(barcodes(COUNT))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "RGB_frames.zip"


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("template", ["img_{:05d}.jpg", "RGB_frames/{:d}.jpg", "a/b é/{:06d}.jpg"])
def test_exact_frames(path: Path, template: str, method: int) -> None:
    write(path, frames(template), method=method)
    before = sorted(path.parent.rglob("*"))
    check_exact(FrameZip(str(path)), COUNT)
    check_exact(FrameZip(str(path), template.split("/")[-1]), COUNT)
    assert sorted(path.parent.rglob("*")) == before  # nothing was extracted


def test_entries_for_folders_are_no_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("RGB_frames/"), b"")
        for name, data in frames("RGB_frames/{:05d}.jpg").items():
            archive.writestr(name, data)
    check_exact(FrameZip(str(path)), COUNT)


def test_any_order_in_the_archive(path: Path) -> None:
    write(path, dict(reversed(frames().items())))
    check_exact(FrameZip(str(path)), COUNT)


def test_frames_from_zero(path: Path) -> None:
    write(path, {f"{k:05d}.jpg": data for k, data in enumerate(barcodes(COUNT))})
    check_exact(FrameZip(str(path), first=0), COUNT)
    check_exact(FrameZip(str(path)), COUNT)
    with pytest.raises(VideoError, match="Set first=0"):
        FrameZip(str(path), first=1).info()


def test_a_gap_is_named(path: Path) -> None:
    members = frames()
    del members["img_00004.jpg"]
    source = FrameZip(write(path, members))
    with pytest.raises(VideoError, match=r"RGB_frames.zip: 'img_00004.jpg' is missing"):
        source.info()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../img_00013.jpg", "has an absolute path, or one with"),
        ("a/../../img_00013.jpg", "has an absolute path, or one with"),
        ("/etc/img_00013.jpg", "has an absolute path, or one with"),
        ("..\\img_00013.jpg", "has an absolute path, or one with"),
        ("C:img_00013.jpg", "has an absolute path, or one with"),
        ("../", "has an absolute path, or one with"),
        ("run.sh", "is not a picture"),
        ("img_00013.zip", "is not a picture"),
        ("other/img_00013.jpg", "several folders"),
        ("photo.jpg", "has no frame number"),
        ("photo_1.jpg", "of 2 kinds"),
    ],
)
def test_members_with_other_names(path: Path, name: str, message: str) -> None:
    source = FrameZip(write(path, {**frames(), name: b"x"}))
    with pytest.raises(VideoError, match=message) as raised:
        source.info()
    assert str(raised.value).startswith(f"{path}: ")


def test_the_same_name_twice(path: Path) -> None:
    write(path, frames())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("img_00003.jpg", b"another")
    with pytest.raises(VideoError, match=r"member 'img_00003.jpg' is there twice"):
        FrameZip(str(path)).info()


def test_a_bomb_by_its_ratio(path: Path) -> None:
    bomb = jpeg(np.zeros((8, 8, 3), np.uint8)) + bytes(4_000_000)
    write(path, {**frames(), "img_00013.jpg": bomb}, method=zipfile.ZIP_DEFLATED)
    with pytest.raises(VideoError, match=r"'img_00013.jpg' is declared to grow from"):
        FrameZip(str(path)).info()


@pytest.mark.parametrize("method", METHODS)
def test_a_bomb_that_lies_about_its_size(
    path: Path, method: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is unpacked is what the list declares and one byte, whatever it would grow to."""
    write(path, {"img_00001.jpg": frames()["img_00001.jpg"] + bytes(40_000_000)}, method=method)
    _patch(path, "img_00001.jpg", SIZE, "<I", 5_000)
    unpack, taken = zip_packing.unpack, []

    def watched(data: bytes, method: int, size: int) -> bytes:
        taken.append(unpack(data, method, size))
        return taken[-1]

    monkeypatch.setattr(zip_members, "unpack", watched)
    with pytest.raises(VideoError, match=r"differs from its declared 5000 bytes|bytes, more than"):
        FrameZip(str(path)).info()
    assert method == zipfile.ZIP_STORED or [len(data) for data in taken] == [5_001]


def test_damaged_settings_of_lzma(path: Path) -> None:
    write(path, frames(), method=zipfile.ZIP_LZMA)
    whole = path.read_bytes()
    place = whole.index(b"img_00001.jpg") + len(b"img_00001.jpg")
    for bad in (b"\x09\x04\x06\0", b"\x09\x04\x05\0\xff", b"\x09\x04\x05\0\x03"):
        path.write_bytes(whole[:place] + bad + whole[place + len(bad) :])
        with pytest.raises(VideoError, match=r"'img_00001.jpg'"):
            FrameZip(str(path)).info()


def _patch(path: Path, name: str, field: int, layout: str, value: int) -> None:
    """Changes a field of a member's entry in the archive's list."""
    data = bytearray(path.read_bytes())
    entry = data.rindex(name.encode()) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into(layout, data, entry + field, value)
    path.write_bytes(data)


FLAGS, METHOD, CRC, PACKED, SIZE, OFFSET = 8, 10, 16, 20, 24, 42


@pytest.mark.parametrize(
    ("field", "layout", "value", "message"),
    [
        (FLAGS, "<H", 1, "is encrypted"),
        (METHOD, "<H", 93, "compressed by Zstandard; expected stored, deflated, bzip2, LZMA"),
        (METHOD, "<H", 17, "compressed by method 17"),
        (SIZE, "<I", 1 << 30, "declares 1073741824 bytes, more than"),
        (PACKED, "<I", 1 << 30, "bytes, more than"),
        (OFFSET, "<I", 1 << 31, "outside the file"),
        (PACKED, "<I", 1 << 22, "overlap"),
    ],
)
def test_lists_that_cannot_be(
    path: Path, field: int, layout: str, value: int, message: str
) -> None:
    write(path, frames())
    _patch(path, "img_00003.jpg", field, layout, value)
    with pytest.raises(VideoError, match=message):
        FrameZip(str(path)).info()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (SIZE, 100, "its declared 100 bytes"),  # the member is longer than it says
        (SIZE, 10_000, "its declared 10000 bytes"),
        (CRC, 1, "bytes or checksum"),
        (OFFSET, 0, "is not where the list of members"),
        (PACKED, 300, "differs from its declared"),
    ],
)
def test_lists_that_lie(path: Path, method: int, field: int, value: int, message: str) -> None:
    """Other frames can still be read; never is more unpacked than the list says."""
    write(path, frames(), method=method)
    _patch(path, "img_00003.jpg", field, "<I", value)
    source = FrameZip(str(path))
    assert numbers(source.read([0, 11])) == [0, 11]
    with pytest.raises(VideoError, match=message) as raised:
        source.read([2])
    assert str(raised.value).startswith(f"{path}: ")


def test_one_flipped_bit_is_found(path: Path) -> None:
    """Decoders cannot see this; the archive's checksum does."""
    write(path, frames())
    data = bytearray(path.read_bytes())
    place = data.index(b"img_00006.jpg")
    data[place + 700] ^= 1
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"'img_00006.jpg' differs"):
        FrameZip(str(path)).read(range(COUNT))


def test_archives_cut_short_anywhere(path: Path) -> None:
    write(path, frames())
    whole = path.read_bytes()
    for keep in [*range(1, len(whole), len(whole) // 40), len(whole) - 1]:
        path.write_bytes(whole[:keep])
        with pytest.raises(VideoError, match=r"RGB_frames.zip: is a damaged archive"):
            FrameZip(str(path)).info()


@pytest.mark.parametrize("kind", ["missing", "folder", "no bytes", "no members", "text"])
def test_no_archive(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "no members":
        write(path, {})
    elif kind != "missing":
        path.write_bytes(b"" if kind == "no bytes" else b"text" * 100)
    with pytest.raises(VideoError) as raised:
        FrameZip(str(path)).validate()
    assert str(raised.value).startswith(f"{path}: ")


def test_too_long_a_list_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, frames())
    monkeypatch.setattr(zip_members, "MAX_LIST", 100)
    with pytest.raises(VideoError, match="too large"):
        FrameZip(str(path)).info()


def test_a_replaced_archive_is_looked_at_again(path: Path) -> None:
    source = FrameZip(write(path, frames()))
    assert source.info().num_frames == COUNT
    write(path, dict([*frames().items()][:5]))
    os.utime(path, ns=(1, 1))
    assert source.info().num_frames == 5
    assert numbers(source.read([4])) == [4]


def test_threads_read_many_archives(tmp_path: Path) -> None:
    sources = [FrameZip(write(tmp_path / f"{k}.zip", frames())) for k in range(4)]
    wanted = [[k % COUNT, (k * 7) % COUNT] for k in range(80)]
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda k: numbers(sources[k % 4].read(wanted[k])), range(80))
    assert [*read] == wanted


def video_in(path: Path, name: str = "img_00003.jpg") -> VideoFile:
    """A member as a video file: it is found and unpacked without reading the others."""
    return VideoFile(f"{path}!{name}")


@pytest.mark.parametrize(
    ("field", "layout", "value", "message"),
    [
        (FLAGS, "<H", 1, "it is encrypted. Write the archive again, or unpack it"),
        (OFFSET, "<I", 1, "the file is not where its list says"),
        (PACKED, "<I", 300, "a file that is stored has two sizes"),
    ],
)
def test_a_video_that_is_not_as_the_list_says(
    path: Path, field: int, layout: str, value: int, message: str
) -> None:
    write(path, frames())
    _patch(path, "img_00003.jpg", field, layout, value)
    with pytest.raises(VideoError, match=rf"zip!img_00003\.jpg: .*{message}"):
        video_in(path).info()


def test_two_videos_of_the_same_name(path: Path) -> None:
    write(path, {"a.mp4": b"1", "b.mp4": b"2"})
    path.write_bytes(path.read_bytes().replace(b"b.mp4", b"a.mp4"))
    with pytest.raises(VideoError, match=r"has two files with the same name. Write it again"):
        video_in(path, "a.mp4").info()


def with_zip64(path: Path, length: int, *, at: int = 0) -> None:
    """Gives an archive the end records of a large one; `at` moves the first out of its place."""
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    many, size, start = struct.unpack("<HII", data[end + 10 : end + 20])
    large = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, many, many, length or size, start
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end + at, 1)
    path.write_bytes(data[:end] + large + locator + data[end:])


def test_the_end_records_of_large_archives(path: Path) -> None:
    write(path, frames())
    with_zip64(path, 0)
    with pytest.raises(VideoError, match=r"img_00003\.jpg: .*not a video"):
        video_in(path).info()  # it was found: a picture is no video
    for length, at, message in (
        (1 << 40, 0, "list of files has 1099511627776 bytes, more than"),
        (0, 3, "its end record leads nowhere"),
    ):
        write(path, frames())
        with_zip64(path, length, at=at)
        with pytest.raises(VideoError, match=message):
            video_in(path).info()

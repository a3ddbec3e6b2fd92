"""Which files are videos where no list names them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import av
import barcode
import numpy as np
import pytest

from vdroppath_tf.data.sources import content, zipped_file
from vdroppath_tf.data.sources.content import is_partial_download, is_video, videos_in_zip
from vdroppath_tf.data.sources.leftovers import in_leftover
from vdroppath_tf.data.sources.zipped_file import is_there


@pytest.mark.parametrize("name", ["a.mp4", "A.MKV", "a.gif", "b.m2ts", "c.3GP", "d.ogv", "e.DIVX"])
def test_known_suffixes_are_not_opened(name: str) -> None:
    assert is_video(f"nowhere/{name}")


@pytest.mark.parametrize("name", ["a.jpg", "a.txt", "Thumbs.db", "a.mp3", "a.zip", "a.mp4.json"])
def test_other_suffixes_are_not_opened(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barcode.write(tmp_path / "a.mp4", 2).rename(tmp_path / name)
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("opened"))
    assert not is_video(str(tmp_path / name))


@pytest.mark.parametrize("kind", ["constant.mp4", "h264.avi", "stream.ts", "vp8.webm"])
@pytest.mark.parametrize("name", ["clip", "clip.bin", "dot.in.name", "clip.ts", "clip.dat"])
def test_content_decides(kind: str, name: str, tmp_path: Path) -> None:
    made = barcode.make(tmp_path, kind, 30)
    assert is_video(str(made.rename(tmp_path / name)))


def test_a_damaged_video_is_one(tmp_path: Path) -> None:
    """So that somebody is told of it."""
    data = barcode.write(tmp_path / "a.mp4", 30).read_bytes()
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    assert is_video(str(tmp_path / "cut"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"G",
        b"import * as path from 'path';\n" * 200,
        b"\0" * 5000,
        b"RIFF\0\0\0\0WAVE" + b"\0" * 5000,
        b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 5000,
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10" + b"\0" * 5000,
        b"OggS" + b"\0" * 24 + b"\x01vorbis" + b"\0" * 5000,
        b"\0\0\0\x18ftypheic" + b"\0" * 5000,
        b"\0\0\0\x18ftypM4A " + b"\0" * 5000,
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + b"\0" * 17 + b"IDAT" + b"acTL" * 99,
        b"\xff\xd8\xff\xe0" + b"\0" * 5000,
    ],
)
@pytest.mark.parametrize("name", ["file", "module.ts", "picture.webp"])
def test_what_is_none(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert not is_video(str(tmp_path / name))


def test_sound_alone(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a"), "w", format="matroska") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert not is_video(str(tmp_path / "a"))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert not is_video(str(tmp_path))
    assert not is_video(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "name", ["a.mp4.part", "a.mp4.crdownload", "a.part-Frag3", "a.mp4.part-Frag3.part", "b.YTDL"]
)
def test_partial_downloads(name: str, tmp_path: Path) -> None:
    barcode.write(tmp_path / "a.mp4", 2).rename(tmp_path / name)
    assert is_partial_download(name)
    assert not is_video(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.part.mp4", "parts", "party.avi", "a.parts"])
def test_no_partial_downloads(name: str) -> None:
    assert not is_partial_download(name)


def test_no_suffix_is_in_two_lists() -> None:
    assert not content.VIDEO_SUFFIXES & content._OTHER_SUFFIXES


def test_an_archive_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, asked = tmp_path / "a.zip", list[str]()

    def counted(path: str) -> bool:
        asked.append(path)
        return is_video(path)

    monkeypatch.setattr(content, "is_video", counted)
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("c/", "c/cover.jpg", "c/b.mp4", "c/a.mp4", "c/notes.txt"):
            file.writestr(name, b"x" * (not name.endswith("/")))
    for _ in range(2):
        assert videos_in_zip(str(archive)) == ("c/a.mp4", "c/b.mp4")
    assert len(asked) == 3  # all but the picture and the folder
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("c/late.mp4", b"x")
    assert videos_in_zip(str(archive)) == ("c/a.mp4", "c/b.mp4", "c/late.mp4")


def test_a_member_is_found_without_going_through_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, looked_at = tmp_path / "a.zip", list[str]()
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("__MACOSX/._a.mp4", *(f"c/{k}.mp4" for k in range(50))):
            file.writestr(name, b"x")

    def counted(name: str) -> bool:
        looked_at.append(name)
        return in_leftover(name)

    monkeypatch.setattr(zipped_file, "in_leftover", counted)
    found = [is_there(f"{archive}!{name}") for name in ("c/7.mp4", "d.mp4", "__MACOSX/._a.mp4")]
    assert found == [True, False, False]
    assert len(looked_at) == 3

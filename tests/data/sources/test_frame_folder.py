"""Folders of extracted frames: exact, or an error that names the folder and the frame."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import barcode
import numpy as np
import pytest
from exact_source import check_exact, numbers
from hypothesis import given
from hypothesis import strategies as st
from pictures import barcodes, jpeg, png

from vdroppath_tf.data.sources import folder as folder_of_frames
from vdroppath_tf.data.sources import frame_search
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.frame_names import parse_template
from vdroppath_tf.data.sources.frame_search import find_names
from vdroppath_tf.data.sources.png import read_png
from vdroppath_tf.data.sources.source import FrameSource

TEMPLATES = (
    "{:05d}.jpg",
    "{:06d}.jpg",
    "img_{:05d}.jpg",
    "image_{:05d}.jpg",
    "frame{:06d}.jpg",
    "{:d}.JPG",
    "v_{{a}} b.1_{:03d}_rgb.jpeg",
)


def fill(folder: Path, template: str, count: int = 12, first: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    for k, data in enumerate(barcodes(count)):
        (folder / template.format(first + k)).write_bytes(data)
    return folder


@pytest.mark.parametrize("template", TEMPLATES)
def test_exact_frames(tmp_path: Path, template: str) -> None:
    folder = str(fill(tmp_path / "v", template))
    check_exact(FrameFolder(folder), 12)
    check_exact(FrameFolder(folder, template), 12)


def test_frames_from_zero(tmp_path: Path) -> None:
    folder = str(fill(tmp_path / "v", "{:05d}.jpg", first=0))
    check_exact(FrameFolder(folder, first=0), 12)
    check_exact(FrameFolder(folder), 12)
    assert FrameFolder(folder).assumed() == ("frames are counted from 0",)
    with pytest.raises(VideoError, match=r"holds '00000.jpg', but .* first=1. Set first=0"):
        FrameFolder(folder, first=1).info()


def test_png(tmp_path: Path) -> None:
    for k in range(12):
        (tmp_path / f"{k + 1:04d}.png").write_bytes(png(barcode.picture(k)))
    check_exact(FrameFolder(str(tmp_path)), 12)


def test_png_pixels_and_damage() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (21, 35, 3), np.uint8)
    data = png(picture)
    np.testing.assert_array_equal(read_png(data, "p"), picture)
    grey = read_png(png(picture[..., :1]), "p", channels=1)
    np.testing.assert_array_equal(grey, picture[..., :1])
    for place in range(8, len(data), 37):
        bad = data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
        with pytest.raises(VideoError, match="p: "):
            read_png(bad, "p")
        with pytest.raises(VideoError, match="p: "):
            read_png(data[:place], "p")


def test_what_is_not_a_picture_is_left_alone(tmp_path: Path) -> None:
    folder = fill(tmp_path, "img_{:05d}.jpg")
    for name in ("Thumbs.db", "labels.txt", "._img_00001.jpg", "flow.npy"):
        (folder / name).write_text("other")
    (folder / "1.d").mkdir()
    check_exact(FrameFolder(str(folder)), 12)


def test_two_kinds_need_a_template(tmp_path: Path) -> None:
    fill(tmp_path, "cam_a_{:05d}.jpg", 3)
    fill(tmp_path, "cam_b_{:05d}.jpg", 12)
    with pytest.raises(VideoError, match=r"frames of 2 kinds, such as .* Set template"):
        FrameFolder(str(tmp_path)).info()
    check_exact(FrameFolder(str(tmp_path), "cam_b_{:05d}.jpg"), 12)
    with pytest.raises(VideoError, match=r"no frame named like 'image_\{:05d\}.jpg', but e.g. "):
        FrameFolder(str(tmp_path), "image_{:05d}.jpg").info()


def test_a_gap_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "clip", "img_{:05d}.jpg")
    (folder / "img_00007.jpg").unlink()
    for template in (None, "img_{:05d}.jpg"):
        with pytest.raises(VideoError, match=r"'img_00007.jpg' is missing: 11 frames") as raised:
            FrameFolder(str(folder), template).info()
        assert str(raised.value).startswith(f"{folder}: ")


def test_a_late_start_is_a_gap(tmp_path: Path) -> None:
    fill(tmp_path, "{:05d}.jpg", first=3)
    with pytest.raises(VideoError, match=r"'00001.jpg' is missing.*, or set first=3"):
        FrameFolder(str(tmp_path)).info()


def test_the_folder_is_looked_at_again_after_it_changed(tmp_path: Path) -> None:
    folder = fill(tmp_path, "{:d}.jpg", 3)
    assert FrameFolder(str(folder)).info().num_frames == 3
    fill(tmp_path, "{:d}.jpg", 5)
    os.utime(folder, ns=(1, 1))
    assert FrameFolder(str(folder)).info().num_frames == 5


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: data[:400], "damaged picture"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: b"<html>404</html>", "is not a JPEG picture"),
        (lambda data: jpeg(np.zeros((8, 8, 3), np.uint8)), "is 8x8 pixels, but the first"),
    ],
)
def test_a_bad_frame_is_named(tmp_path: Path, damage, message: str) -> None:
    folder = fill(tmp_path, "{:05d}.jpg")
    file = folder / "00005.jpg"
    file.write_bytes(damage(file.read_bytes()))
    source = FrameFolder(str(folder))
    assert numbers(source.read([3, 5])) == [3, 5]
    with pytest.raises(VideoError, match=message) as raised:
        source.read(range(12))
    assert str(raised.value).startswith(f"{file}: ")


def test_a_frame_that_went_away_after_a_look(tmp_path: Path) -> None:
    folder = fill(tmp_path, "{:05d}.jpg")
    source = FrameFolder(str(folder))
    times = folder.stat()
    source.validate()
    (folder / "00002.jpg").unlink()
    os.utime(folder, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(VideoError, match=r"00002.jpg: cannot be read"):
        source.read([1])


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    fill(tmp_path, "{:05d}.jpg", 3)
    (tmp_path / "00002.jpg").unlink()
    os.mkfifo(tmp_path / "00002.jpg")
    with pytest.raises(VideoError, match="is not a file"):
        FrameFolder(str(tmp_path)).read([1])


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_no_folder_of_frames(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "v"
    if kind == "file":
        path.write_text("x")
    if kind == "empty":
        path.mkdir()
    message = {"missing": "cannot be read", "file": "is not a folder", "empty": "holds no frame"}
    with pytest.raises(VideoError, match=message[kind]):
        FrameFolder(str(path)).validate()


def test_the_first_number_without_listing_all(tmp_path: Path) -> None:
    folder = str(fill(tmp_path / "v", "{:05d}.jpg", count=2, first=0))
    assert FrameFolder(folder).first_number() == 0
    assert FrameFolder(folder, first=7).first_number() == 7
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "photo.jpg").touch()
    assert FrameFolder(str(tmp_path / "w")).first_number() == 1


def test_a_picture_of_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FrameFolder(str(fill(tmp_path / "v", "{:05d}.jpg", count=2)))
    monkeypatch.setattr(folder_of_frames, "MAX_PICTURE_BYTES", 100)
    with pytest.raises(VideoError, match=r"00001\.jpg: has [0-9]+ bytes. Expected at most 100"):
        source.info()


def test_too_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_search, "MAX_FRAMES", 3)
    with pytest.raises(VideoError, match=r"v: holds more than 3 names. Expected one video's"):
        find_names((f"{k}.jpg" for k in range(1, 9)), "v", first=1)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.jpg"], r"holds no frame named like 'img_{:f}\.jpg', but e\.g\. 'a\.jpg'"),
        ([], r"holds no frame named like 'img_{:f}\.jpg': it is empty"),
        (["img_1.5.jpg", "img_1.50.jpg"], "'img_1.5.jpg' and 'img_1.50.jpg' have the same number"),
    ],
)
def test_names_with_times(names: list[str], words: str) -> None:
    with pytest.raises(VideoError, match=words):
        find_names(iter(names), "v", template="img_{:f}.jpg", first=1)


def test_a_template_passes_over_other_widths() -> None:
    found = find_names(
        iter(["1.jpg", "00001.jpg", "00002.jpg"]), "v", template="{:05d}.jpg", first=1
    )
    assert [found.name(k) for k in range(found.count)] == ["00001.jpg", "00002.jpg"]


@pytest.mark.parametrize(
    "template",
    ["img.jpg", "{}{}.jpg", "{0:05d}.jpg", "{a}.jpg", "{:5d}.jpg", "{:05d!r}.jpg", "{!r:05d}.jpg",
     "../{:05d}.jpg", "a\\{:d}.jpg", "{:05x}.jpg", "{:0999999999d}.jpg", "{", "", "{:05d}/x.jpg"],
)  # fmt: skip
def test_templates_that_are_none(template: str) -> None:
    with pytest.raises(ValueError, match="expected a file name with one number in it"):
        parse_template(template)


@given(
    prefix=st.text("ab_.{}-", max_size=5),
    width=st.integers(0, 7),
    first=st.integers(0, 3),
    count=st.integers(1, 130),
    seed=st.randoms(),
)
def test_names_are_found_out(prefix: str, width: int, first: int, count: int, seed) -> None:
    names = [f"{prefix}{n:0{width}d}.jpg" for n in range(first, first + count)]
    shuffled = seed.sample(names, count)
    found = find_names(shuffled, "f", first=first)
    assert [found.name(k) for k in range(found.count)] == names
    assert find_names(shuffled, "f", first=None) == found
    again = find_names(shuffled, "f", template=found.template, first=first)
    assert [again.name(k) for k in range(again.count)] == names


@pytest.mark.parametrize(
    "names", [["1.jpg", "01.jpg"], ["1.jpg", "02.jpg"], ["1_8.jpg", "2_8.jpg"], ["a.jpg", "1.jpg"]]
)
def test_names_that_could_mean_two_things(names: list[str]) -> None:
    with pytest.raises(VideoError, match="f: "):
        find_names(names, "f")


def test_threads(tmp_path: Path) -> None:
    source: FrameSource = FrameFolder(str(fill(tmp_path, "{:05d}.jpg")))
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda k: numbers(source.read([k % 12, (k + 5) % 12])), range(48))
    assert [*read] == [[k % 12, (k + 5) % 12] for k in range(48)]

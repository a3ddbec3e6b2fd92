"""HDF5 archives of frames: all layouts exact, and no file outside is opened."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import barcode
import h5py
import numpy as np
import pytest
from exact_source import check_exact, numbers
from pictures import barcodes, png

from vdroppath_tf.data.sources import hdf5_items
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames

COUNT = 12


def pixels() -> np.ndarray:
    return np.stack([barcode.picture(k) for k in range(COUNT)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frames.hdf5"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (5, *barcode.SIZE, 3)},
        {"chunks": (1, 16, 32, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": True, "compression": "lzf", "maxshape": (None, None, None, 3)},
    ],
)
def test_one_data_set(path: Path, options: dict) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("videos/17/rgb", data=pixels(), **options)
    check_exact(Hdf5Frames(str(path), "videos/17/rgb"), COUNT)
    check_exact(Hdf5Frames(str(path), "/videos/17/rgb"), COUNT)


@pytest.mark.parametrize("template", ["{:05d}", "{:d}", "frame_{:04d}.jpg", "img{:d}"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("kind", ["jpeg", "png", "pixels"])
def test_one_data_set_for_each_frame(path: Path, template: str, first: int, kind: str) -> None:
    """Ten and more frames: HDF5's own order, 1, 10, 11, 2, is not theirs."""
    encoded = barcodes(COUNT) if kind == "jpeg" else [png(p) for p in pixels()]
    with h5py.File(path, "w") as file:
        for k in range(COUNT):
            data = pixels()[k] if kind == "pixels" else np.frombuffer(encoded[k], np.uint8)
            file[f"17/{template.format(first + k)}"] = data
            file["18/" + template.format(first + k)] = pixels()[0]
    check_exact(Hdf5Frames(str(path), "17"), COUNT)


def test_frames_at_the_root(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for k, data in enumerate(barcodes(COUNT)):
            file[f"{k:05d}"] = np.frombuffer(data, np.uint8)
    check_exact(Hdf5Frames(str(path)), COUNT)
    assert Hdf5Frames(str(path)).path == f"{path}: /"


def write(path: Path, **data: object) -> None:
    with h5py.File(path, "w") as file:
        for name, value in data.items():
            file[name] = value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((4, 8, 8, 3), np.float32), r"is float32 \(4, 8, 8, 3\); expected uint8"),
        (np.zeros((4, 8, 8, 3), np.int8), "is int8"),
        (np.zeros((4, 3, 8, 8), np.uint8), r"is uint8 \(4, 3, 8, 8\)"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"is uint8 \(0, 8, 8, 3\)"),
        (np.zeros((4, 0, 8, 3), np.uint8), "is 8x0 pixels"),
        (np.uint8(3), r"is uint8 \(\)"),
        (h5py.Empty(np.uint8), "is uint8 None"),
        ("a text", "is object"),
    ],
)
def test_data_sets_of_something_else(path: Path, value: object, message: str) -> None:
    write(path, rgb=value)
    with pytest.raises(VideoError, match=message) as raised:
        Hdf5Frames(str(path), "rgb").validate()
    assert str(raised.value).startswith(f"{path}: rgb: ")


def test_keys_that_lead_nowhere(path: Path) -> None:
    write(path, **{"a/1": pixels()[0], "b/rgb": pixels()})
    for key, message in {
        "c": "there is no 'c'; / holds 'a', 'b'",
        "b/rgb/x": "/b/rgb is a data set",
        "a/../b": "there is no '..'",
        "./b": "there is no '.'",
        "b": "'rgb' has no frame number",
        "/": "has no frame number",
    }.items():
        with pytest.raises(VideoError, match=message):
            Hdf5Frames(str(path), key).info()


def test_the_group_of_many_videos_is_no_video(path: Path) -> None:
    write(path, **{"1/1": pixels()[0], "2/1": pixels()[0]})
    with pytest.raises(VideoError, match=r"'1' is a group; .* Set key to the group of one video"):
        Hdf5Frames(str(path)).info()


def test_a_missing_frame(path: Path) -> None:
    write(path, **{f"v/{k}": pixels()[0] for k in (1, 2, 4, 5)})
    with pytest.raises(VideoError, match="'3' is missing: 4 frames are there"):
        Hdf5Frames(str(path), "v").info()


def test_frames_unlike_the_first(path: Path) -> None:
    jpegs = [np.frombuffer(data, np.uint8) for data in barcodes(2)]
    for name, mixed in {
        "a": (pixels()[0], pixels()[1][:16]),
        "b": (pixels()[0], jpegs[1]),
        "c": (jpegs[0], pixels()[1]),
        "d": (jpegs[0], jpegs[1][:500]),
        "e": (jpegs[0], np.frombuffer(png(pixels()[1][:16]), np.uint8)),
    }.items():
        write(path, **{f"{name}/{k}": value for k, value in enumerate(mixed)})
        source = Hdf5Frames(str(path), name)
        assert numbers(source.read([0])) == [0]
        with pytest.raises(
            VideoError, match=r"differs from the first|cut short|the first frame of"
        ):
            source.read([0, 1])


def test_nothing_outside_the_file_is_opened(tmp_path: Path, path: Path) -> None:
    secret = tmp_path / "secret.hdf5"
    write(secret, rgb=pixels())
    raw = tmp_path / "secret.bin"
    raw.write_bytes(pixels().tobytes())
    virtual = h5py.VirtualLayout(pixels().shape, np.uint8)
    virtual[:] = h5py.VirtualSource(str(secret), "rgb", pixels().shape)
    with h5py.File(path, "w") as file:
        file["here/rgb"] = pixels()
        file["external"] = h5py.ExternalLink(str(secret), "rgb")
        file["soft"] = h5py.SoftLink("/here/rgb")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["group"] = h5py.ExternalLink(str(secret), "/")
        file["frames/1"] = h5py.ExternalLink(str(secret), "rgb")
        file.create_virtual_dataset("virtual", virtual)
        file.create_dataset(
            "raw", pixels().shape, np.uint8, external=[(str(raw), 0, h5py.h5f.UNLIMITED)]
        )
    check_exact(Hdf5Frames(str(path), "here/rgb"), COUNT)
    for key in ("external", "soft", "dangling", "group/rgb", "frames"):
        with pytest.raises(VideoError, match="is a link to another place or file"):
            Hdf5Frames(str(path), key).info()
    for key in ("virtual", "raw"):
        with pytest.raises(VideoError, match="keeps its data in other files"):
            Hdf5Frames(str(path), key).info()


def test_what_claims_too_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(path, "w") as file:  # nothing of these is stored, only their shapes
        file.create_dataset("long", (1 << 40, 8, 8, 3), np.uint8, chunks=(1, 8, 8, 3))
        file.create_dataset("large", (4, 30000, 8, 3), np.uint8, chunks=(1, 8, 8, 3))
        file.create_dataset("many", (1 << 19, 128, 128, 3), np.uint8, chunks=(1, 8, 8, 3))
        file.create_dataset("coded/1", (1 << 40,), np.uint8, chunks=(8,))
        file.create_dataset("chunky", (64, 8, 8, 3), np.uint8, chunks=(64, 8, 8, 3))
    monkeypatch.setattr(hdf5_items, "MAX_CHUNK_BYTES", 1 << 10)
    for key, message in {
        "long": r"is uint8 \(1099511627776",
        "large": "is 8x30000 pixels",
        "coded": "has 1099511627776 bytes. Expected at most",
        "chunky": "has chunks of",
    }.items():
        with pytest.raises(VideoError, match=message):
            Hdf5Frames(str(path), key).info()
    with pytest.raises(VideoError, match=r"bytes; at most"):
        Hdf5Frames(str(path), "many").read(range(1 << 19))


def test_files_cut_short_or_damaged(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("rgb", data=pixels(), chunks=(1, *barcode.SIZE, 3), fletcher32=True)
    whole = path.read_bytes()
    source = Hdf5Frames(str(path), "rgb")
    for keep in (1, 7, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        with pytest.raises(VideoError) as raised:
            source.read(range(COUNT))
        assert str(raised.value).startswith(f"{path}: rgb: ")
    place = whole.index(pixels()[5].tobytes())
    path.write_bytes(whole[:place] + b"\x7f" + whole[place + 1 :])
    with pytest.raises(VideoError, match="cannot be read as HDF5"):
        source.read([5])
    path.write_bytes(b"not hdf5" * 100)
    with pytest.raises(VideoError, match="cannot be read as HDF5"):
        source.info()
    path.unlink()
    with pytest.raises(VideoError, match="cannot be read"):
        source.info()


def test_threads(path: Path) -> None:
    write(
        path, **{f"v/{k}": np.frombuffer(data, np.uint8) for k, data in enumerate(barcodes(COUNT))}
    )
    source = Hdf5Frames(str(path), "v")
    wanted = [*itertools.product(range(0, COUNT, 3), repeat=2)]
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda pair: numbers(source.read(pair)), wanted)
    assert [tuple(each) for each in read] == wanted


@pytest.mark.parametrize("name", ["rgb", "a/b/frames", "17/00001"])
def test_a_file_with_one_video_needs_no_key(path: Path, name: str) -> None:
    """However it is called; a group with one frame is a video of one frame."""
    single = name.endswith("1")
    write(path, **{name: pixels()[5] if single else pixels()})
    source = Hdf5Frames(str(path))
    if single:
        assert numbers(source.read([0])) == [5]
    else:
        check_exact(source, COUNT)


def test_a_group_that_holds_itself(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["a"] = group
    with pytest.raises(VideoError, match="'a' has no frame number"):
        Hdf5Frames(str(path)).info()


def test_places_for_another_reader(path: Path) -> None:
    """tensorflow-io's reader is given where the pixels are, after they were checked here."""
    with h5py.File(path, "w") as file:
        file["one"] = pixels()
        for k in range(COUNT):
            file[f"each/{k + 1:05d}"] = pixels()[k]
            file[f"coded/{k + 1:05d}"] = np.frombuffer(png(pixels()[k]), np.uint8)
    shape = (COUNT, *barcode.SIZE, 3)
    names, places, found = Hdf5Frames(str(path), "one").places([5, 0, 5])
    assert (names.tolist(), places.tolist(), found) == (["/one"] * 3, [5, 0, 5], shape)
    names, places, found = Hdf5Frames(str(path), "each").places([5, 0, 5])
    assert names.tolist() == [f"/each/{k + 1:05d}" for k in (5, 0, 5)]
    assert (places.tolist(), found) == ([-1] * 3, shape[1:])
    with pytest.raises(VideoError, match=r"coded: holds JPEG or PNG pictures. Expected pixels"):
        Hdf5Frames(str(path), "coded").places([0])
    with pytest.raises(VideoError, match="frame 12 was requested"):
        Hdf5Frames(str(path), "one").places([COUNT])


def test_frames_without_colours(path: Path) -> None:
    write(path, **{"k/00001": np.zeros((8, 8), np.uint8)})
    with pytest.raises(VideoError, match=r"k: 00001: is uint8 \(8, 8\)"):
        Hdf5Frames(str(path), "k").info()

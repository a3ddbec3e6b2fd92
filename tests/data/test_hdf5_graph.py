"""Frames of HDF5 archives inside a graph: both layouts, both readers, exact frames or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.data.container import VideoError
from vdroppath_tf.data.hdf5_graph import hdf5_clip, native_hdf5

COUNT = 12
FRAMES = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 8, 3), np.uint8)
INDICES = [3, 9, 3, 11, 0]

readers = pytest.mark.parametrize(
    "native",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not native_hdf5(), reason="tensorflow-io's operations do not load: extra io"
            ),
        ),
    ],
    ids=["h5py", "native"],
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("hdf5") / "frames.h5"
    with h5py.File(path, "w") as file:
        file["raw"] = FRAMES
        file.create_dataset("packed/raw", data=FRAMES, chunks=(1, 6, 8, 3), compression="gzip")
        for k, frame in enumerate(FRAMES):  # frame10 comes after frame9
            file[f"each/frame{k + 1}"] = frame
        file["float"] = FRAMES.astype("f4")
        file["grey"] = FRAMES[..., 0]
        file["sizes/1"], file["sizes/2"] = FRAMES[0], FRAMES[0, :3]
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/raw")
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["raw"] = FRAMES
    return str(path)


@readers
@pytest.mark.parametrize("key", ["/raw", "/packed/raw", "/each"])
def test_frames_are_exact_in_a_dataset(archive: str, key: str, native: bool) -> None:
    starts = tf.data.Dataset.range(COUNT - 6)
    clips = starts.map(
        lambda start: hdf5_clip(archive, key, tf.add(start, [0, 2, 4, 2]), native=native),
        num_parallel_calls=2,
    )
    assert clips.element_spec == tf.TensorSpec((4, None, None, 3), tf.uint8)
    for start, clip in enumerate(clips.as_numpy_iterator()):
        np.testing.assert_array_equal(clip, FRAMES[[start, start + 2, start + 4, start + 2]])


@readers
def test_file_and_key_may_be_tensors(archive: str, native: bool) -> None:
    keys = tf.data.Dataset.from_tensor_slices(["/raw", "/each"])
    for clip in keys.map(lambda key: hdf5_clip(archive, key, INDICES, native=native)):
        np.testing.assert_array_equal(clip, FRAMES[INDICES])


@readers
@pytest.mark.parametrize(
    ("key", "indices", "message"),
    [
        ("/raw", [3, 12], "has no frame 12 in /raw; it has 12 frames"),
        ("/each", [-1], "has no frame -1 in /each"),
        ("/none", [0], "holds no '/none'. It holds "),
        ("/float", [0], "expected uint8 .time, height, width, 3. in /float. Found: float32"),
        ("/grey", [0], "Found: uint8 .12, 6, 8."),
        ("/", [0], "expected uint8 .height, width, 3."),
        ("/sizes", [0, 1], "frames of /sizes differ in size"),
        ("/elsewhere", [0], "lies in another file"),
    ],
)
def test_what_is_not_there_is_named(
    archive: str, key: str, indices: list[int], message: str, native: bool
) -> None:
    with pytest.raises(VideoError, match=f"{archive}: .*{message}"):
        hdf5_clip(archive, key, indices, native=native)


def test_in_a_graph_it_is_the_same_message(archive: str) -> None:
    clips = tf.data.Dataset.range(1).map(lambda _: hdf5_clip(archive, "/raw", [12]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{archive}: has no frame 12 in /raw"):
        next(iter(clips))


def _damaged(archive: str, name: str, content: Any) -> str:
    path = Path(archive).with_name(name)
    path.write_bytes(content)
    return str(path)


@readers
def test_damaged_files_do_not_end_the_process(archive: str, native: bool) -> None:
    whole = Path(archive).read_bytes()
    for name, content, message in (
        ("empty.h5", b"", "is empty"),
        ("text.h5", b"no archive" * 99, "is damaged or no HDF5 file"),
        ("cut.h5", whole[:-500], "is damaged or no HDF5 file"),
    ):
        path = _damaged(archive, name, content)
        with pytest.raises(VideoError, match=f"{path}: .*{message}"):
            hdf5_clip(path, "/raw", [0], native=native)
    with pytest.raises(VideoError, match=r"none.h5: cannot be read"):
        hdf5_clip(archive.replace("frames", "none"), "/raw", [0], native=native)


def test_a_damaged_frame_is_an_error(archive: str) -> None:
    content = bytearray(Path(archive).read_bytes())
    with h5py.File(archive) as file:
        where = file["packed/raw"].id.get_chunk_info(5)
    start = where.byte_offset
    content[start : start + where.size] = bytes(where.size)
    path = _damaged(archive, "frame.h5", content)
    np.testing.assert_array_equal(hdf5_clip(path, "/packed/raw", [4]), FRAMES[[4]])
    with pytest.raises(VideoError, match=f"{path}: a frame of /packed"):
        hdf5_clip(path, "/packed/raw", [4, 5])


@pytest.mark.skipif(native_hdf5(), reason="tensorflow-io's operations load here")
def test_native_says_what_it_needs(archive: str) -> None:
    with pytest.raises(ValueError, match=r"needs the extra 'io': .*Found: TensorFlow"):
        hdf5_clip(archive, "/raw", [0], native=True)

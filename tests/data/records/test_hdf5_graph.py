"""Frames of HDF5 archives inside a graph: both layouts, both readers, exact frames or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf
from pictures import png

from vdroppath_tf.data.records.hdf5_graph import hdf5_clip, native_hdf5
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames

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
            file[f"pictures/{k}"] = np.frombuffer(png(frame), np.uint8)
            if k != 1:
                file[f"gap/{k + 1}"] = frame
        file.create_dataset("packed/lzf", data=FRAMES, compression="lzf")
        plain = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plain.set_chunk((1, 6, 8, 3))
        plain.set_filter(30999, h5py.h5z.FLAG_OPTIONAL)  # of a plugin that is not here
        h5py.h5d.create(
            file["packed"].id, b"plugin", h5py.h5t.NATIVE_UINT8, file["raw"].id.get_space(), plain
        )
        large = {"shape": (1 << 12, 256, 512, 3), "chunks": (1 << 12, 256, 512, 3)}
        file.create_dataset("chunky", dtype=np.uint8, **large)  # only its shape is stored
        file["float"] = FRAMES.astype("f4")
        file["grey"] = FRAMES[..., 0]
        file["sizes/1"], file["sizes/2"] = FRAMES[0], FRAMES[0, :3]
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/raw")
        file["links/1"] = h5py.ExternalLink("other.h5", "/raw")
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
        ("/raw", [3, 12], r"frame 12 was requested, but it holds 12 frames \(0 to 11\)"),
        ("/each", [-1], "frame -1 was requested"),
        ("/none", [0], "there is no 'none'; / holds 'chunky', "),
        ("/float", [0], r"is float32 \(12, 6, 8, 3\); expected uint8: \(time, height"),
        ("/grey", [0], r"is uint8 \(12, 6, 8\)"),
        ("/", [0], "'chunky' has no frame number"),
        ("/sizes", [0, 1], "'2' differs from the first frame"),
        ("/elsewhere", [0], "'elsewhere' is a link to another place or file"),
        ("/links", [0], "'1' is a link to another place or file"),
        ("/gap", [0], "'2' is missing"),
        ("/packed/plugin", [0], "is packed by HDF5's filters"),
        ("/chunky", [0], "has chunks of"),
    ],
)
def test_what_is_not_there_is_named(
    archive: str, key: str, indices: list[int], message: str, native: bool
) -> None:
    with pytest.raises(VideoError, match=f"^{archive}: {key}: .*{message}") as in_graph:
        hdf5_clip(archive, key, indices, native=native)
    with pytest.raises(VideoError) as outside:
        Hdf5Frames(archive, key).read(indices)
    assert str(in_graph.value) == str(outside.value)


@readers
def test_a_link_is_refused_before_it_is_followed(archive: str, native: bool) -> None:
    other = Path(archive).with_name("other.h5")
    hidden = other.rename(other.with_suffix(".gone"))  # whoever looked would say it is not there
    try:
        with pytest.raises(VideoError, match="is a link to another place or file"):
            hdf5_clip(archive, "/elsewhere", [0], native=native)
    finally:
        hidden.rename(other)


def test_pictures_are_decoded(archive: str) -> None:
    np.testing.assert_array_equal(hdf5_clip(archive, "/pictures", INDICES), FRAMES[INDICES])


@pytest.mark.skipif(not native_hdf5(), reason="tensorflow-io's operations do not load: extra io")
@pytest.mark.parametrize(
    ("key", "message"), [("/pictures", "holds JPEG or PNG"), ("/packed/lzf", "filters .32000.")]
)
def test_what_native_cannot_read(archive: str, key: str, message: str) -> None:
    with pytest.raises(VideoError, match=f"{archive}: {key}.* {message}"):
        hdf5_clip(archive, key, [0], native=True)


def test_in_a_graph_it_is_the_same_message(archive: str) -> None:
    clips = tf.data.Dataset.range(1).map(lambda _: hdf5_clip(archive, "/raw", [12]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{archive}: /raw: frame 12 was"):
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
        ("text.h5", b"no archive" * 99, "cannot be read as HDF5"),
        ("cut.h5", whole[:-500], "cannot be read as HDF5"),
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
    with pytest.raises(VideoError, match=f"{path}: /packed/raw: cannot be read as"):
        hdf5_clip(path, "/packed/raw", [4, 5])


@pytest.mark.skipif(native_hdf5(), reason="tensorflow-io's operations load here")
def test_native_says_what_it_needs(archive: str) -> None:
    with pytest.raises(ValueError, match=r"needs the extra 'io': .*Found: TensorFlow"):
        hdf5_clip(archive, "/raw", [0], native=True)

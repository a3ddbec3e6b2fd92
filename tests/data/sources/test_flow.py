"""Optical flow: pairs of pictures become clips of two channels, and a mirror negates x."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pictures import jpeg

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import evaluation_clips, training_clips
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.lists.flow import flow_manifest
from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.flow import FlowFolder
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.source import Box, FrameSource, mirrored
from vdroppath_tf.data.sources.video import VideoFile

STEPS, HEIGHT, WIDTH = 11, 24, 40
LAYOUTS = (
    ("flow_x_{:05d}.jpg", "flow_y_{:05d}.jpg"),
    ("x_{:04d}.jpg", "y_{:04d}.jpg"),
    ("u/{:06d}.jpg", "v/{:06d}.jpg"),
    ("flow_x/frame{:06d}.jpg", "flow_y/frame{:06d}.jpg"),
)


def level(step: int, axis: int) -> int:
    """Flat pictures come out of a JPEG as they went in."""
    return 10 * step + 100 * axis + 5


def fill(folder: Path, layout: tuple[str, str] = LAYOUTS[0], first: int = 1) -> str:
    for axis, template in enumerate(layout):
        for step in range(STEPS):
            file = folder / template.format(first + step)
            file.parent.mkdir(parents=True, exist_ok=True)
            flat = np.full((HEIGHT, WIDTH, 1), level(step, axis), np.uint8)
            file.write_bytes(jpeg(flat))
    return str(folder)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_exact_pairs(tmp_path: Path, layout: tuple[str, str]) -> None:
    folder = fill(tmp_path, layout)
    for source in (FlowFolder(folder), FlowFolder(folder, *layout)):
        info = source.info()
        assert (info.num_frames, info.height, info.width) == (STEPS, HEIGHT, WIDTH)
        wanted = [4, 0, 10, 4]
        flow = source.read(wanted, short_edge=12, box=Box(1, 2, 8, 9))
        assert (flow.shape, flow.dtype) == ((4, 8, 9, 2), np.uint8)
        for pair, step in zip(flow, wanted, strict=True):
            assert (pair == [level(step, 0), level(step, 1)]).all()


def test_rgb_frames_beside_it(tmp_path: Path) -> None:
    """TSN's folders hold both: the one source does not see what is the other's."""
    folder = fill(tmp_path)
    for k in range(STEPS + 1):
        (tmp_path / f"img_{k + 1:05d}.jpg").write_bytes(jpeg(np.zeros((24, 40, 3), np.uint8)))
    assert FlowFolder(folder).info().num_frames == STEPS
    assert FrameFolder(folder, "img_{:05d}.jpg").info().num_frames == STEPS + 1


def test_from_zero(tmp_path: Path) -> None:
    folder = fill(tmp_path, first=0)
    assert (FlowFolder(folder, first=0).read([3])[0] == [level(3, 0), level(3, 1)]).all()
    assert (FlowFolder(folder).read([3])[0] == [level(3, 0), level(3, 1)]).all()
    with pytest.raises(VideoError, match="Set first=0"):
        FlowFolder(folder, first=1).info()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path)
    (tmp_path / "flow_y_00011.jpg").unlink()
    with pytest.raises(VideoError, match="has 11 pictures of 40x24 for x, but 10 of 40x24 for y"):
        FlowFolder(folder).info()
    (tmp_path / "flow_x_00004.jpg").unlink()
    with pytest.raises(VideoError, match=r"'flow_x_00004.jpg' is missing"):
        FlowFolder(folder).info()
    with pytest.raises(VideoError, match="cannot be read"):
        FlowFolder(str(tmp_path / "none")).info()
    (tmp_path / "rgb").mkdir()
    with pytest.raises(VideoError, match="holds no optical flow"):
        FlowFolder(str(tmp_path / "rgb")).info()
    for template in ("../x_{:05d}.jpg", "a/b/{:05d}.jpg"):
        with pytest.raises(ValueError, match="expected a "):
            FlowFolder(folder, template, "y_{:05d}.jpg").info()


@given(arrays(np.uint8, (2, 3, 5, 2)))
def test_a_mirror_negates_x(flow: np.ndarray) -> None:
    seen = mirrored(flow)
    motion, mirrored_motion = (each.astype(int) * 2 - 255 for each in (flow, seen))
    np.testing.assert_array_equal(mirrored_motion[..., 0], -motion[:, :, ::-1, 0])
    np.testing.assert_array_equal(mirrored_motion[..., 1], motion[:, :, ::-1, 1])
    np.testing.assert_array_equal(mirrored(seen), flow)


@given(st.floats(-20, 20), st.sampled_from([8, 15, 20]))
def test_the_mirror_of_a_level_is_the_level_of_the_mirror(motion: float, bound: int) -> None:
    """As denseflow writes it; the two sides round to even differently only at half levels."""

    def encoded(v: float) -> int:
        return int(np.clip(np.rint(255 * (v + bound) / (2 * bound)), 0, 255))

    frame = np.full((1, 1, 1, 2), encoded(motion), np.uint8)
    assert abs(int(mirrored(frame)[0, 0, 0, 0]) - encoded(-motion)) <= 1
    assert mirrored(np.full((1, 1, 1, 3), 7, np.uint8)).tolist() == [[[[7, 7, 7]]]]


def _manifest(*sources: FrameSource) -> Manifest:
    entries = tuple(VideoEntry(s, k, None, f"list:{k}") for k, s in enumerate(sources))
    return Manifest(entries, tuple("abcdef"[: len(entries)]), "list")


def test_clips_have_two_channels_and_are_mirrored_whole(tmp_path: Path) -> None:
    sources = [FlowFolder(fill(tmp_path / name)) for name in "abcd"]
    plain = ClipSampling(frames=4, crop=16)
    for cache in (0, 1 << 24):
        clips, labels = next(
            iter(evaluation_clips(_manifest(*sources), plain, batch_size=4, cache_bytes=cache))
        )
        assert tuple(clips.shape) == (4, 4, 16, 16, 2)
        assert labels.numpy().tolist() == [0, 1, 2, 3]
    flips = dataclasses.replace(plain, flip=True)
    seen = set()
    for clips, _ in training_clips(
        _manifest(*sources), flips, batch_size=4, order=ClipOrder(epochs=4)
    ):
        for clip in clips.numpy():
            x, y = clip[0, 0, 0].tolist()
            step = (y - level(0, 1)) // 10
            assert (clip[0] == [x, y]).all()
            assert x in (level(step, 0), 255 - level(step, 0))
            seen.add(x == level(step, 0))
    assert seen == {True, False}


def test_a_cache_counts_two_channels(tmp_path: Path) -> None:
    size = STEPS * HEIGHT * WIDTH * 2
    cache = VideoCache(size)
    cache.frames(FlowFolder(fill(tmp_path)), [0])
    assert cache.used_bytes == size


def test_rgb_and_flow_do_not_mix(tmp_path: Path) -> None:
    flow = FlowFolder(fill(tmp_path / "flow"))
    (tmp_path / "rgb").mkdir()
    for k in range(STEPS):
        data = jpeg(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        (tmp_path / "rgb" / f"{k + 1:05d}.jpg").write_bytes(data)
    mixed = _manifest(flow, FrameFolder(str(tmp_path / "rgb")))
    with pytest.raises(Exception, match="Train separately on RGB"):
        [*evaluation_clips(mixed, ClipSampling(frames=4), batch_size=2)]


def test_a_manifest_of_flow(tmp_path: Path) -> None:
    folder = fill(tmp_path / "v")
    given = _manifest(FrameFolder(folder), VideoFile(folder), FlowFolder(folder))
    assert {entry.source for entry in flow_manifest(given)} == {FlowFolder(folder)}
    assert [entry.label for entry in flow_manifest(given)] == [0, 1, 2]
    with pytest.raises(ManifestError, match=r"list:0: .*a.mp4 is not a folder"):
        flow_manifest(_manifest(VideoFile(str(tmp_path / "a.mp4"))))

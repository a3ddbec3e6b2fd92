"""The clips of one video with their frames, and windows of a long one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vdroppath_tf.data.clips.crops import ClipSizeError
from vdroppath_tf.data.clips.pipeline import evaluation_clips
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import clips_of
from vdroppath_tf.data.clips.windows import windows_of
from vdroppath_tf.data.lists.one_video import one_video
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.encode import write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Of 50 frames at 10 a second."""
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    frames = np.random.default_rng(0).integers(0, 256, (50, 24, 32, 3), np.uint8)
    write_video(path, frames, fps=10)
    return one_video(path, ["a", "b"])


@pytest.mark.parametrize(
    "sampling",
    [
        ClipSampling(4, 2, short_edge=20, crop=(16, 18), clips_per_video=3),
        ClipSampling(4, 2, short_edge=16, crop=16, clips_per_video=2, crops_per_clip=3),
        ClipSampling(5, sampler="segments", clips_per_video=2),
        ClipSampling(4, 2, fps=5.0, clips_per_video=2, square_pixels=True),
    ],
)
def test_clips_are_those_of_a_list(film: Manifest, sampling: ClipSampling) -> None:
    each = sampling.views("test")
    ((expected, _),) = evaluation_clips(film, sampling, batch_size=each, split="test")
    found = clips_of(film.entries[0], sampling)
    np.testing.assert_array_equal(found.clips, expected)
    assert found.frames.shape == (sampling.clips_per_video, sampling.frames)
    assert found.seconds is not None
    np.testing.assert_allclose(found.seconds, found.frames / 10)


@pytest.mark.parametrize(
    ("seconds", "hop", "spans"),
    [
        (1.0, None, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
        (2.0, None, [(0, 2), (2, 4), (3, 5)]),  # the last one ends with the video
        (2.0, 1.5, [(0, 2), (1.5, 3.5), (3, 5)]),
        (2.5, 1.25, [(0, 2.5), (1.25, 3.75), (2.5, 5)]),
        (5.0, None, [(0, 5)]),
        (60.0, 1.0, [(0, 5)]),
    ],
)
def test_windows(
    film: Manifest, seconds: float, hop: float | None, spans: list[tuple[float, float]]
) -> None:
    found = list(windows_of(film.entries[0], seconds, hop))
    np.testing.assert_allclose([(one.start, one.end) for one in found], spans)
    for one in found:
        frames = clips_of(one.entry, ClipSampling(1000)).frames  # all there are
        first, last = (math.ceil(10 * t - 1e-6) for t in (one.start, one.end))
        assert (frames.min(), frames.max()) == (first, last - 1)


@pytest.mark.parametrize(
    ("seconds", "hop", "message"),
    [
        (0.0, None, "window must be a number above 0"),
        (float("nan"), None, "window must be"),
        (1.0, -1.0, "hop must be a number above 0"),
        (1.0, 2.0, "hop=2 is longer than window=1"),
    ],
)
def test_windows_that_are_none(
    film: Manifest, seconds: float, hop: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        list(windows_of(film.entries[0], seconds, hop))


def test_pictures_have_no_seconds_until_somebody_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    png = b"".join(_png())
    for number in range(1, 21):
        (folder / f"{number:05d}.png").write_bytes(png)
    (entry,) = one_video(folder, ["a"])
    with pytest.raises(VideoError, match=r"times of its frames are unknown.* \(--source_fps\)"):
        list(windows_of(entry, 1.0))
    with pytest.raises(
        ClipSizeError, match=r"frame rate of these pictures is unknown.* \(--source_fps\)"
    ):
        clips_of(entry, ClipSampling(2, fps=5.0))
    (entry,) = one_video(folder, ["a"], source_fps=10.0)
    assert [(one.start, one.end) for one in windows_of(entry, 1.0)] == [(0, 1), (1, 2)]


def _png() -> list[bytes]:
    import io

    from matplotlib import image

    held = io.BytesIO()
    image.imsave(held, np.zeros((16, 16, 3), np.uint8), format="png")
    return [held.getvalue()]

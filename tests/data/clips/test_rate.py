"""Clips by time: the same moments of a scene, whatever the frame rate of its video."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction
from pathlib import Path

import barcode
import numpy as np
import pytest
from pictures import barcodes

from vdroppath_tf.cli import main
from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.pipeline import VideoCache, evaluation_clips
from vdroppath_tf.data.clips.plans import evaluation_plan, training_plan
from vdroppath_tf.data.clips.positions import item_rng
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.clock import shown_count, shown_frames
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.training import RECIPES, Recipe

RATES = [Fraction(8), Fraction(12), Fraction(24000, 1001), Fraction(24), Fraction(25)]
RATES += [Fraction(30000, 1001), Fraction(30), Fraction(50), Fraction(60)]


@pytest.mark.parametrize("wanted", RATES)
@pytest.mark.parametrize("rate", RATES)
def test_constant_rates(rate: Fraction, wanted: Fraction) -> None:
    """The frame on display, also where a container rounds times to milliseconds."""
    frames = 70
    for digits in (9, 3):
        times = np.array([round(float(k / rate), digits) for k in range(frames)])
        count = shown_count(times, float(wanted))
        assert abs(count - math.ceil(frames * wanted / rate)) <= (digits == 3)
        found = shown_frames(times, np.arange(count), float(wanted)).tolist()
        for k, frame in enumerate(found):
            moment = k / wanted
            near = Fraction(12, 10_000)  # so near to its time, a frame may be on display or not
            assert (moment - near) * rate // 1 <= frame <= (moment + near) * rate // 1
        if rate == wanted:
            assert found == list(range(count))


def manifest(*sources: FrameSource) -> Manifest:
    entries = [VideoEntry(source, 0, None, f"list:{k}") for k, source in enumerate(sources)]
    return Manifest(tuple(entries), ("a", "b"), "list")


def numbers(videos: Manifest, sampling: ClipSampling, split: str = "validation") -> list[list[int]]:
    size = sampling.views(split)
    found = evaluation_clips(videos, sampling, batch_size=size, split=split)
    return [
        [barcode.number(frame) for frame in clip] for batch, _ in found for clip in batch.numpy()
    ]


def test_a_variable_rate(tmp_path: Path) -> None:
    """By the times in the file: ticks of 1/100 s, from one frame to the next 1, 3, 2, 7, 1, 4."""
    file = barcode.write(tmp_path / "v.mkv", 30, variable=True)
    ticks = np.cumsum([0, *(barcode.VARIABLE[k % 6] for k in range(29))])
    shown = {t: max(k for k in range(30) if ticks[k] <= t) for t in range(ticks[-1] + 1)}
    source = VideoFile(str(file))
    for fps, step in ((50, 2), (25, 4), (20, 5), (10, 10)):
        total = -(-(int(ticks[-1]) + int(np.median(np.diff(ticks)))) // step)
        sampling = ClipSampling(5, fps=fps)
        first = max(0, total - 5) // 2
        expected = [shown[(first + k) * step] for k in range(5)]
        assert numbers(manifest(source), sampling) == [expected]
    third = Segment(source, Span(ticks[3] / 100, ticks[20] / 100, "seconds"))
    [clip] = numbers(manifest(third), ClipSampling(3, fps=25, stride=2))
    length = -(-(int(ticks[19] - ticks[3]) + int(np.median(np.diff(ticks[3:20])))) // 4)
    start = (length - 6) // 2
    assert clip == [shown[int(ticks[3]) + 4 * (start + 2 * k)] for k in range(3)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A scene of two seconds, each tenth of which has a number, at 10, 20 and 40 frames."""
    folder, sources = tmp_path_factory.mktemp("scene"), []
    for times in (1, 2, 4):
        frames = np.stack([barcode.picture(k // times) for k in range(20 * times)])
        write_video(folder / f"{times}.mp4", frames, fps=10 * times)
        sources.append(VideoFile(str(folder / f"{times}.mp4")))
    return manifest(*sources)


def test_every_plan_sees_the_same_moments(scene: Manifest) -> None:
    sampling = ClipSampling(4, stride=2, fps=10, clips_per_video=3)
    assert numbers(scene, sampling) == [[6, 8, 10, 12]] * 3
    views = [[0, 2, 4, 6], [6, 8, 10, 12], [12, 14, 16, 18]]
    assert numbers(scene, sampling, "test") == views * 3
    ten = PROTOCOLS["paper-2clip"].sampling(sampling)
    assert ten.fps == 10
    assert numbers(scene, ten, "test") == [views[0], views[2]] * 3
    loader = ClipLoader(scene, sampling, cache=VideoCache(), workers=1)
    batch, _ = loader.training_batch(0, 0, 0, 3)
    for clip in batch:
        seen = [barcode.number(frame) for frame in clip]
        assert np.diff(seen).tolist() == [2, 2, 2]
    without = numbers(scene, dataclasses.replace(sampling, fps=None))
    assert without[0] == [6, 8, 10, 12]
    assert without[2] == [9, 9, 10, 10]  # a quarter of the motion


def test_plans_draw_as_without_a_rate() -> None:
    """At the rate that the video has, all is as before; a short video repeats its last frame."""
    times = np.arange(40) / 25
    plain, timed = (
        ClipSampling(4, stride=3, random_stride=True),
        ClipSampling(4, stride=3, random_stride=True, fps=25),
    )
    for item in range(20):
        one = training_plan(plain, 40, item_rng(0, 0, item))
        other = training_plan(timed, 40, item_rng(0, 0, item), times=times)
        assert one.indices.tolist() == other.indices.tolist()
    plan = evaluation_plan(ClipSampling(4, fps=5), 6, "validation", times=times)
    assert plan.indices.tolist() == [[0, 5, 5, 5]]  # six of the frames are listed
    with pytest.raises(ValueError, match="times="):
        evaluation_plan(timed, 40, "validation")


def test_pictures_have_no_rate(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for k, picture in enumerate(barcodes(12), 1):
        (tmp_path / "frames" / f"{k:05d}.jpg").write_bytes(picture)
    videos = manifest(FrameFolder(str(tmp_path / "frames")))
    sampling = ClipSampling(3, fps=5)
    with pytest.raises(ValueError, match=r"frames \(list:0\).*--source_fps"):
        evaluation_clips(videos, sampling, batch_size=1).__iter__().__next__()
    # twelve frames are six at half their rate, of which the three in the middle begin at 1
    assert numbers(videos.at_rate(10), sampling) == [[2, 4, 6]]
    with pytest.raises(ValueError, match="above 0"):
        videos.at_rate(0)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 2000])
def test_rates_that_are_none(fps: float) -> None:
    with pytest.raises(ValueError, match="fps must be above 0"):
        ClipSampling(4, fps=fps)
    with pytest.raises(ValueError, match="leave fps out"):
        ClipSampling(4, fps=10, sampler="segments")


def test_a_recipe_keeps_its_rate() -> None:
    from absl import flags

    recipe = RECIPES["small"]
    assert "fps" not in json.loads(recipe.to_json())["sampling"]  # as older runs describe theirs
    values = flags.FlagValues()
    define_recipe(values)
    values(["train", "--fps=12.5"])
    timed = recipe_of_flags(values)
    assert timed.sampling.fps == timed.evaluation.fps == 12.5
    assert Recipe.from_json(timed.to_json()) == timed


def test_the_catalog_warns_of_mixed_rates(
    scene: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [Path(entry.path) for entry in scene]
    listed = files[0].with_name("list.txt")
    listed.write_text("".join(f"{file.name} 4 {k % 2}\n" for k, file in enumerate(files)))
    assert main(["catalog", f"--data={listed}", "--frames"]) == 0
    done = capsys.readouterr()
    assert "frames a second: 10 (1), 20 (1), 40 (1)" in done.out
    assert "10 to 40 frames a second" in done.err
    assert "--fps=10" in done.err
    listed.write_text(f"{files[0].name} 4 0\n")
    assert main(["catalog", f"--data={listed}", "--frames"]) == 0
    assert "--fps" not in capsys.readouterr().err

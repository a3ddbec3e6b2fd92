"""Answers for many videos: one that fails leaves the others theirs, and windows are videos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import miniatures
import numpy as np
import pytest
from pictures import jpeg

from vdroppath_tf.data import ClipSampling
from vdroppath_tf.data.lists import named_videos
from vdroppath_tf.serving import Answer, PredictOptions, predict_videos


class Brightness:
    """A network whose answer is the brightness of a clip; it fails as it is asked to."""

    labels = ("dark", "bright")
    sampling = ClipSampling(frames=2, crop=32)

    def __init__(self, most: int = 8, *, bad: float = -1.0) -> None:
        self.most, self.bad = most, bad
        self.batches: list[int] = []

    def answer(self, clips: Any) -> np.ndarray:
        self.batches.append(len(clips))
        if len(clips) > self.most:
            raise RuntimeError(f"no memory for {len(clips)} clips")
        share = clips.mean((1, 2, 3, 4)) / 255
        share = np.where(np.abs(share - self.bad) < 0.05, np.nan, share)
        return np.stack([1 - share, share], -1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abc":
        miniatures.folder(tmp_path / name)
    for k in range(1, 4):
        picture = np.full((32, 128, 3), 250, np.uint8)
        (tmp_path / "b" / f"{k:05d}.jpg").write_bytes(jpeg(picture))
    return tmp_path


def answers(network: Any, folder: Path, **options: Any) -> Iterator[Answer]:
    on_error = options.pop("on_error", None)
    return predict_videos(
        network, named_videos(folder), PredictOptions(**options), on_error=on_error
    )


def test_a_batch_that_fails_is_run_video_by_video(folder: Path) -> None:
    network = Brightness(most=1)
    found = list(answers(network, folder))
    assert [Path(each.file).name for each in found] == ["a", "b", "c"]
    assert [each.label for each in found] == ["dark", "bright", "dark"]
    assert network.batches == [3, 1, 1, 1]


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Brightness(most=0), "no memory for 1 clips"),
        (Brightness(bad=250 / 255), "the answers of the network are not finite numbers"),
    ],
)
def test_an_error_is_raised_or_handed_over(network: Brightness, words: str, folder: Path) -> None:
    failed: dict[str, str] = {}
    found = answers(network, folder, on_error=lambda name, error: failed.update({name: str(error)}))
    answered = [Path(each.file).name for each in found]
    assert answered == ([] if network.most == 0 else ["a", "c"])
    names = ["a", "b", "c"] if network.most == 0 else ["b"]
    assert [Path(name).name for name in failed] == names
    assert all(words in text for text in failed.values())
    with pytest.raises((RuntimeError, ValueError), match=words):
        list(answers(network, folder))


def test_a_video_without_times_has_no_windows(folder: Path) -> None:
    failed: dict[str, str] = {}
    network = Brightness()
    note = lambda name, error: failed.update({Path(name).name: str(error)})  # noqa: E731
    assert list(answers(network, folder, window=1.0, on_error=note)) == []
    assert list(failed) == ["a", "b", "c"]
    assert network.batches == []
    with pytest.raises(ValueError, match=r"hop is the step .*pass window too"):
        PredictOptions(hop=1.0)

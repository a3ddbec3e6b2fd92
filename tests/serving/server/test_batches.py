"""Batches that wait for clips in decoding, and those that do not."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")
pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from small_server import BrightNetwork, serving, write_version

from vdroppath_tf.data.clips.video_clips import clips_of
from vdroppath_tf.serving.server import parts
from vdroppath_tf.serving.server.bodies import npy_bytes
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.runner import Runner

CLIPS = np.zeros((1, 4, 16, 16, 3), np.uint8)
HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_version(tmp_path / "bright", 1)
    return tmp_path / "bright"


def test_clips_that_are_decoded_at_the_same_time_are_one_batch(folder: Path) -> None:
    sizes: list[int] = []
    network, end = BrightNetwork(folder / "1"), time.monotonic() + HOUR
    runner = Runner(8, HOUR, lambda clips, seconds: sizes.append(clips))
    with runner.coming(network):
        with runner.coming(network):
            first = runner.submit(network, CLIPS, end)
        time.sleep(0.1)
        assert not first.done()  # the other may still come
        second = runner.submit(network, CLIPS, end)
    assert [len(each.result(9)) for each in (first, second)] == [1, 1]
    assert sizes == [2]
    runner.close()


def test_a_batch_does_not_wait_in_vain(folder: Path) -> None:
    """Neither alone, nor for another network, nor when full, nor for what fails or closes."""
    network, other = BrightNetwork(folder / "1"), BrightNetwork(folder / "1")
    end = time.monotonic() + HOUR
    runner = Runner(2, HOUR)
    assert len(runner.submit(network, CLIPS, end).result(9)) == 1
    with runner.coming(other):
        assert len(runner.submit(network, CLIPS, end).result(9)) == 1
    with runner.coming(network):
        full = [runner.submit(network, CLIPS, end) for _ in range(2)]
        assert [len(each.result(9)) for each in full] == [1, 1]
    with contextlib.suppress(ValueError), runner.coming(network):
        alone = runner.submit(network, CLIPS, end)
        raise ValueError("the other video is damaged")
    assert len(alone.result(9)) == 1
    with runner.coming(network):
        last = runner.submit(network, CLIPS, end)
        runner.close()
        assert len(last.result(9)) == 1


def test_no_batch_waits_while_another_is_held_up(folder: Path) -> None:
    """Neither that of another network, nor clips that do not fit into the first one."""
    network, other = BrightNetwork(folder / "1"), BrightNetwork(folder / "1")
    end = time.monotonic() + HOUR
    runner = Runner(3, HOUR)
    with runner.coming(network):
        first = runner.submit(network, CLIPS, end)
        time.sleep(0.1)
        assert not first.done()
        assert len(runner.submit(other, CLIPS, end).result(9)) == 1
        assert len(first.result(9)) == 1
    with runner.coming(network):
        two = [runner.submit(network, CLIPS.repeat(2, 0), end) for _ in range(2)]
        assert len(two[0].result(9)) == 2
    assert len(two[1].result(9)) == 2
    runner.close()


def test_a_batch_waits_no_longer_than_its_first_clip_may(folder: Path) -> None:
    network = BrightNetwork(folder / "1")
    runner = Runner(8, HOUR)
    with runner.coming(network), pytest.raises(RefusedError, match="deadline"):
        runner.submit(network, CLIPS, time.monotonic() + 0.1).result(9)
    runner.close()
    with pytest.raises(ValueError, match=r"batch_seconds below max_seconds=2\. Received: 3"):
        Limits(max_seconds=2.0, batch_seconds=3.0)


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_the_wait_for_a_slow_video_ends(folder: Path, seconds: float) -> None:
    network, end = BrightNetwork(folder / "1"), time.monotonic() + HOUR
    runner = Runner(8, seconds)
    with runner.coming(network):
        begun = time.monotonic()
        assert len(runner.submit(network, CLIPS, end).result(9)) == 1
        assert time.monotonic() - begun >= seconds
    runner.close()


def test_requests_are_answered_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(BrightNetwork):
        batches: ClassVar[list[int]] = []

        def answer(self, clips: np.ndarray) -> np.ndarray:
            if clips.any():  # not when it is tried
                self.batches.append(len(clips))
            return super().answer(clips)

    decoding = threading.Barrier(2)

    def decode_together(*arguments: Any) -> Any:
        decoding.wait(9)
        return clips_of(*arguments)

    monkeypatch.setattr(parts, "clips_of", decode_together)
    grey = npy_bytes(np.full((9, 16, 16, 3), 128, np.uint8))
    limits = Limits(workers=2, batch_seconds=9)
    with serving(folder, limits, load=Counted) as served, ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(served.post, grey, "application/x-npy") for _ in range(2)]
        assert [done.result()[0] for done in asked] == [200, 200]
    assert Counted.batches == [4]  # two clips of each

"""Videos that are read many times leave no memory behind, wherever reading stops."""

from __future__ import annotations

import contextlib
from pathlib import Path

import barcode
import pytest
from held_memory import held_after

from vdroppath_tf.data.sources.container import open_video, packets_of
from vdroppath_tf.data.sources.decode import read_frames
from vdroppath_tf.data.sources.demux import build_index

MOST = 24.0  # bytes; a generator of PyAV that is dropped keeps 32 in version 17, 160 in 18


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return barcode.write(tmp_path_factory.mktemp("held") / "a.mp4", 12)


@pytest.mark.parametrize("frames", [[0], [5], range(12)])
def test_reading_frames(video: Path, frames: list[int] | range) -> None:
    index = build_index(str(video))
    assert held_after(lambda: read_frames(video, frames, index=index)) < MOST


def test_finding_frames(video: Path) -> None:
    assert held_after(lambda: build_index(str(video))) < MOST


def test_an_error_in_between(video: Path) -> None:
    def stop() -> None:
        with open_video(str(video)) as (container, stream):
            for _ in packets_of(container, stream):
                raise RuntimeError("stopped")

    def caught() -> None:
        with contextlib.suppress(RuntimeError):
            stop()

    assert held_after(caught) < MOST

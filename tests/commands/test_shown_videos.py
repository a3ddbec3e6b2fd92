"""Flags about what a player shows of a video: one of several streams, and square pixels."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from film_files import draw, encode, encode_streams, expect_source

from vdroppath_tf.cli import main
from vdroppath_tf.data.catalog import open_manifest


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A class with two cameras in one file, and one with narrow pixels."""
    folder = tmp_path / "data"
    for name in ("run", "walk"):
        (folder / name).mkdir(parents=True)
    cameras = [(draw(), "libx264"), (draw()[::-1].copy(), "libx264")]
    encode_streams(cameras, folder / "run" / "a.mkv", flags=(0, 1))
    encode(folder / "walk" / "a.mp4", draw()[:, :, ::2].copy(), aspect=Fraction(2))
    return folder


def test_catalog_says_what_was_chosen(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", f"--data={videos}", "--frames", "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("1 is read" in note and "--video_stream" in note for note in notes)
    assert any("pixels of 2:1" in note and "train and convert" in note for note in notes)


def test_a_stream_is_chosen(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", f"--data={videos}", "--frames", "--json", "--video_stream=0"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("0 is read" in note for note in notes)
    assert main(["catalog", f"--data={videos}", "--frames", "--video_stream=1"]) == 1
    assert "has no video stream 1" in capsys.readouterr().err


def test_convert_to_square_pixels(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "records"
    command = ["convert", f"--data={videos}", f"--out={out}", "--quality=100", "--square_pixels"]
    assert main([*command, "--video_stream=0"]) == 0
    assert main(command) == 1  # of another stream: not into the same folder
    for entry in open_manifest(out):
        expect_source(entry.source)
        assert entry.source.with_square_pixels() == entry.source


@pytest.mark.parametrize("command", ["train", "convert", "catalog", "doctor", "predict"])
def test_flags_are_shown(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([command, "--help"])
    text = capsys.readouterr().out
    assert "--video_stream" in text
    assert ("square_pixels" in text) == (command in ("train", "convert"))

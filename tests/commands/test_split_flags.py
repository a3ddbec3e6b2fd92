"""Flags that choose among what a file lists: its parts, its classes, and videos with two labels."""

from __future__ import annotations

from pathlib import Path

import miniatures
import pytest

from vdroppath_tf.cli import main

ROWS = "a,aaaaaaaaaaa,0,10,train\nb,bbbbbbbbbbb,0,10,train\nb,ccccccccccc,0,10,validate\n"


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    for key in ("aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"):
        miniatures.video(tmp_path / f"{key}_000000_000010.mp4")
    text = "label,youtube_id,time_start,time_end,split\n" + ROWS
    return miniatures.write(tmp_path / "all.csv", text)


def catalog(path: Path, *flags: str) -> int:
    return main(["catalog", f"--data={path}", *flags])


def test_the_parts_of_one_file(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--split=train", f"--validation={listed}", "--validation_split=val")
    assert catalog(listed, *flags) == 0
    out = capsys.readouterr().out
    assert "all.csv: 2 videos of 2 classes" in out
    assert "all.csv: 1 videos of 2 classes" in out
    assert "in both: 0" in out


def test_each_part_is_chosen(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The training part is never taken for the validation videos too."""
    assert catalog(listed) != 0
    assert "--split" in capsys.readouterr().err
    assert catalog(listed, "--split=train", f"--validation={listed}") != 0
    assert "--validation_split" in capsys.readouterr().err
    assert catalog(listed, "--split=dev") != 0
    assert "has no split 'dev'" in capsys.readouterr().err


def test_two_labels(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed.write_text(listed.read_text() + "a,bbbbbbbbbbb,0,10,train\n")
    assert catalog(listed, "--split=train") != 0
    assert "--allow_two_labels" in capsys.readouterr().err
    assert catalog(listed, "--split=train", "--allow_two_labels") == 0
    out = capsys.readouterr().out
    assert "3 videos of 2 classes" in out
    assert "note: 1 videos are listed with a further label" in out


def test_the_classes_of_epic_kitchens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    miniatures.video(tmp_path / "P01_01.mp4")
    text = (
        "video_id,start_timestamp,stop_timestamp,verb_class,noun_class\n"
        "P01_01,00:00:00.00,00:00:00.08,3,5\n"
    )
    path = miniatures.write(tmp_path / "EPIC_100_train.csv", text)
    assert catalog(path) != 0
    assert "epic-kitchens-verbs" in capsys.readouterr().err
    assert catalog(path, "--format=epic-kitchens-nouns", "--frames") == 0
    out = capsys.readouterr().out
    assert "1 videos of 6 classes" in out
    assert "frames: min 2" in out

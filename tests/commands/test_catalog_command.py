"""`vdroppath catalog`, and the flags for videos that all commands share."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import barcode
import miniatures
import pytest
from absl import flags

from vdroppath_tf.cli import COMMANDS, main
from vdroppath_tf.commands.sources import open_source
from vdroppath_tf.data.catalog import Manifest, open_manifest


@pytest.fixture(scope="module")
def hmdb51(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return miniatures.hmdb51(tmp_path_factory.mktemp("hmdb51")).train


def flags_of(hmdb51: dict[str, Any]) -> list[str]:
    return [f"--data={hmdb51['source']}", f"--data_root={hmdb51['root']}"]


def test_table(hmdb51: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", *flags_of(hmdb51)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("testTrainMulti_7030_splits: 4 videos of 2 classes")
    assert lines[1] == "digest: " + open_manifest(**hmdb51).digest()
    assert lines[2].startswith("format: hmdb51 (")
    assert [line.split() for line in lines[3:]] == [
        ["2", "#" * 40, "brush_hair"],
        ["2", "#" * 40, "wave"],
    ]


def test_json_with_frames(hmdb51: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    more = [f"--validation={hmdb51['source']}", "--frames", "--json"]
    # all barcodes of three frames are the same file under other names: copies, which are found
    assert main(["catalog", *flags_of(hmdb51), *more]) == 1
    done = capsys.readouterr()
    found = json.loads(done.out)
    assert found["format"] == "vdroppath_tf.catalog/1"
    assert found["data_format"] == "hmdb51"
    assert found["classes"] == {"brush_hair": 2, "wave": 2}
    assert found["frames"] == {"min": 3, "median": 3, "max": 3, "total": 12}
    assert found["seconds"]["total"] == pytest.approx(4 * 3 / 25, abs=0.01)
    height, width = barcode.SIZE
    assert found["sizes"] == {f"{width}x{height}": 4}
    assert found["bad"] == []
    assert found["validation"]["videos"] == 2
    assert len(found["shared"]) == 2
    assert "2 videos are in both --data and --validation" in done.err


def test_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was assumed is said once: in the table, and in the log of the other commands."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.mp4").touch()

    def with_notes(*args: Any, **options: Any) -> Manifest:
        return dataclasses.replace(open_manifest(*args, **options), notes=("the first", "a second"))

    monkeypatch.setattr("vdroppath_tf.data.open_manifest", with_notes)
    assert main(["catalog", f"--data={tmp_path}"]) == 0
    done = capsys.readouterr()
    assert done.out.splitlines()[2:4] == ["note: the first", "note: a second"]
    assert "the first" not in done.err
    assert main(["catalog", f"--data={tmp_path}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["the first", "a second"]
    assert main(["convert", f"--data={tmp_path}", f"--out={tmp_path / 'out'}"]) == 1  # b is empty
    assert f"{tmp_path}: the first" in capsys.readouterr().err


def test_bad_videos(hmdb51: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    root = shutil.copytree(hmdb51["root"], tmp_path / "videos")
    bad = root / "wave" / "c_1.avi"
    bad.write_bytes(b"")
    out = tmp_path / "train.jsonl"
    more = [f"--data_root={root}", "--frames", f"--out={out}", "--all_classes"]
    assert main(["catalog", f"--data={hmdb51['source']}", *more]) == 1
    done = capsys.readouterr()
    assert f"{bad}: is empty" in done.err
    assert "1 videos cannot be used" in done.err
    assert "frames: min 3, median 3, max 3, total 9" in done.out
    manifest = open_manifest(out, root=root)  # written all the same
    assert [entry.num_frames for entry in manifest] == [3, 3, 3, None]


def test_many_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(12):
        for video in range(1 + k % 3):
            path = tmp_path / f"class{k:02d}" / f"{video}.mp4"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    assert main(["catalog", f"--data={tmp_path}"]) == 0
    lines = capsys.readouterr().out.splitlines()[3:]
    shown = [line.split()[-1] for line in (*lines[:5], *lines[6:])]
    assert shown == [f"class{k:02d}" for k in (2, 5, 8, 11, 1, 10, 0, 3, 6, 9)]
    assert "2 classes between" in lines[5]
    assert main(["catalog", f"--data={tmp_path}", "--all_classes"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 + 12


@pytest.mark.parametrize("command", ["train", "evaluate", "derive", "catalog"])
def test_every_command_takes_every_format(command: str, hmdb51: dict[str, Any]) -> None:
    values = flags.FlagValues()
    COMMANDS[command].define(values)
    name = "train_data" if command == "derive" else "data"
    given = {name: hmdb51["source"], f"{name}_root": hmdb51["root"], "split": 1}
    for flag, value in given.items():
        values[flag].value = str(value) if flag != "split" else value
    values.mark_as_parsed()
    assert open_source(values, name, part="train") == open_manifest(**hmdb51)
    if command == "train":
        values["validation"].value = str(hmdb51["source"])  # the root is that of --data
        found = open_source(values, "validation", ("brush_hair", "wave"), part="test")
        assert found == open_manifest(**{**hmdb51, "part": "test"})


def test_an_option_that_does_not_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.mp4").touch()
    assert main(["catalog", f"--data={tmp_path}", "--label_base=1"]) == 1
    assert "label_base does not go with the format 'folders'" in capsys.readouterr().err


def test_parts_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command takes the part of --data that it needs; nobody has to name both folders."""
    for number, name in enumerate(
        ("train/a/1.avi", "train/b/2.avi", "val/b/3.avi", "test/a/4.avi")
    ):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        barcode.write(tmp_path / "set" / name, 3 + number, codec="mpeg4")
    data = f"--data={tmp_path / 'set'}"
    assert main(["catalog", data, "--frames"]) == 0
    shown = capsys.readouterr().out
    assert "set: 2 videos of 2 classes" in shown
    assert "note: the part 'train' is taken; other parts: val, test" in shown
    assert "set: 1 videos of 2 classes (1 without a video)" in shown
    assert "in both: 0" in shown
    assert main(["catalog", data, "--part=test"]) == 0
    assert "set: 1 videos of 1 classes" in capsys.readouterr().out
    assert main(["doctor", data, f"--out={tmp_path / 'doctor.json'}"]) == 0
    shown = capsys.readouterr().out
    for part, count in (("train", 2), ("validation", 1), ("test", 1)):
        assert f"{part}: {count} of {count} videos are good" in shown

"""`vdroppath predict` on files, folders and lists, in every form, and windows of a long video."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import said

from vdroppath_tf.data.sources.encode import write_video


@pytest.fixture(scope="module")
def folder(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with videos in a folder, a list of two of them, and a bad one."""
    place = tmp_path_factory.mktemp("videos")
    (place / "in").mkdir()
    for entry in motion.manifest("test").entries[:3]:
        file = Path(entry.path)
        (place / "in" / file.name).write_bytes(file.read_bytes())
    (place / "in" / "bad.mp4").write_bytes(b"no video")
    (place / "two.txt").write_text("in/000000.mp4\nin/000001.mp4\n")
    return place


def test_folders_lists_and_files_in_one_call(call: Any, chain: Path, folder: Path) -> None:
    files = [f"{folder}/in/{k:06d}.mp4" for k in range(3)]
    model = f"--model={chain}/served/1"
    done = call("predict", model, "--format=jsonl", folder / "in", folder / "two.txt", files[2])
    assert done.code == 1
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [each["file"] for each in answers] == [*files, *files[:2], files[2]]
    assert answers[:2] == answers[3:5]
    assert all(len(each["probabilities"]) == 3 for each in answers)  # --top, in JSON too
    assert "bad.mp4" in done.error
    assert "1 of 7 videos have no answer" in done.error


def test_a_list_with_classes(call: Any, chain: Path, motion: Any) -> None:
    listed = f"--data={motion.folder}/test.txt"
    done = call("predict", f"--model={chain}/served/1", listed, "--format=csv", "--top=2")
    assert done.code == 0, done.error
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["file"] for row in rows] == [e.path for e in motion.manifest("test")]
    assert list(rows[0]) == ["file", "label1", "score1", "label2", "score2"]
    assert all(float(row["score1"]) >= float(row["score2"]) for row in rows)


def test_a_network_answers_as_what_it_was_exported_as(call: Any, chain: Path, folder: Path) -> None:
    found = []
    for model in ("served", "run/derived.keras"):
        done = call("predict", f"--model={chain}/{model}", "--json", "--top=4", folder / "two.txt")
        assert done.code == 0, done.error
        newest = f"{chain}/served: the newest version in it is used, {chain}/served/1"
        assert (newest in done.error) == (model == "served")
        found.append([json.loads(line)["probabilities"] for line in done.out.splitlines()])
    for served, own in zip(*found, strict=True):
        assert served == pytest.approx(own, abs=1e-5)


def test_windows_of_a_bad_video(call: Any, chain: Path, folder: Path) -> None:
    done = call("predict", f"--model={chain}/served/1", "--window=2", folder / "in")
    assert done.code == 1
    assert len(done.out.splitlines()) == 3
    (last,) = [line for line in done.error.splitlines() if line.startswith("vdroppath predict")]
    assert "1 video has no answer, or not for all windows, for the reasons" in last
    assert last.endswith("bad.mp4")


@pytest.mark.parametrize("kind", ["table", "jsonl", "csv"])
def test_a_long_video_over_time(call: Any, chain: Path, tmp_path: Path, kind: str) -> None:
    film = tmp_path / "long.mp4"
    frames = np.random.default_rng(0).integers(0, 256, (50, 16, 16, 3), np.uint8)
    write_video(film, frames, fps=10)
    flags = [f"--model={chain}/served/1", "--window=2", "--hop=1.5", f"--format={kind}", "--top=1"]
    done = call("predict", *flags, film)
    assert done.code == 0, done.error
    if kind == "table":
        assert [line.split(": ")[0] for line in done.out.splitlines()] == [
            f"{film} {span} s" for span in ("0.00-2.00", "1.50-3.50", "3.00-5.00")
        ]
        return
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert list(rows[0]) == ["file", "start", "end", "label1", "score1"]
    else:
        rows = [json.loads(line) for line in done.out.splitlines()]
        assert [row["frames"] for row in rows] == [
            [list(range(k, k + 4))]
            for k in (8, 23, 38)  # the centre of each window
        ]
    spans = [(float(row["start"]), float(row["end"])) for row in rows]
    np.testing.assert_allclose(spans, [(0, 2), (1.5, 3.5), (3, 5)])


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--window=0"], 2, "--window=0"),
        (["--hop=1"], 1, "--hop has no effect without --window"),
        (["--window=1", "--hop=2"], 1, "--hop=2: is longer than --window=1"),
    ],
)
def test_windows_that_are_none(
    call: Any, chain: Path, folder: Path, flags: list[str], code: int, message: str
) -> None:
    done = call("predict", f"--model={chain}/served/1", *flags, folder / "in" / "000000.mp4")
    assert re.search(message, said(done, code=code)), done.error

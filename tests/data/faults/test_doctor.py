"""The doctor: every frame decoded, every bad video named, a stopped run taken up again."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import barcode
import numpy as np
import pytest

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.faults import doctor
from vdroppath_tf.data.faults.doctor import diagnose, examine
from vdroppath_tf.data.faults.journal import Finding
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.data.sources.video import VideoFile

VIDEOS, FRAMES = 5, 6


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    rng = np.random.default_rng(0)
    for k in range(VIDEOS):
        frames = rng.integers(0, 256, (FRAMES, 32, 48 if k == 4 else 32, 3), np.uint8)
        write_video(tmp_path / f"{k}.mp4", frames)
    (tmp_path / "list.txt").write_text("".join(f"{k}.mp4 {FRAMES} 0\n" for k in range(VIDEOS)))
    return open_manifest(tmp_path / "list.txt")


def spoil(path: str) -> None:
    Path(path).write_bytes(Path(path).read_bytes()[:-9])


def test_all_good(manifest: Manifest, tmp_path: Path) -> None:
    found = diagnose([("train", manifest)], tmp_path / "journal")
    assert (found.faults, found.known, found.decoded) == ((), 0, VIDEOS * FRAMES)
    assert [f.path for f in found.findings] == [e.path for e in manifest]
    assert found.sizes() == [("32x32", 4), ("48x32", 1)]


def test_names_the_bad(manifest: Manifest, tmp_path: Path) -> None:
    spoil(manifest.entries[1].path)
    Path(manifest.entries[3].path).unlink()
    splits = [("train", manifest.select([0, 1])), ("validation", manifest.select([2, 3, 4]))]
    found = diagnose(splits, tmp_path / "journal", workers=2)
    assert [(f.split, Path(f.path).name, f.found) for f in found.faults] == [
        ("train", "1.mp4", "doctor"),
        ("validation", "3.mp4", "doctor"),
    ]
    assert "is cut short" in found.faults[0].reason


def test_every_frame_in_pieces(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_CHUNK_BYTES", 4 * 32 * 32 * 3)
    read = VideoFile.read
    pieces: list[list[int]] = []

    def spy(self: VideoFile, indices: range, **options: int) -> np.ndarray:
        pieces.append(list(indices))
        return read(self, indices, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(VideoFile, "read", spy)
    assert examine(manifest.entries[0]).error is None
    assert pieces == [[0, 1, 2, 3], [4, 5]]


def test_the_list_against_the_file(manifest: Manifest) -> None:
    first = manifest.entries[0]
    more = examine(VideoEntry(first.source, 0, FRAMES + 1, "list.txt:1"))
    assert more.error is not None
    assert "holds 6 frames, but list.txt:1 lists 7" in more.error
    assert examine(VideoEntry(first.source, 0, FRAMES - 1, "list.txt:1")).error is None


def run(manifest: Manifest, journal: Path) -> tuple[list[str], doctor.Diagnosis]:
    """Names of the videos that are decoded, and what was found."""
    decoded: list[str] = []
    real = doctor.examine

    def spy(entry: VideoEntry, **how: bool) -> Finding:
        decoded.append(Path(entry.path).name)
        return real(entry, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "examine", spy)
        found = diagnose([("train", manifest)], journal, workers=1)
    return decoded, found


class TestJournal:
    def test_goes_on(self, manifest: Manifest, tmp_path: Path) -> None:
        journal = tmp_path / "journal"

        def stop(finding: Finding) -> None:
            if finding.path.endswith("2.mp4"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            diagnose([("train", manifest)], journal, workers=1, on_video=stop)
        with open(journal, "a") as file:
            file.write('{"path": "half a li')  # killed while it wrote
        decoded, found = run(manifest, journal)
        assert decoded == ["3.mp4", "4.mp4"]
        assert (found.known, found.decoded, len(found.findings)) == (3, 2 * FRAMES, VIDEOS)
        assert run(manifest, journal)[0] == []

    def test_what_changed_is_looked_at_again(self, manifest: Manifest, tmp_path: Path) -> None:
        journal = tmp_path / "journal"
        run(manifest, journal)
        spoil(manifest.entries[0].path)  # another size
        status = os.stat(manifest.entries[2].path)
        os.utime(manifest.entries[2].path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
        decoded, found = run(manifest, journal)
        assert decoded == ["0.mp4", "2.mp4"]
        assert [Path(f.path).name for f in found.faults] == ["0.mp4"]
        assert run(manifest, journal)[0] == ["0.mp4"]  # bad ones always are

    def test_what_an_older_version_found_is_looked_at_again(
        self, manifest: Manifest, tmp_path: Path
    ) -> None:
        """It may have read videos in another way, without turning them, for example."""
        journal = tmp_path / "journal"
        run(manifest, journal)
        head, *lines = journal.read_text().splitlines()
        fields = [json.loads(line) for line in lines]
        del fields[1]["reading"]
        fields[2]["reading"] = "vdroppath_tf.frame_index/1"
        journal.write_text("\n".join([head, *map(json.dumps, fields)]) + "\n")
        assert run(manifest, journal)[0] == ["1.mp4", "2.mp4"]
        assert run(manifest, journal)[0] == []

    def test_a_list_that_wants_more_now(self, manifest: Manifest, tmp_path: Path) -> None:
        run(manifest, tmp_path / "journal")
        first = manifest.entries[0]
        entry = VideoEntry(first.source, 0, FRAMES + 1, "list.txt:1")
        more = Manifest((entry, *manifest.entries[1:]), manifest.labels, manifest.source)
        decoded, found = run(more, tmp_path / "journal")
        assert decoded == ["0.mp4"]
        assert len(found.faults) == 1

    def test_some_other_file(self, manifest: Manifest) -> None:
        with pytest.raises(ValueError, match="is not a journal"):
            diagnose([("train", manifest)], manifest.source)
        assert "0.mp4" in Path(manifest.source).read_text()


def test_the_stamp_of_a_folder_and_of_a_part(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for k in range(3):
        (tmp_path / "frames" / f"{k}.jpg").write_bytes(b"x" * (k + 1))
    first = doctor._stamp(str(tmp_path / "frames"))
    assert first is not None
    assert (first[0], first[2]) == (6, 3)
    (tmp_path / "frames" / "1.jpg").write_bytes(b"xxxxx")
    assert doctor._stamp(str(tmp_path / "frames")) != first
    (tmp_path / "a.h5").write_bytes(b"1234")
    assert doctor._stamp(f"{tmp_path}/a.h5/video/3") == doctor._stamp(str(tmp_path / "a.h5"))


def test_frames_that_were_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broadcast that was recorded from between two keyframes on is good, and this is said."""
    from vdroppath_tf.cli import main

    whole = barcode.write(tmp_path / "whole.ts", 30)
    data = whole.read_bytes()
    (tmp_path / "tuned.ts").write_bytes(data[8 * 188 :])
    (tmp_path / "list.txt").write_text("whole.ts 30 0\ntuned.ts 18 0\n")
    out = tmp_path / "doctor.json"
    for _ in range(2):  # the second time from the journal
        assert main(["doctor", f"--data={tmp_path}/list.txt", f"--out={out}"]) == 0
        said = capsys.readouterr().out
        found = re.search(r"1 videos begin with frames .*: (\d+) frames are left out", said)
        assert found is not None
        assert 1 <= int(found[1]) <= 11
        assert f"cut: {tmp_path}/tuned.ts: {found[1]} frames left out" in said
        assert "whole.ts" not in said
        assert "more" not in said
    monkeypatch.setattr("vdroppath_tf.commands.doctor._NAMED", 0)  # as if there were many
    assert main(["doctor", f"--data={tmp_path}/list.txt", f"--out={out}"]) == 0
    said = capsys.readouterr().out
    assert "frame 0\n... and 1 more\n" in said


@pytest.mark.parametrize("error", [MemoryError, ZeroDivisionError])
def test_nothing_else_is_caught(
    manifest: Manifest, tmp_path: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(VideoFile, "read", read)
    with pytest.raises(error):
        diagnose([("train", manifest)], tmp_path / "journal")


def test_quickly(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three frames of each video are read: the first, the middle one, the last."""
    asked = []
    real = VideoFile.read

    def spy(self: VideoFile, indices: range, **options: Any) -> np.ndarray:
        asked.append([int(k) for k in indices])
        return real(self, indices, **options)

    monkeypatch.setattr(VideoFile, "read", spy)
    found = diagnose([("train", manifest)], tmp_path / "journal", quick=True, workers=1)
    assert not found.faults
    assert asked == [[0, (FRAMES - 1) // 2, FRAMES - 1]] * len(manifest)


def test_the_command(
    manifest: Manifest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from vdroppath_tf.cli import main

    out = tmp_path / "doctor.json"
    command = ["doctor", f"--data={manifest.source}", f"--out={out}"]
    assert main(command) == 0
    text = capsys.readouterr()
    assert "30 frames decoded in" in text.out
    assert "train: 5 of 5 videos are good" in text.out
    assert main([*command, "--quick"]) == 0
    assert "15 frames decoded in" in capsys.readouterr().out
    assert "frame sizes: 32x32 (4), 48x32 (1); train crops clips of one size" in text.out
    assert json.loads(out.read_text())["videos"] == []
    spoil(manifest.entries[1].path)
    assert main(command) == 1
    text = capsys.readouterr()
    assert "4 videos unchanged since the journal" in text.out
    assert "     1 x is cut short: N of N bytes are there" in text.out
    assert f"1 of 5 videos are bad, see {out}" in text.err
    assert [video["path"] for video in json.loads(out.read_text())["videos"]] == ["1.mp4"]
    monkeypatch.setattr("vdroppath_tf.commands.doctor._NAMED", 0)
    assert main([*command, "--fresh"]) == 1
    said = capsys.readouterr().out
    assert "24 frames decoded in" in said
    assert "... and 1 more; by reason, N for numbers:\n     1 x is cut short" in said
    assert "bad: " not in said

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import record_files
from record_files import FRAMES, VIDEOS, numbers

from vdroppath_tf.cli import main
from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.records.parts import read_bad
from vdroppath_tf.data.records.reader import check_shards, read_records
from vdroppath_tf.data.records.writer import Written, write_records
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.encode import write_video

SHARDS = 3
ORDER = [f"video {k}.mp4" for k in range(VIDEOS)]
PROGRAM = """
import os, signal, sys
from vdroppath_tf.data.catalog import open_manifest
from vdroppath_tf.data.records.writer import write_records

def on_video(done, total):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)

manifest = open_manifest(sys.argv[1], labels=("left", "right", "still"))
write_records(sys.argv[2], manifest, shards=3, workers=1, on_video=on_video)
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return record_files.write_list(tmp_path_factory.mktemp("videos"))


def write(folder: Path, videos: Manifest, **options: object) -> Written:
    return write_records(folder, videos, shards=SHARDS, **options)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(videos: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "train"
    written = write(folder, videos, workers=2)
    assert (written.videos, written.bad) == (VIDEOS, ())
    assert written.bytes == sum(file.stat().st_size for file in folder.glob("*.tfrecord"))
    return folder


@pytest.fixture
def with_bad(videos: Manifest, tmp_path: Path) -> Manifest:
    """Video 1 is damaged, and video 4 shorter than its line says."""
    folder = tmp_path / "videos"
    shutil.copytree(Path(videos.source).parent, folder)
    (folder / "video 1.mp4").write_bytes(b"no video")
    text = (folder / "list.txt").read_text().replace("video 4.mp4 17", "video 4.mp4 21")
    (folder / "list.txt").write_text(text)
    return open_manifest(folder / "list.txt", labels=videos.labels)


def test_files_depend_on_nothing_but_the_videos(
    whole: Path, videos: Manifest, tmp_path: Path
) -> None:
    write(tmp_path / "train", videos, workers=1)
    assert contents(tmp_path / "train") == contents(whole)
    names = {f"train-0000{k}-of-0000{SHARDS}.tfrecord" for k in range(SHARDS)}
    assert contents(whole).keys() == names | {"index.json", "bad.json", "settings.json"}


def test_killed_and_taken_up_again(whole: Path, videos: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "train"
    command = [sys.executable, "-c", PROGRAM, videos.source, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    finished = sorted(folder.glob("*.tfrecord"))
    assert [file.name[:11] for file in finished] == ["train-00000", "train-00001"]
    assert not (folder / "index.json").exists()
    times = [file.stat().st_mtime_ns for file in finished]
    steps: list[int] = []
    assert write(folder, videos, on_video=lambda n, _: steps.append(n)).videos == VIDEOS
    assert [file.stat().st_mtime_ns for file in finished] == times, "written a second time"
    assert steps[-1] == VIDEOS
    assert contents(folder) == contents(whole)


def test_a_lost_shard_is_made_again(whole: Path, with_bad: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "train"
    write(folder, with_bad, max_bad_fraction=0.5)
    before = contents(folder)
    (folder / "train-00001-of-00003.tfrecord").unlink()
    written = write(folder, with_bad, max_bad_fraction=0.5)
    assert (written.videos, len(written.bad)) == (VIDEOS - 2, 2)
    assert contents(folder) == before
    check_shards(folder)


def test_a_list_of_bad_videos_of_another_index(
    whole: Path, videos: Manifest, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "train")
    index = json.loads((tmp_path / "train" / "index.json").read_text())
    (tmp_path / "train" / "index.json").write_text(json.dumps(index | {"bad": 1}))
    with pytest.raises(ValueError, match=r"bad\.json lists 0 bad videos instead of 1\. Remove it"):
        write(tmp_path / "train", videos)


def test_other_settings_are_refused(whole: Path, videos: Manifest) -> None:
    before = contents(whole)
    for options, what in (
        ({"quality": 80}, "quality 90, not 80"),
        ({"short_edge": 16}, "short_edge None, not 16"),
    ):
        match = rf"settings\.json: the folder holds another set of records: {what}\. Pass a new"
        with pytest.raises(ValueError, match=match):
            write(whole, videos, **options)
    with pytest.raises(ValueError, match="Pass a new folder"):
        write(whole, videos.select(range(VIDEOS - 1)))
    assert contents(whole) == before


def test_a_folder_with_something_else_is_left_alone(videos: Manifest, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty and holds no set of records"):
        write(tmp_path, videos)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_scaled_and_coded_as_asked(videos: Manifest, tmp_path: Path) -> None:
    sizes = {}
    for quality in (30, 95):
        folder = tmp_path / str(quality)
        sizes[quality] = write(folder, videos, short_edge=24, quality=quality).bytes
        for number, entry in enumerate(read_records(folder)):
            info = entry.source.info()
            assert (info.height, info.width) == (24, 96)
            shown = numbers(entry.source.read(range(entry.num_frames or 0)))
            assert shown == [number * FRAMES + k for k in range(FRAMES - 3 * (number % 2 == 0))]
    assert sizes[30] < sizes[95]


def test_a_long_video_is_coded_piece_by_piece(
    whole: Path, videos: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vdroppath_tf.data.records.frames._BYTES", 7 * 32 * 128 * 3)
    write(tmp_path / "train", videos)
    assert contents(tmp_path / "train") == contents(whole)


def test_each_shard_holds_every_class_of_a_sorted_list(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / "videos" / name).mkdir(parents=True)
        for k in range(4):
            pictures = np.zeros((2, 16, 16, 3), np.uint8)
            write_video(tmp_path / "videos" / name / f"{k}.mp4", pictures)
    manifest = open_manifest(tmp_path / "videos")
    write_records(tmp_path / "records", manifest, shards=2)
    index = json.loads((tmp_path / "records" / "index.json").read_text())
    assert {(row[0], row[5]) for row in index["records"]} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert [row[-1] for row in index["records"]] == [f"{c}/{k}.mp4" for c in "ab" for k in range(4)]


class TestBad:
    def test_named_and_counted(self, with_bad: Manifest, tmp_path: Path) -> None:
        folder = tmp_path / "train"
        written = write(folder, with_bad, max_bad_fraction=0.34)
        assert written.videos == VIDEOS - 2
        assert read_bad(folder) == written.bad
        first, second = written.bad
        assert (first.number, second.number) == (1, 4)
        assert first.path == with_bad.entries[1].path
        assert "is damaged or not a video" in first.reason
        assert "holds 20 frames, but" in second.reason
        assert second.shard == "train-00001-of-00003.tfrecord"
        left = read_records(folder)
        assert [entry.path.rpartition(": ")[2] for entry in left] == [
            name for k, name in enumerate(ORDER) if k not in (1, 4)
        ]

    def test_too_many(self, with_bad: Manifest, tmp_path: Path) -> None:
        folder = tmp_path / "train"
        with pytest.raises(VideoError, match=r"2 of 6 videos .* allows 1\. The last: .*bad\.json"):
            write(folder, with_bad, workers=1)
        assert {video.number for video in read_bad(folder)} == {1, 4}
        assert not (folder / "index.json").exists()
        finished = contents(folder)["train-00000-of-00003.tfrecord"]
        assert write(folder, with_bad, max_bad_fraction=0.5).videos == VIDEOS - 2
        assert contents(folder)["train-00000-of-00003.tfrecord"] == finished

    def test_none_allowed(self, with_bad: Manifest, tmp_path: Path) -> None:
        with pytest.raises(VideoError, match="allows 0"):
            write(tmp_path / "train", with_bad, max_bad_fraction=0.0)

    def test_all_bad_is_never_allowed(self, with_bad: Manifest, tmp_path: Path) -> None:
        only = with_bad.select([1, 4])
        with pytest.raises(VideoError, match="2 of 2 videos"):
            write_records(tmp_path / "train", only, max_bad_fraction=1.0)

    def test_a_mended_video_is_taken_in(
        self, videos: Manifest, with_bad: Manifest, tmp_path: Path
    ) -> None:
        folder = tmp_path / "train"
        bad = write(folder, with_bad, max_bad_fraction=0.5).bad[0]
        shutil.copy(videos.entries[bad.number].path, bad.path)
        (folder / bad.shard).unlink()
        assert [video.number for video in write(folder, with_bad).bad] == [4]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"shards": 0}, "shards must be 1 to 6"),
        ({"shards": VIDEOS + 1}, "shards must be 1 to 6"),
        ({"quality": 0}, "quality must be"),
        ({"quality": 101}, "quality must be"),
        ({"short_edge": 0}, "short_edge at least 1"),
        ({"max_bad_fraction": 1.1}, "max_bad_fraction must be"),
    ],
)
def test_bad_arguments(
    videos: Manifest, tmp_path: Path, options: dict[str, object], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        write_records(tmp_path / "new", videos, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_no_video(videos: Manifest, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the manifest has no video"):
        write_records(tmp_path / "new", videos.select([]))


def test_no_folder_here(videos: Manifest) -> None:
    with pytest.raises(ValueError, match="s3://bucket/train: is a URL"):
        write_records("s3://bucket/train", videos)


def test_frames_that_would_become_too_wide(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", np.zeros((2, 2, 256, 3), np.uint8))
    (tmp_path / "list.txt").write_text("a.mp4 2 0\n")
    manifest = open_manifest(tmp_path / "list.txt")
    with pytest.raises(VideoError, match="frames become 32768x256"):
        write_records(tmp_path / "out", manifest, short_edge=256)


class TestCommand:
    def test_says_how_many(
        self, with_bad: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (Path(with_bad.source).with_name("labels.txt")).write_text("left\nright\nstill\n")
        out = str(tmp_path / "records" / "train")
        command = ["convert", f"--data={with_bad.source}", f"--out={out}", "--shards=2"]
        assert main([*command, "--short_edge=16", "--max_bad_fraction=0.4"]) == 0
        said = capsys.readouterr().err
        assert "Wrote 4 of 6 videos" in said
        assert f"2 are left out: see {out}/bad.json" in said
        assert "video 1.mp4: is damaged" in said
        assert open_manifest(out).labels == ("left", "right", "still")

    def test_a_quarantine_leaves_them_out_beforehand(
        self, with_bad: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found, out = f"{tmp_path}/doctor.json", f"--out={tmp_path / 'train'}"
        assert main(["doctor", f"--data={with_bad.source}", f"--out={found}"]) == 1
        assert main(["convert", f"--data={with_bad.source}", out, f"--quarantine={found}"]) == 0
        said = capsys.readouterr().err
        assert "leaves out 2 of the 6 videos" in said
        assert "Wrote 4 of 4 videos" in said

    def test_too_many_bad(
        self, with_bad: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = f"--out={tmp_path / 'train'}"
        assert main(["convert", f"--data={with_bad.source}", out]) == 1
        assert "of 6 videos could not be converted" in capsys.readouterr().err

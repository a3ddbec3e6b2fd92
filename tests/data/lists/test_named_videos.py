"""Videos that are named by themselves: what a path stands for."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from vdroppath_tf.data.lists.named_videos import VideoReading, named_videos
from vdroppath_tf.data.sources.container import VideoError

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Videos, frame folders and what is neither; nothing of it is read."""
    for name in (
        *("b/two.mp4", "b/one.avi", "a/00001.jpg", "a/00002.jpg", "c/d/img_7.png"),
        *("notes.md", ".hidden/x.mp4", "b/part.mp4.crdownload", "empty/readme.md"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("in/film.mp4", b"0")
    return tmp_path


def names(path: Path, **reading: float) -> list[str]:
    return [entry.name for entry in named_videos(path, VideoReading(**reading))]  # type: ignore


def test_a_folder_gives_all_that_is_below_it_once(tree: Path) -> None:
    below = ["a", "b/one.avi", "b/two.mp4", "c/d", "e.zip!in/film.mp4"]
    assert names(tree) == [f"{tree}/{name}" for name in below]
    kinds = [type(entry.source).__name__ for entry in named_videos(tree)]
    assert kinds == ["FrameFolder", "VideoFile", "VideoFile", "FrameFolder", "VideoFile"]


def test_a_file_and_a_folder_of_frames_are_what_they_are(tree: Path) -> None:
    assert names(tree / "b/two.mp4") == [f"{tree}/b/two.mp4"]
    assert names(tree / "a") == [f"{tree}/a"]
    (entry,) = named_videos(tree / "a", VideoReading(source_fps=10.0))
    assert entry.fps == 10.0


def test_an_archive_of_frames_is_one_video(tree: Path) -> None:
    with zipfile.ZipFile(tree / "f.zip", "w") as archive:
        for number in (1, 2):
            archive.writestr(f"{number:05d}.jpg", PNG)
    (entry,) = named_videos(tree / "f.zip", VideoReading(source_fps=5.0))
    assert (type(entry.source).__name__, entry.name) == ("FrameZip", f"{tree}/f.zip")
    assert entry.fps == 5.0


def test_a_folder_that_cannot_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listdir = os.listdir

    def refused(folder: str) -> list[str]:
        if folder.endswith("/c"):
            raise PermissionError(13, "Permission denied")
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(VideoError, match=r"/c: cannot be listed .*Check its permissions"):
        names(tree / "c")
    bad: dict[str, str] = {}
    assert not list(named_videos(tree / "c", on_error=lambda path, _: bad.update({path: ""})))
    assert list(bad) == [f"{tree}/c"]


def test_optical_flow_is_a_folder_whatever_is_in_it(tree: Path) -> None:
    (entry,) = named_videos(tree / "a", VideoReading(flow=True))
    assert type(entry.source).__name__ == "FlowFolder"


def test_a_folder_of_nothing_is_told_by_its_reader(tree: Path) -> None:
    (entry,) = named_videos(tree / "empty")
    with pytest.raises(VideoError, match="holds no frame"):
        entry.info()


def test_a_list_of_paths(tree: Path) -> None:
    listed = tree / "videos.txt"
    listed.write_text("# mine\nb/two.mp4\n\n  a\nmissing.mp4\nb\n")
    with pytest.raises(
        VideoError, match=r"videos\.txt:5: .*missing\.mp4 does not exist\. .*--data"
    ):
        names(listed)
    bad: dict[str, str] = {}
    found = named_videos(listed, on_error=lambda path, error: bad.update({path: str(error)}))
    below = ["b/two.mp4", "a", "b/one.avi", "b/two.mp4"]
    assert [entry.name for entry in found] == [f"{tree}/{name}" for name in below]
    assert list(bad) == [f"{tree}/missing.mp4"]
    listed.write_text("# nothing\n")
    with pytest.raises(VideoError, match="lists nothing"):
        names(listed)

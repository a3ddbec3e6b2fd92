"""Lists of data sets that are damaged, or that lie next to other files: what readers say of them.

No video is decoded; see `test_datasets` for those that are whole.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

from vdroppath_tf.data import Lookup, ManifestError, open_manifest
from vdroppath_tf.data.catalog import write_manifest
from vdroppath_tf.data.lists import class_scan, text_files
from vdroppath_tf.data.lists.part_folders import parts_of
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.video import VideoFile

VIDEOS = ("a.mp4", "b.mp4", "x/a.mp4", "x/b.mp4")
EPIC = "video_id,start_timestamp,stop_timestamp,verb_class,noun_class\n"


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes videos without contents and the files; returns the first of those."""
    for name in (*VIDEOS, *files):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files.get(name, ""))
    return root / next(iter(files))


def activitynet(**videos: Any) -> dict[str, str]:
    return {"l.json": json.dumps({"database": videos})}


def annotated(segment: list[float], label: str = "run") -> dict[str, Any]:
    return {"subset": "training", "annotations": [{"segment": segment, "label": label}]}


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("activitynet", activitynet(), "l.json: has no 'database' with a video in it"),
        ("activitynet", activitynet(a={"subset": 3}), "l.json: 'a': is {'subset': 3}. Expected"),
        ("activitynet", activitynet(a=annotated([1])), "'a': has the segment {'segment': [1]"),
        ("activitynet", activitynet(a={"subset": "test"}), "no video of the split 'test' has a"),
        ("charades", {"l.csv": "id,actions,length\na,c000 1,9\n"}, "l.csv:2: 'c000 1' is not an"),
        (
            "charades",
            {"l.csv": "id,actions,length\na,c1 0 9,9\n", "Charades_v1_classes.txt": "c0 Hold\n"},
            "l.csv:2: class 'c1' is not among the 1 classes (c0, ...)",
        ),
        ("moments", {"l.csv": "x/a.mp4\n"}, "l.csv:1: has 1 fields (['x/a.mp4'])"),
        ("moments", {"l.csv": "x/a.mp4,run\nx/b.mp4,3\n"}, "l.csv:2: class is '3', but"),
        ("moments", {"l.csv": "\n"}, "l.csv: lists no video"),
        (
            "moments",
            {"l.csv": "x/a.mp4,run\n", "moments_categories.txt": "run,0\nsit,0\n"},
            "moments_categories.txt:2: 'run' has the number 0 too",
        ),
        (
            "moments",
            {"l.csv": "x/a.mp4,run\n", "moments_categories.txt": "run,0\nsit,2\n"},
            "moments_categories.txt: expected each of the numbers 0 to 1 once",
        ),
        ("epic-kitchens-verbs", {"l.csv": "video_id,x\na,1\n"}, "l.csv:1: has no column 'start_ti"),
        (
            "epic-kitchens-verbs",
            {"l.csv": EPIC + "a,0:0:1,0:0:2,0,0\n", "E_verb_classes.csv": "id,key\n1,take\n"},
            "E_verb_classes.csv:2: class is 1, expected 0",
        ),
        (
            "epic-kitchens-verbs",
            {"l.csv": f"{EPIC}a,0:1,0:2,0,0\n", "E_verb_classes.csv": "", "F_verb_classes.csv": ""},
            "its verbs may be those of E_verb_classes.csv or F_verb_classes.csv",
        ),
        ("kinetics", {"l.json": '{"a": {"annotations": {"label": "run"}}}'}, "'a': is {'annot"),
        (
            "kinetics",
            {"l.json": '{"a": {"annotations": {"label": "run", "segment": [3, 2]}}}'},
            "l.json: 'a': ends at 2 s, not after its start at 3 s",
        ),
        (
            "jester",
            {"l.csv": "video_id,label,label_id\na,run,0\nb,run,1\n"},
            "l.csv:3: 'run' has the number 1, but 0 at",
        ),
        (
            "diving48",
            {"l.json": "[]", "A_vocab.json": "[]", "B_vocab.json": "[]"},
            "its classes may be those of A_vocab.json or B_vocab.json",
        ),
    ],
)  # fmt: skip
def test_files_of_data_sets(tmp_path: Path, name: str, files: dict[str, str], words: str) -> None:
    with pytest.raises(ManifestError) as raised:
        open_manifest(write(tmp_path, files), format=name)
    assert words in str(raised.value)


def test_hmdb51_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"l\.txt: is not a folder. Expected the folder of the"):
        open_manifest(write(tmp_path, {"l.txt": ""}), format="hmdb51", part="train")


def test_activitynet_counts_videos_without_segments(tmp_path: Path) -> None:
    path = write(tmp_path, activitynet(a=annotated([0, 2]), b={"subset": "training"}))
    manifest = open_manifest(path, format="activitynet")
    assert [entry.name for entry in manifest] == ["a.mp4"]
    assert "1 videos have no segment, and are left out" in manifest.notes


def test_charades_with_other_classes(tmp_path: Path) -> None:
    files = {"l.csv": "id,actions,length\na,c0 0 9,9\n", "Charades_v1_classes.txt": "c0 Hold\n"}
    with pytest.raises(ManifestError, match=r"has 1 classes \(c0, ...\), but labels= has 2"):
        open_manifest(write(tmp_path, files), format="charades", labels=["Hold", "Sit"])


def test_classes_that_were_passed_need_no_file(tmp_path: Path) -> None:
    """Something-Something's list without its file of labels."""
    path = write(tmp_path, {"l.csv": "a;Sit\nb;Run\n"})
    manifest = open_manifest(path, format="something-v1", labels=["Run", "Sit"])
    assert [entry.label for entry in manifest] == [1, 0]


class TestZip:
    @pytest.mark.parametrize(
        ("members", "words"),
        [
            (["run/a.mp4", "b.mp4"], r"has the video 'b\.mp4'. Expected class/video\.mp4"),
            ([], r"e\.zip: is empty. Expected frames in class/video/"),
            (["b.jpg"], "has frames in '/'. Expected them in class/video/"),
        ],
    )
    def test_bad(self, tmp_path: Path, members: list[str], words: str) -> None:
        with pytest.raises(ManifestError, match=words):
            open_manifest(self.write(tmp_path, *members), format="zip")

    def test_classes_that_are_numbers(self, tmp_path: Path) -> None:
        manifest = open_manifest(self.write(tmp_path, "10/a.mp4", "9/b.mp4"))
        assert manifest.labels == ("9", "10")
        assert any("in numeric order: 9, 10 (not" in note for note in manifest.notes)

    @staticmethod
    def write(folder: Path, *members: str) -> Path:
        with zipfile.ZipFile(folder / "e.zip", "w") as archive:
            for name in members:
                archive.writestr(name, b"0")
        return folder / "e.zip"


class TestTree:
    """Names that lead to something else than a video file."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "f.h5").mkdir()
        (tmp_path / "f.zip").mkdir()
        for folder in ("f.h5/k", "f.zip!k", "f.zip"):
            (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / "bad.zip").write_bytes(b"no archive")
        with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
            archive.writestr("in/00001.jpg", b"0")
        with h5py.File(tmp_path / "g.h5", "w") as file:
            file["k"] = [0]
        return tmp_path

    def open(self, root: Path, name: str, **lookup: Any) -> Any:
        """Returns the one video of a list with this line."""
        (root / "l.txt").write_text(f"{name} 3 0\n")
        (entry,) = open_manifest(root / "l.txt", format="list", lookup=Lookup(**lookup))
        return entry.source

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("f.h5/k", "FrameFolder"),  # a folder that is named like a file
            ("f.zip!k", "FrameFolder"),
            ("g.h5/k", "Hdf5Frames"),
            ("e.zip!in", "FrameZip"),
            ("e.zip!in/00001.jpg", "FrameZip"),
        ],
    )
    def test_kinds(self, root: Path, name: str, kind: str) -> None:
        assert type(self.open(root, name)).__name__ == kind

    def test_an_archive_that_cannot_be_listed(self, root: Path) -> None:
        source = self.open(root, "bad.zip!a.mp4")
        with pytest.raises(VideoError, match=r"bad\.zip!a\.mp4: .*no end record"):
            source.info()
        with pytest.raises(ManifestError, match=r"there is no file 'a\.mp4' in .*e\.zip"):
            self.open(root, "e.zip!a.mp4")

    def test_a_name_that_cannot_be_read(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As the system tells it of a broken disk, or of a folder that only others may read."""
        lstat = os.lstat

        def refused(path: Any, **options: Any) -> os.stat_result:
            if str(path).endswith("f.h5/k"):
                raise PermissionError(errno.EACCES, "Permission denied")
            return lstat(path, **options)

        monkeypatch.setattr(os, "lstat", refused)
        with pytest.raises(
            ManifestError, match=r"l\.txt:1: 'f\.h5/k' cannot be read \(.*Permission"
        ):
            self.open(root, "f.h5/k")

    @pytest.mark.parametrize(
        ("folders", "words"),
        [("/tmp", "must be several folders. Received: '/tmp'"), (["/none"], "/none, to which lin")],
    )
    def test_links_to(self, root: Path, folders: Any, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            self.open(root, "f.h5/k", allow_links_to=folders)


class TestFolders:
    def test_parts(self, tmp_path: Path) -> None:
        assert parts_of(write(tmp_path, {"val/run/a.mp4": "", "other/run/a.mp4": ""})) == {}
        assert parts_of(tmp_path) == {}, "one part next to a folder that may be a class"

    @pytest.mark.parametrize(
        ("folders", "part", "words"),
        [
            (
                ("val", "validation", "train"),
                None,
                "val and validation are the same part of a data",
            ),
            (("val", "test"), "train", "has no folder of the part 'train', but val, test"),
            (("val", "test"), "dev set", "part is 'dev set', expected one of train, val"),
        ],
    )
    def test_bad_parts(
        self, tmp_path: Path, folders: tuple[str, ...], part: str | None, words: str
    ) -> None:
        write(tmp_path / "set", {f"{folder}/run/a.mp4": "" for folder in folders})
        for name in ("x/a.mp4", "x/b.mp4"):
            (tmp_path / "set" / name).unlink()
        with pytest.raises(ManifestError, match=words):
            open_manifest(tmp_path / "set", part=part)

    @pytest.mark.parametrize(
        ("files", "lookup", "words"),
        [
            (["run/a.txt", "sit/b.txt"], {}, r"holds no video. Expected .*\.txt"),
            (
                ["run/a.mp4"],
                {"class_level": 2},
                r"class_level\) is 2: 'run/a.mp4' has fewer folders",
            ),
            (["run/a.mp4"], {"class_level": 0}, r"class_level\) is 0"),
            (["/".join("12345678/a.mp4")], {}, "is too deep. Expected at most 8 folders above"),
        ],
    )
    def test_bad_classes(
        self, tmp_path: Path, files: list[str], lookup: dict[str, Any], words: str
    ) -> None:
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True)
            (tmp_path / file).touch()
        with pytest.raises(ManifestError, match=words):
            open_manifest(tmp_path, format="folders", lookup=Lookup(**lookup))

    def test_a_disk_of_other_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(class_scan, "_MOST_OTHERS", 3)
        (tmp_path / "run" / "day").mkdir(parents=True)
        for name in ("a.txt", "b.txt", "day/c.txt", "day/d.mp4"):
            (tmp_path / "run" / name).touch()
        manifest = open_manifest(tmp_path, format="folders", lookup=Lookup(class_level=1))
        assert [entry.name for entry in manifest] == ["run/day/d.mp4"]
        for name in ("c.txt", "d.txt"):
            (tmp_path / "run" / name).touch()
        with pytest.raises(
            ManifestError, match=r"run and folders before it .* hold 4 files that are"
        ):
            open_manifest(tmp_path, format="folders")


class TestManifestFile:
    @pytest.fixture
    def list_of_two(self, tmp_path: Path) -> Path:
        return write(tmp_path, {"l.txt": "a.mp4 0\nb.mp4 1\n"})

    def test_two_choices(self, list_of_two: Path) -> None:
        """A manifest file holds one stream and one rate for all its videos."""
        first = open_manifest(list_of_two)
        other = open_manifest(list_of_two, lookup=Lookup(video_stream=1))
        slow = dataclasses.replace(first.entries[1], fps=5.0)
        for entry, words in (
            (other.entries[1], "the chosen video stream differs between files"),
            (slow, r"the frame rate that was set differs between videos \(5\.0, None frames per"),
        ):
            mixed = dataclasses.replace(first, entries=(first.entries[0], entry))
            with pytest.raises(ManifestError, match=words):
                write_manifest(mixed, list_of_two.with_name("m.jsonl"))

    def test_another_stream_than_that_of_the_file(self, list_of_two: Path) -> None:
        path = list_of_two.with_name("m.jsonl")
        write_manifest(open_manifest(list_of_two, lookup=Lookup(video_stream=1)), path)
        for lookup, stream in ((Lookup(), 1), (Lookup(video_stream=2), 2)):
            sources = [entry.source for entry in open_manifest(path, lookup=lookup)]
            assert [one.stream for one in sources if isinstance(one, VideoFile)] == [stream] * 2


def test_too_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MAX_LINES", 1)
    with pytest.raises(ManifestError, match=r"l\.txt:2: expected at most 1 lines. Split it"):
        open_manifest(write(tmp_path, {"l.txt": "a.mp4 0\nb.mp4 1\n"}))


def test_a_third_time_with_a_second_label(tmp_path: Path) -> None:
    path = write(tmp_path, {"l.txt": "a.mp4 0\na.mp4 1\nb.mp4 1\n"})
    assert len(open_manifest(path, lookup=Lookup(allow_two_labels=True))) == 3
    path.write_text("a.mp4 0\na.mp4 1\na.mp4 1\n")
    with pytest.raises(ManifestError, match=r"l\.txt:3: 'a\.mp4' is listed already at .*:2"):
        open_manifest(path, lookup=Lookup(allow_two_labels=True))

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdroppath_tf.data.catalog import (
    ManifestError,
    open_manifest,
    read_folder,
    read_list,
    write_manifest,
)
from vdroppath_tf.data.lists.text_files import MAX_LINE
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames
from vdroppath_tf.data.sources.zip import FrameZip

# Whatever may stand in a file's name, spaces within and letters of any alphabet included; a list
# cannot hold line ends, nor spaces before a path.
_CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/")
_PARTS = st.text(_CHARACTERS, min_size=1, max_size=12).filter(
    lambda s: s == s.strip() and s != "." and ".." not in s and ".h" not in s.lower()
)
NAMES = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for name in ("a.mp4", "b c.mp4", "sub/d.avi"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not decoded")
    (tmp_path / "outside.mp4").touch()
    os.mkfifo(folder / "pipe.mp4")
    (folder / "a.h5").touch()
    (folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    (folder / "inner_link.mp4").symlink_to(folder / "a.mp4")
    return folder


def write(root: Path, text: str | bytes) -> Path:
    path = root / "list.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestList:
    def test_fields(self, root: Path) -> None:
        manifest = read_list(write(root, "a.mp4 30 1\nb c.mp4 7 0\n\n  sub/d.avi\t9 3 \n"))
        assert [(Path(e.path).name, e.num_frames, e.label) for e in manifest] == [
            ("a.mp4", 30, 1),
            ("b c.mp4", 7, 0),
            ("d.avi", 9, 3),
        ]
        assert manifest.entries[2].origin.endswith("list.txt:4")
        assert manifest.labels == ("0", "1", "2", "3")
        assert manifest.num_classes == 4
        assert len(manifest) == 3

    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n"])
    def test_byte_order_mark_and_line_ends(self, root: Path, start: bytes, end: bytes) -> None:
        manifest = read_list(write(root, start + b"a.mp4 30 1" + end + b"b c.mp4 7 0" + end))
        assert [(Path(e.path).name, e.label) for e in manifest] == [("a.mp4", 1), ("b c.mp4", 0)]

    def test_other_root_and_labels(self, root: Path, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("a.mp4 3 1\n")
        manifest = open_manifest(path, root=root, labels=["x", "y", "z"])
        assert manifest.labels == ("x", "y", "z")
        assert manifest.entries[0].path == str(root / "a.mp4")

    def test_select(self, root: Path) -> None:
        manifest = read_list(write(root, "a.mp4 30 1\nb c.mp4 7 0\nsub/d.avi 9 3\n"))
        assert [e.label for e in manifest.select([2, 0])] == [3, 1]
        assert manifest.select([2]).num_classes == 4

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("a.mp4 30", ["2 of 3 fields", "'a.mp4 30'"]),
            ("a.mp4", ["1 of 3 fields"]),
            ("a.mp4 30 one", ["label 'one'", "whole number"]),
            ("a.mp4 x 1", ["num_frames 'x'"]),
            ("a.mp4 3.5 1", ["num_frames '3.5'"]),
            ("a.mp4 ３ 1", ["num_frames '３'"]),
            ("a.mp4 30 -1", ["label is -1", "expected 0"]),
            ("a.mp4 -2 1", ["num_frames is -2", "expected 1"]),
            ("a.mp4 -3 1", ["num_frames is -3"]),
            ("a.mp4 99999999 1", ["num_frames is 99999999"]),
            ("a.mp4 3 123456", ["label is 123456"]),
            ("a.mp4 3 9", ["label 9 has no name", "0 to 4", "5 class names"]),
            ("../outside.mp4 3 1", ["leaves the root", "'../outside.mp4'"]),
            ("sub/../a.mp4 3 1", ["leaves the root"]),
            ("/etc/passwd 3 1", ["leaves the root", "'/etc/passwd'"]),
            ("link.mp4 3 1", ["through a link", "'link.mp4'"]),
            ("a\0.mp4 3 1", ["leaves the root"]),
            ("nope.mp4 3 1", ["no file 'nope.mp4'"]),
            ("a.mp4 3 5", ["label 5 has no name", "0 to 4"]),
            ("a.h5/video\0 3 1", ["leaves the root"]),
            ("a.h5/../../b 3 1", ["leaves the root"]),
            ("a.mp4/b.mp4 3 1", ["no file 'a.mp4/b.mp4'"]),
            ("pipe.mp4 3 1", ["neither a file nor a folder"]),
            ("b c.mp4 3 1", ["listed already", "list.txt:1"]),
            ("x" * (MAX_LINE + 1), ["longer than"]),
        ],
    )
    def test_bad_line(self, root: Path, line: str, words: list[str]) -> None:
        path = write(root, f"b c.mp4 7 0\n\n{line}\n")
        with pytest.raises(ManifestError) as caught:
            read_list(path, labels=tuple("vwxyz"))
        for word in (f"{path}:3", *words):
            assert word in str(caught.value)

    def test_the_same_file_through_a_link(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"list.txt:2: 'inner_link.mp4' is listed already"):
            read_list(write(root, "a.mp4 3 1\ninner_link.mp4 3 1\n"))

    @pytest.mark.parametrize("text", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
    def test_empty(self, root: Path, text: bytes) -> None:
        with pytest.raises(ManifestError, match="lists no video"):
            read_list(write(root, text))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_other_encodings_that_are_certain(self, root: Path, encoding: str) -> None:
        manifest = read_list(write(root, "a.mp4 3 1\nb c.mp4 4 0\n".encode(encoding)))
        assert [(e.name, e.label, e.num_frames) for e in manifest] == [
            ("a.mp4", 1, 3),
            ("b c.mp4", 0, 4),
        ]

    def test_other_encoding(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"list\.txt: is not UTF-8.*Save it as UTF-8"):
            read_list(write(root, "à.mp4 3 1".encode("latin-1")))

    def test_missing(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"nope\.txt: cannot be read"):
            open_manifest(root / "nope.txt")
        with pytest.raises(ManifestError, match="is not a folder"):
            read_list(write(root, "a.mp4 3 1"), root=root / "nope")

    @pytest.mark.parametrize("labels", [None, ("x", "y")])
    def test_labels_that_count_from_one(self, root: Path, labels: tuple[str, ...] | None) -> None:
        path = write(root, "a.mp4 3 2\nb c.mp4 3 1\n")
        with pytest.raises(ManifestError, match=r"list.txt:[12]: .* pass label_base=1"):
            read_list(path, labels=labels)
        for names in (labels, tuple("xyz")):
            manifest = open_manifest(path, labels=names, label_base=1)
            assert [entry.label for entry in manifest] == [1, 0]
        with pytest.raises(ManifestError, match=r"list.txt:1: label is 0, expected 1 to"):
            read_list(write(root, "a.mp4 3 0\n"), label_base=1)
        with pytest.raises(ManifestError, match="label_base is 2, expected 0 or 1"):
            read_list(path, label_base=2)

    def test_labels_from_one_where_class_0_has_no_video(self, root: Path) -> None:
        manifest = read_list(write(root, "a.mp4 3 1\nb c.mp4 3 2\n"), labels=tuple("xyz"))
        assert [entry.label for entry in manifest] == [1, 2]

    def test_absolute_paths_below_the_root(self, root: Path) -> None:
        path = write(root, f"{root}/sub/d.avi 3 0\n")
        assert [e.name for e in read_list(path)] == ["sub/d.avi"]
        with pytest.raises(ManifestError, match="leaves the root"):
            read_list(write(root, f"{root}/../outside.mp4 3 0\n"))

    def test_one_video_by_two_names(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"list.txt:2: 'sub/d.avi' is listed already"):
            read_list(write(root, "sub/d.avi 3 0\n./sub//d.avi 3 0\n"))

    def test_links_to_folders(self, root: Path, tmp_path: Path) -> None:
        (root / "inner").symlink_to(root / "sub")
        (root / "outer").symlink_to(tmp_path)
        assert read_list(write(root, "inner/d.avi 3 0\n")).entries[0].path == f"{root}/sub/d.avi"
        with pytest.raises(ManifestError, match=r":1: path 'outer' leaves the root .* a link"):
            read_list(write(root, "outer/outside.mp4 3 0\n"))
        lookup = Lookup(allow_links_to=(os.fspath(tmp_path),))
        path = write(root, "outer/outside.mp4 3 0\nlink.mp4 3 0\n")
        with pytest.raises(ManifestError, match=r":2: 'link.mp4' is listed already"):
            read_list(path, lookup=lookup)
        found = read_list(write(root, "outer/outside.mp4 3 0\n"), lookup=lookup).entries[0]
        assert (found.path, found.name) == (f"{tmp_path}/outside.mp4", "outer/outside.mp4")
        (root / "round").symlink_to(root / "round")
        with pytest.raises(ManifestError, match=r":1: .*'round' (is|leaves)|no file 'round'"):
            read_list(write(root, "round/a.mp4 3 0\n"))

    @pytest.mark.parametrize("separator", [" ", "\t", ",", ", ", " ,  "])
    def test_pairs(self, root: Path, separator: str) -> None:
        text = f"a.mp4{separator}1\nb c.mp4{separator}0\n"
        manifest = open_manifest(write(root, text), format="path-label")
        assert [(e.name, e.label, e.num_frames) for e in manifest] == [
            ("a.mp4", 1, None),
            ("b c.mp4", 0, None),
        ]
        with pytest.raises(ManifestError, match=r"of 3 fields|not a whole number"):
            open_manifest(write(root, text), format="list")

    @pytest.mark.parametrize("line", ["a.mp4", "a.mp4,", "a.mp4,,1", "a.mp4 1.0", "1"])
    def test_bad_pairs(self, root: Path, line: str) -> None:
        with pytest.raises(ManifestError, match=r"list\.txt:1: "):
            open_manifest(write(root, f"{line}\n"), format="path-label")

    def test_other_kinds_of_sources(self, root: Path) -> None:
        for name in ("frames", "video"):
            (root / name).mkdir()
        (root / "video" / "RGB_frames.zip").touch()
        (root / "b.ZIP").touch()
        (root / "a.h5").touch()
        lines = ("frames", "video", "video/RGB_frames.zip", "b.ZIP", "a.h5/c d/e", "a.h5/f", "a.h5")
        text = "".join(f"{line} 3 0\n" for line in lines if line != "video/RGB_frames.zip")
        lookup = Lookup(template="{:03d}.png", first_frame=0)
        manifest = open_manifest(write(root, text), lookup=lookup)
        assert [entry.source for entry in manifest] == [
            FrameFolder(f"{root}/frames", "{:03d}.png", 0),
            FrameZip(f"{root}/video/RGB_frames.zip", "{:03d}.png", 0),
            FrameZip(f"{root}/b.ZIP", "{:03d}.png", 0),
            Hdf5Frames(f"{root}/a.h5", "/c d/e"),
            Hdf5Frames(f"{root}/a.h5", "/f"),
            Hdf5Frames(f"{root}/a.h5", "/"),
        ]
        with pytest.raises(ManifestError, match=r":2: 'video/RGB_frames.zip' is listed already"):
            read_list(write(root, "video 3 0\nvideo/RGB_frames.zip 3 0\n"))

    def test_an_archive_that_is_a_link_out(self, root: Path, tmp_path: Path) -> None:
        (root / "video").mkdir()
        (root / "video" / "RGB_frames.zip").symlink_to(tmp_path / "outside.mp4")
        with pytest.raises(ManifestError, match=r"list.txt:1: path 'video/RGB_frames.zip' leaves"):
            read_list(write(root, "video 3 0\n"))

    def test_missing_videos_keep_their_class(self, root: Path) -> None:
        path = write(root, "a.mp4 3 0\nnope.mp4 3 4\n")
        manifest = open_manifest(path, lookup=Lookup(allow_missing=True))
        assert (len(manifest), manifest.num_classes, manifest.missing) == (1, 5, ("nope.mp4",))

    def test_bad_labels(self, root: Path) -> None:
        path = write(root, "a.mp4 3 0\n")
        for labels, words in (((), "names 0"), (("a", "a"), "both named"), (("", "a"), "empty")):
            with pytest.raises(ManifestError, match=words):
                read_list(path, labels=labels)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
        bom=st.booleans(),
        end=st.sampled_from(["\n", "\r\n"]),
    )
    def test_round_trip(self, tmp_path: Path, names: list[str], bom: bool, end: str) -> None:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        lines = []
        for number, name in enumerate(names):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.with_name(file.name + ".mp4").touch()
            lines.append(f"{name}.mp4 {number + 1} {number}{end}")
        path = folder / "list of videos.txt"
        path.write_bytes(("\ufeff" * bom + "".join(lines)).encode())
        manifest = read_list(path)
        assert [(e.name, e.num_frames, e.label) for e in manifest] == [
            (f"{name}.mp4", k + 1, k) for k, name in enumerate(names)
        ]
        assert all(Path(entry.path).is_file() for entry in manifest)
        write_manifest(manifest, folder / "manifest.jsonl")
        again = open_manifest(folder / "manifest.jsonl")
        assert [(e.source, e.num_frames) for e in again] == [
            (e.source, e.num_frames) for e in manifest
        ]
        assert (again.labels, again.digest()) == (manifest.labels, manifest.digest())


class TestFolder:
    @pytest.fixture
    def classes(self, tmp_path: Path) -> Path:
        for name in ("run/2.mp4", "run/1.AVI", "jump/x y.webm", "run/notes.txt", ".git/a.mp4"):
            path = tmp_path / "classes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (tmp_path / "classes" / "readme.mp4").touch()
        return tmp_path / "classes"

    def test_names_are_labels(self, classes: Path) -> None:
        manifest = open_manifest(classes)
        assert manifest.labels == ("jump", "run")
        assert [(Path(e.path).name, e.label, e.num_frames) for e in manifest] == [
            ("x y.webm", 0, None),
            ("1.AVI", 1, None),
            ("2.mp4", 1, None),
        ]

    def test_given_labels(self, classes: Path) -> None:
        manifest = read_folder(classes, labels=["run", "swim", "jump"])
        assert [e.label for e in manifest] == [2, 0, 0]
        with pytest.raises(ManifestError, match="'jump' is not among the labels"):
            read_folder(classes, labels=["run"])

    def test_bad_folders(self, classes: Path, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match="root does not go with the format 'folders'"):
            open_manifest(classes, root=tmp_path)
        with pytest.raises(ManifestError, match="holds no class folders"):
            read_folder(classes / "run")
        with pytest.raises(ManifestError, match="is not a folder"):
            read_folder(classes / "nope")
        (classes / "empty").mkdir()
        with pytest.raises(ManifestError, match="empty: holds no video"):
            read_folder(classes, lookup=Lookup(allow_empty=False))
        found = read_folder(classes)
        assert found.labels == ("empty", "jump", "run")
        assert "classes without a video: empty" in found.notes

    def test_link_out(self, classes: Path, tmp_path: Path) -> None:
        (tmp_path / "outside.mp4").touch()
        (classes / "run" / "3.mp4").symlink_to(tmp_path / "outside.mp4")
        with pytest.raises(ManifestError, match="through a link"):
            read_folder(classes)

    def test_kinds(self, tmp_path: Path) -> None:
        for name in ("run/a", "jump/b"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "jump/c").mkdir()
        (tmp_path / "jump/c/RGB_frames.zip").touch()
        manifest = open_manifest(tmp_path)
        assert [(type(e.source).__name__, e.name, e.label) for e in manifest] == [
            ("FrameFolder", "jump/b", 0),
            ("FrameZip", "jump/c", 0),
            ("FrameFolder", "run/a", 1),
        ]
        (tmp_path / "run/a.mp4").touch()
        with pytest.raises(
            ManifestError, match=r"run: 'a.mp4' is not of the kind 'frames'.*of-vid"
        ):
            open_manifest(tmp_path)
        assert open_manifest(tmp_path, format="folders-of-frames") == manifest
        with pytest.raises(ManifestError, match=r"jump: holds no video\. Expected video .*\.mp4"):
            open_manifest(tmp_path, format="folders-of-videos", lookup=Lookup(allow_empty=False))
        found = open_manifest(tmp_path, format="folders-of-videos")
        assert [(entry.name, entry.label) for entry in found] == [("run/a.mp4", 1)]
        assert "classes without a video: jump" in found.notes
        (tmp_path / "jump/d.mp4").touch()
        videos = open_manifest(tmp_path, format="folders-of-videos")
        assert [entry.name for entry in videos] == ["jump/d.mp4", "run/a.mp4"]
        for name in ("run", "jump"):
            (tmp_path / name / "x.zip").touch()
        zips = open_manifest(tmp_path, format="folders-of-zips", lookup=Lookup("{:d}.jpg"))
        assert [e.source for e in zips] == [
            FrameZip(f"{tmp_path}/{name}/x.zip", "{:d}.jpg") for name in ("jump", "run")
        ]


class TestOptions:
    @pytest.mark.parametrize(
        "options", [{"part": "train"}, {"split": 2}, {"label_base": 1, "format": "manifest"}]
    )
    def test_that_do_not_go_with_the_format(self, root: Path, options: dict[str, object]) -> None:
        with pytest.raises(ManifestError, match=f"{next(iter(options))} does not go with the form"):
            open_manifest(write(root, "a.mp4 3 0\n"), **options)  # type: ignore[arg-type]

    def test_digest(self, root: Path, tmp_path: Path) -> None:
        """It says which data this is, wherever it lies; and tells apart what is not the same."""
        text = "a.mp4 3 0\nsub/d.avi 3 1\n"
        one = read_list(write(root, text))
        shutil.copytree(root, tmp_path / "elsewhere", symlinks=True, ignore=lambda *_: ["pipe.mp4"])
        assert read_list(tmp_path / "elsewhere/list.txt").digest() == one.digest()
        others = [
            read_list(write(root, text), labels=("x", "y")),
            read_list(write(root, "sub/d.avi 3 1\na.mp4 3 0\n")),
            read_list(write(root, "a.mp4 3 0\nsub/d.avi 4 1\n")),
            read_list(write(root, "a.mp4 3 1\nsub/d.avi 3 0\n")),
            read_list(write(root, "b c.mp4 3 0\nsub/d.avi 3 1\n")),
            one.select([0]),
        ]
        assert len({one.digest(), *(other.digest() for other in others)}) == 7
        written = b'["0", "1"]\n["a.mp4", 0, 3]\n["sub/d.avi", 1, 3]'
        assert one.digest() == hashlib.sha256(written).hexdigest()


def test_the_parts_of_a_data_set_are_no_classes(tmp_path: Path) -> None:
    for part in ("train", "Test"):
        (tmp_path / "set" / part / "run").mkdir(parents=True)
    with pytest.raises(ManifestError, match=r"folders train, Test are parts.*such as .*set/train"):
        open_manifest(tmp_path / "set")

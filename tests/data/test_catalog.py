from __future__ import annotations

import os
from pathlib import Path

import pytest

from vdroppath_tf.data.catalog import ManifestError, open_manifest, read_folder, read_list
from vdroppath_tf.data.text_files import MAX_LINE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for name in ("a.mp4", "b c.mp4", "sub/d.avi"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not decoded")
    (tmp_path / "outside.mp4").touch()
    os.mkfifo(folder / "pipe.mp4")
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
            ("a.mp4 0 1", ["num_frames is 0", "expected 1"]),
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
            ("a.mp4/b.mp4 3 1", ["no file 'a.mp4/b.mp4'"]),
            ("pipe.mp4 3 1", ["neither a file nor a folder"]),
            ("b c.mp4 3 1", ["listed already", "list.txt:1"]),
            ("x" * (MAX_LINE + 1), ["longer than"]),
        ],
    )
    def test_bad_line(self, root: Path, line: str, words: list[str]) -> None:
        path = write(root, f"b c.mp4 7 0\n\n{line}\n")
        with pytest.raises(ManifestError) as caught:
            read_list(path, labels="vwxyz")
        for word in (f"{path}:3", *words):
            assert word in str(caught.value)

    def test_the_same_file_through_a_link(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"list.txt:2: 'inner_link.mp4' is listed already"):
            read_list(write(root, "a.mp4 3 1\ninner_link.mp4 3 1\n"))

    @pytest.mark.parametrize("text", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
    def test_empty(self, root: Path, text: bytes) -> None:
        with pytest.raises(ManifestError, match="lists no video"):
            read_list(write(root, text))

    def test_other_encoding(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"list\.txt: is not UTF-8"):
            read_list(write(root, "a.mp4 3 1".encode("utf-16")))

    def test_missing(self, root: Path) -> None:
        with pytest.raises(ManifestError, match=r"nope\.txt: cannot be read"):
            open_manifest(root / "nope.txt")
        with pytest.raises(ManifestError, match="is not a folder"):
            read_list(write(root, "a.mp4 3 1"), root=root / "nope")


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
            read_folder(classes)

    def test_link_out(self, classes: Path, tmp_path: Path) -> None:
        (tmp_path / "outside.mp4").touch()
        (classes / "run" / "3.mp4").symlink_to(tmp_path / "outside.mp4")
        with pytest.raises(ManifestError, match="through a link"):
            read_folder(classes)

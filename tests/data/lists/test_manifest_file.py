"""Manifest files: what is written is read back, and what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vdroppath_tf.data.catalog import ManifestError, find_format, open_manifest, write_manifest
from vdroppath_tf.data.lists.text_files import MAX_LINE

HEADER = {"format": "vdroppath_tf.manifest/1", "labels": ["a", "b"], "directional": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("x.mp4", "y z.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "frames").mkdir()
    return tmp_path


def write(folder: Path, *lines: object) -> Path:
    path = folder / "m.jsonl"
    path.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    )
    return path


def test_round_trip(folder: Path, tmp_path: Path) -> None:
    path = write(folder, HEADER, ["y z.mp4", 1, 7], ["frames", 0, None])
    assert find_format(path) == "manifest"
    manifest = open_manifest(path)
    assert [(e.name, e.label, e.num_frames) for e in manifest] == [
        ("y z.mp4", 1, 7),
        ("frames", 0, None),
    ]
    assert (manifest.labels, manifest.directional) == (("a", "b"), True)
    elsewhere = tmp_path / "lists" / "again.jsonl"
    elsewhere.parent.mkdir()
    write_manifest(manifest, elsewhere)
    assert elsewhere.read_text() == path.read_text()
    again = open_manifest(elsewhere, root=folder, labels=["a", "b"])
    assert again.digest() == manifest.digest()
    assert [entry.source for entry in again] == [entry.source for entry in manifest]
    assert str(tmp_path) not in elsewhere.read_text()


def test_segments(folder: Path, tmp_path: Path) -> None:
    """The same video more than once, with other segments and labels."""
    header = {**HEADER, "format": "vdroppath_tf.manifest/2"}
    lines: list[object] = [
        ["x.mp4", 0, None, {"frames": [0, 12]}],
        ["x.mp4", 1, 5, {"frames": [12, 30]}],
        ["x.mp4", 0, None, {"seconds": [0.0, 12.5]}],
        ["frames", 0, None],
    ]
    path = write(folder, header, *lines)
    manifest = open_manifest(path)
    assert [entry.source.path.split(": ")[-1] for entry in manifest][:3] == [
        "frames 0 to 12",
        "frames 12 to 30",
        "0 s to 12.5 s",
    ]
    elsewhere = tmp_path / "again.jsonl"
    write_manifest(manifest, elsewhere)
    assert elsewhere.read_text() == path.read_text()
    assert open_manifest(elsewhere, root=folder).digest() == manifest.digest()
    other = write(folder, header, ["x.mp4", 0, None, {"frames": [0, 13]}], *lines[1:])
    assert open_manifest(other).digest() != manifest.digest()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{**HEADER, "format": "vdroppath_tf.manifest/3"}], ":1: .*newer vdroppath_tf"),
        ([{**HEADER, "labels": ["a", 1]}], ":1: is {"),
        ([{**HEADER, "labels": ["a", "a"]}], "both named 'a'"),
        ([{**HEADER, "directional": 1}], ":1: is {"),
        ([{**HEADER, "video_stream": -1}], ":1: video_stream is -1"),
        ([{**HEADER, "video_stream": "1"}], ":1: video_stream is 1"),
        ([{**HEADER, "source_fps": 0}, ["x.mp4", 0, 3]], ":1: source_fps is 0"),
        ([{**HEADER, "source_fps": "25"}, ["x.mp4", 0, 3]], ":1: source_fps is 25"),
        ([[1]], r":1: is \[1"),
        ([], ":1: is None"),
        ([HEADER], "lists no video"),
        ([HEADER, ["x.mp4", 2, 3]], ":2: is .* of 2 classes"),
        ([HEADER, ["x.mp4", -1, 3]], ":2: is"),
        ([HEADER, ["x.mp4", True, 3]], ":2: is"),
        ([HEADER, ["x.mp4", 0, 0]], ":2: is"),
        ([HEADER, ["x.mp4", 0, 1.5]], ":2: is"),
        ([HEADER, ["x.mp4", 0]], ":2: is"),
        ([HEADER, {"x": 1}], ":2: is"),
        ([HEADER, ["x.mp4", 0, None, {"frames": [3]}]], ":2: is"),
        ([HEADER, ["x.mp4", 0, None, {"frames": [0.5, 2]}]], ":2: is"),
        ([HEADER, ["x.mp4", 0, None, {"frames": [1, 2], "seconds": [1, 2]}]], ":2: is"),
        ([HEADER, ["x.mp4", 0, None, {"frames": [1, 2]}, 3]], ":2: is"),
        ([HEADER, ["x.mp4", 0, None, {"frames": [2, 2]}]], ":2: the segment ends at 2, not after"),
        (
            [HEADER, *2 * [["x.mp4", 0, None, {"frames": [1, 2]}]]],
            ":3: 'x.mp4', frames 1 to 2, is listed already at .*:2",
        ),
        ([HEADER, ["x.mp4", 0, 3], ["x.mp4", 0, 3]], ":3: 'x.mp4' is listed already at .*:2"),
        ([HEADER, ["../x.mp4", 0, 3]], ":2: path '../x.mp4' leaves the root"),
        ([HEADER, ["nope.mp4", 0, 3]], ":2: there is no file 'nope.mp4'"),
        ([HEADER, '["x.mp4", 0, 3'], ":2: is not JSON"),
        ([HEADER, "[" * 20_000], ":2: is not JSON"),
        ([HEADER, '["' + "x" * 6 * MAX_LINE + '", 0, 3]'], ":2: is longer than"),
    ],
)
def test_damaged(folder: Path, lines: list[object], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        open_manifest(write(folder, *lines), format="manifest")


def test_other_classes(folder: Path) -> None:
    path = write(folder, HEADER, ["x.mp4", 0, 3])
    with pytest.raises(ManifestError, match="names other classes than labels="):
        open_manifest(path, labels=["b", "a"])


def test_a_writing_that_fails_leaves_the_old_file(folder: Path) -> None:
    path = write(folder, HEADER, ["x.mp4", 0, 3])
    before = path.read_text()
    manifest = open_manifest(path)
    broken = manifest.select([0])
    object.__setattr__(broken.entries[0], "label", object())
    with pytest.raises(TypeError):
        write_manifest(broken, path)
    assert path.read_text() == before
    assert sorted(p.name for p in folder.iterdir()) == ["frames", "m.jsonl", "x.mp4", "y z.mp4"]

"""Kinds of video files in zip archives: in lists, in class folders, and a whole data set."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numbered
import stream_files
from kind import Kind, expect

from vdroppath_tf import data

FRAMES = {"a.mp4": 4, "s/b c.avi": 6}
METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "LZMA": zipfile.ZIP_LZMA,
}


def _archive(path: Path, frames: Mapping[str, int], method: int = zipfile.ZIP_STORED) -> Path:
    """Writes an archive of videos, a text, and a file that a Mac adds, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("read me.txt", "not a video " * 20)
        archive.writestr("__MACOSX/._a.mp4", b"resource fork")
        for name, count in frames.items():
            video = numbered.video(path.parent / "made" / name, count)
            archive.write(video, name)
            video.unlink()
    return path


def _read(found: data.Manifest) -> dict[str, tuple[str, list[int]]]:
    """Returns the class and the numbers of the frames of each video, by name."""
    return {
        entry.name: (found.labels[entry.label], numbered.numbers(entry.source)) for entry in found
    }


def _listed(method: int) -> Callable[[Path], None]:
    def try_it(at: Path) -> None:
        _archive(at / "v.zip", FRAMES, method)
        (at / "list.csv").write_text("v.zip!a.mp4,run\nv.zip!s/b c.avi,walk\n")
        found = data.open_manifest(at / "list.csv")
        expected = {
            "v.zip!a.mp4": ("run", [*range(4)]),
            "v.zip!s/b c.avi": ("walk", [*range(6)]),
        }
        expect(_read(found), expected, "videos")
        data.write_manifest(found, at / "kept.jsonl")
        expect(_read(data.open_manifest(at / "kept.jsonl")), expected, "manifest file")
        written = data.write_records(at / "records", found)
        expect(written.videos, 2, "converted")
        diagnosis = data.diagnose([("train", found)], at / "journal")
        expect((len(diagnosis.faults), diagnosis.decoded), (0, 10), "doctor")

        expect(data.diagnose([("train", found)], at / "journal").known, 2, "in the journal")

    return try_it


def _class_folders(at: Path) -> None:
    for name in ("run", "walk"):
        _archive(at / name / "part 1.zip", {"a.mp4": 4, "deep/b.mp4": 3})
        numbered.video(at / name / "c.mp4", 5)
    found = data.open_manifest(at)
    expect(found.labels, ("run", "walk"), "classes")
    expected = {"c.mp4": 5, "part 1.zip!a.mp4": 4, "part 1.zip!deep/b.mp4": 3}
    for name in found.labels:
        read = {k: len(v[1]) for k, v in _read(found).items() if v[0] == name}
        expect(read, {f"{name}/{key}": count for key, count in expected.items()}, name)


def _whole(around: str) -> Callable[[Path], None]:
    def try_it(at: Path) -> None:
        names = {f"{around}{name}/{k}.mp4": 3 + k for name in ("run", "walk") for k in (0, 1)}
        found = data.open_manifest(_archive(at / "set.zip", names))
        expect(found.labels, ("run", "walk"), "classes")
        read = {name.partition("!")[2]: len(frames) for name, (_, frames) in _read(found).items()}
        expect(read, names, "videos")

    return try_it


def _missing(at: Path) -> None:
    _archive(at / "v.zip", FRAMES)
    (at / "list.txt").write_text("v.zip!a.mp4 0\nv.zip!other.mp4 1\n")
    for entry in data.open_manifest(at / "list.txt"):
        entry.info()


def _both(at: Path) -> None:
    _archive(at / "run" / "v.zip", FRAMES)
    with zipfile.ZipFile(at / "run" / "v.zip", "a") as archive:
        for k in range(3):
            archive.writestr(f"{k:05d}.jpg", numbered.picture(k))
    data.open_manifest(at)


def _damaged(at: Path) -> None:
    path = _archive(at / "v.zip", FRAMES, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    start = content.index(b"a.mp4", content.index(b"._a.mp4") + 7)
    content[start + 200 : start + 230] = bytes(30)
    path.write_bytes(content)
    (at / "list.txt").write_text("v.zip!a.mp4 0\n")
    for entry in data.open_manifest(at / "list.txt"):
        entry.info()


def _name_with_a_mark(at: Path) -> None:
    numbered.video(at / "odd.zip!a.mp4", 4)
    (at / "list.txt").write_text("odd.zip!a.mp4 0\n")
    expect(
        _read(data.open_manifest(at / "list.txt")),
        {"odd.zip!a.mp4": ("0", [*range(4)])},
        "videos",
    )


def _joined(method: int) -> Callable[[Path], None]:
    """Reads two joined MPEG-TS recordings with the start of a packet after them, in an archive."""

    def try_it(at: Path) -> None:
        one = stream_files.source(at).read_bytes()
        with zipfile.ZipFile(at / "v.zip", "w", method) as archive:
            archive.writestr("both.ts", one + one + one[: stream_files.PACKET // 2])
        (at / "list.txt").write_text("v.zip!both.ts 0\n")
        for entry in data.open_manifest(at / "list.txt"):
            expect(entry.info().num_frames, 2 * stream_files.FRAMES, "frames")

    return try_it


KINDS = (
    *(
        Kind(f"zipped videos: in a list, {name}", "read in place", _listed(method))
        for name, method in METHODS.items()
    ),
    Kind("zipped videos: archives in class folders", "each with its class", _class_folders),
    Kind("zipped videos: class/video.mp4 in one archive", "each with its class", _whole("")),
    Kind("zipped videos: set/class/video.mp4 in one archive", "each with its class",
         _whole("set/")),
    Kind("zipped videos: one that does not exist", "refused", _missing,
        r"no file 'other\.mp4' in .*v\.zip"),
    Kind("zipped videos: next to numbered pictures", "refused, with a remedy", _both,
        r"videos.*numbered pictures.*List"),
    Kind("zipped videos: a damaged archive", "refused", _damaged, "damaged"),
    *(
        Kind(f"zipped videos: MPEG-TS joined, {name}", "read in place", _joined(METHODS[name]))
        for name in ("stored", "deflated")
    ),
    Kind("zipped videos: a file with a mark in its name", "that file", _name_with_a_mark),
)  # fmt: skip

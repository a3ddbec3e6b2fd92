"""Kinds of class folders and archives as users have them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numbered
import numpy as np
from kind import Kind, expect

from vdroppath_tf import data

LEFTOVERS = (
    *("__MACOSX", ".ipynb_checkpoints", "lost+found", "@eaDir", "#recycle", "$RECYCLE.BIN"),
    *("System Volume Information", ".Trash", ".Trash-1000", "__pycache__", "FOUND.000"),
)
FILES = ("._a.mp4", "Thumbs.db", "desktop.ini", ".DS_Store", "ehthumbs.db", "Icon\r")


def names(manifest: data.Manifest) -> dict[str, str]:
    """Returns the name of the class of each video, by the video's name."""
    return {entry.name: manifest.labels[entry.label] for entry in manifest}


def noted(manifest: data.Manifest, *words: str) -> None:
    """Checks that each of the texts is in a note of the manifest."""
    for word in words:
        expect(any(word in note for note in manifest.notes), True, f"{word!r} in {manifest.notes}")


def _two_classes(at: Path) -> dict[str, str]:
    found = {f"{name}/{k}.mp4": name for name in ("run", "walk") for k in (0, 1)}
    for name in found:
        numbered.video(at / name)
    return found


def _junk_class(name: str) -> Kind:
    def try_it(at: Path) -> None:
        found = _two_classes(at)
        numbered.video(at / name / "a.mp4")
        numbered.folder(at / name / "frames", ["1.jpg", "2.jpg"])
        manifest = data.open_manifest(at)
        expect((manifest.labels, names(manifest)), (("run", "walk"), found), "classes")

    return Kind(f"junk: class folder {name!r}", "ignored", try_it)


def _junk_videos(at: Path) -> None:
    found = _two_classes(at)
    for name in FILES:
        (at / "run" / name).write_bytes(b"x")
    for name in LEFTOVERS:
        numbered.video(at / "walk" / name / "0.mp4")
    expect(names(data.open_manifest(at)), found, "videos")


def _junk_frames(at: Path) -> None:
    folder = numbered.folder(at / "run/a", [f"img_{k:05d}.jpg" for k in range(1, 7)])
    for name in (*FILES, "._img_00001.jpg", "SYNOFILE_THUMB_M_00001.jpg"):
        (folder / name).write_bytes(b"x")
    for name in LEFTOVERS:
        numbered.folder(folder / name, ["img_00007.jpg"])
        numbered.folder(at / "run" / name, ["img_00001.jpg"])
    manifest = data.open_manifest(at)
    expect(names(manifest), {"run/a": "run"}, "videos")
    expect(numbered.numbers(manifest.entries[0].source), list(range(6)), "frames")


def zip_of(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Writes a zip archive, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _zip(name: str, method: int, *, mac: bool) -> Kind:
    def try_it(at: Path) -> None:
        frames = numbered.pictures([f"clip/img_{k:05d}.jpg" for k in range(1, 7)])
        more = {f"__MACOSX/clip/._img_{k:05d}.jpg": b"Mac OS X" * 9 for k in range(1, 7)}
        more |= {"clip/.DS_Store": b"\0" * 90, "__MACOSX/._clip": b"Mac", "clip/Thumbs.db": b"t"}
        zip_of(at / "run/a.zip", {**(more if mac else {}), **frames}, method)
        source = data.open_manifest(at).entries[0].source
        expect(numbered.numbers(source), list(range(6)), "frames")

    return Kind(f"zip: {name}", "all its frames", try_it)


def _several_in_a_zip(at: Path) -> None:
    """Reads videos of an archive by a list, `archive.zip!folder`, and by its class folders."""
    members = {}
    for folder in ("run/a", "run/b!c", "walk/a"):
        members |= numbered.pictures([f"set/{folder}/{k}.jpg" for k in range(1, 7)])
    members["__MACOSX/set/run/._a"] = b"Mac"
    zip_of(at / "all.zip", members)
    (at / "list.txt").write_text("all.zip!set/walk/a 6 1\nall.zip!set/run/b!c 6 0\n")
    listed = data.open_manifest(at / "list.txt")
    classes = data.open_manifest(at / "all.zip")
    expect(
        names(classes),
        {"all.zip!set/run/a": "run", "all.zip!set/run/b!c": "run", "all.zip!set/walk/a": "walk"},
        "videos",
    )
    for entry in (*listed, *classes):
        expect(numbered.numbers(entry.source), list(range(6)), "frames")
    data.write_manifest(classes, at / "all.jsonl")
    expect(data.open_manifest(at / "all.jsonl").digest(), classes.digest(), "manifest file")


def _other_zip(members: tuple[str, ...], listed: str | None) -> Callable[[Path], None]:
    def try_it(at: Path) -> None:
        content = {n: numbered.picture(0) if n.endswith("jpg") else b"film" for n in members}
        path = zip_of(at / "all.zip", content)
        if listed is not None:
            path = at / "list.txt"
            path.write_text(f"{listed} 6 0\n")
        for entry in data.open_manifest(path):
            numbered.numbers(entry.source)

    return try_it


def _long_names(at: Path) -> None:
    """Reads an archive with a name on which a quadratic search would take minutes."""
    zip_of(at / "run/a.zip", {f"{'1' * 30_000}x1.jpg": numbered.picture(0)})
    data.open_manifest(at).entries[0].source.info()


def _hdf5(at: Path) -> None:
    with h5py.File(at / "all.h5", "w") as file:
        for group in ("10", "9", "#refs#", "__MACOSX"):
            pixels = np.stack([numbered.pixels(k) for k in range(6)])
            file.create_dataset(f"{group}/a", data=pixels)
    manifest = data.open_manifest(at / "all.h5")
    expect(manifest.labels, ("9", "10"), "classes")
    noted(manifest, "numeric order")


def _numeric(at: Path) -> None:
    for k in range(11):
        numbered.video(at / str(k) / "a.mp4")
    manifest = data.open_manifest(at)
    expect(manifest.labels, tuple(map(str, range(11))), "classes")
    noted(manifest, "numeric order")
    old = tuple(sorted(manifest.labels))
    asked = data.open_manifest(at, labels=old)
    expect((asked.labels, names(asked)), (old, names(manifest)), "requested classes")
    expect(asked.notes, (), "notes on requested labels")


def _names_are_not_numbers(at: Path) -> None:
    for name in ("10", "9", "run"):
        numbered.video(at / name / "a.mp4")
    expect(data.open_manifest(at).labels, ("10", "9", "run"), "classes")


KINDS = (
    *map(_junk_class, LEFTOVERS),
    Kind("junk: files and folders among videos", "ignored", _junk_videos),
    Kind("junk: files and folders among frames", "ignored", _junk_frames),
    Kind("junk: groups of MATLAB and of archives in HDF5", "ignored", _hdf5),
    _zip("made on a Mac", zipfile.ZIP_DEFLATED, mac=True),
    _zip("LZMA", zipfile.ZIP_LZMA, mac=False),
    _zip("LZMA, made on a Mac", zipfile.ZIP_LZMA, mac=True),
    _zip("bzip2", zipfile.ZIP_BZIP2, mac=False),
    _zip("stored", zipfile.ZIP_STORED, mac=False),
    Kind("zip: several videos", "by a list, or class folders", _several_in_a_zip),
    Kind("zip: several videos, and a requested one that is missing", "refused",
         _other_zip(("a/1.jpg", "b/1.jpg"), "all.zip!c"), r"all\.zip!c"),
    Kind("zip: several videos, listed as one", "refused, with a remedy",
         _other_zip(("a/1.jpg", "b/1.jpg"), "all.zip"), r"archive\.zip!folder"),
    Kind("zip: several videos without classes", "refused, with a remedy",
         _other_zip(("a/1.jpg", "b/1.jpg"), None), r"'archive\.zip!folder num_frames label'"),
    Kind("zip: a name of 30,006 characters", "refused at once", _long_names,
         r"name of 30,006 characters.*at most 255"),
    Kind("zip: documents", "refused", _other_zip(("a/1.docx",), None), r"is not a picture"),
    Kind("numeric classes: 0 to 10", "in numeric order, with a note; labels= overrides", _numeric),
    Kind("numeric classes: not all numbers", "in alphabetical order", _names_are_not_numbers),
)  # fmt: skip

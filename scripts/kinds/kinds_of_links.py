"""Kinds of links among videos, frames and archives: followed below the root, or where allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import h5py
import numbered
import numpy as np
from kind import Kind, WrongAnswerError, expect
from kinds_of_folders import zip_of

from vdroppath_tf import data
from vdroppath_tf.data.lists.tables import places


def _linked(make: Callable[[Path, Path], object], *, allowed: bool) -> Callable[[Path], None]:
    def try_it(at: Path) -> None:
        store, split = at / "store", at / "split"
        numbered.video(store / "all/a.mp4")
        numbered.folder(store / "more/frames", ["1.jpg", "2.jpg", "3.jpg"])
        split.mkdir()
        make(store, split)
        folders = (str(store / "all"), str(store / "more"))
        lookup = data.Lookup(allow_links_to=folders) if allowed else None
        manifest = data.open_manifest(split, lookup=lookup)
        expect([entry.label for entry in manifest], [0] * len(manifest), "classes")
        for entry in manifest:
            read = numbered.numbers(entry.source)
            expect(read, list(range(len(read))), "frames")

    return try_it


def _link(to: str, name: str) -> Callable[[Path, Path], None]:
    def make(store: Path, split: Path) -> None:
        link = split / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(store / to)

    return make


def _linked_flow(what: str) -> Callable[[Path], None]:
    """Reads optical flow of which an image, or the folder of one axis, links out of the root."""

    def try_it(at: Path) -> None:
        for folder in ("store", "set/run/a/u", "set/run/a/v"):
            numbered.folder(at / folder, ["1.jpg", "2.jpg"])
        axis = at / "set/run/a/v"
        if what == "picture":
            (axis / "2.jpg").unlink()
            (axis / "2.jpg").symlink_to(at / "store/2.jpg")
        else:
            axis.rename(at / "moved")
            axis.symlink_to(at / "store")
        data.lists.flow_manifest(data.open_manifest(at / "set")).entries[0].source.info()

    return try_it


def _linked_archive(line: str) -> Callable[[Path], None]:
    """Lists the contents of an archive outside of the root, which may not even be opened."""

    def try_it(at: Path) -> None:
        frames = numbered.pictures([f"run/b/{k}.jpg" for k in range(1, 7)])
        zip_of(at / "store/all/a.zip", dict(frames))
        with h5py.File(at / "store/all/a.h5", "w") as file:
            file.create_dataset("run/b", data=np.stack([numbered.pixels(k) for k in range(6)]))
        (at / "set").mkdir()
        (at / "set/there").symlink_to(at / "store/all")
        (at / "set/list.txt").write_text(f"{line} 6 0\n")
        opened = WrongAnswerError("the archive was opened")
        with (
            mock.patch.object(places, "holds_folder", side_effect=opened),
            mock.patch.object(places, "open_hdf5", side_effect=opened),
        ):
            data.open_manifest(at / "set/list.txt")

    return try_it


def _links_inside(at: Path) -> None:
    """Reads a split below the root of all videos that consists of relative links."""
    numbered.video(at / "all/run/a.mp4")
    numbered.video(at / "all/walk/b.mp4")
    (at / "split").mkdir()
    (at / "split/walk").symlink_to("../all/walk")
    (at / "split/run").mkdir()
    (at / "split/run/a.mp4").symlink_to("../../all/run/a.mp4")
    numbered.folder(at / "all/run/c", [f"{k}.jpg" for k in range(1, 7)])
    (at / "split/run/c").mkdir()
    for k in range(1, 7):
        (at / f"split/run/c/{k}.jpg").symlink_to(f"../../../all/run/c/{k}.jpg")
    path = at / "list.txt"
    path.write_text("split/run/a.mp4 6 0\nsplit/walk/b.mp4 6 1\nsplit/run/c 6 0\n")
    manifest = data.open_manifest(path)
    read = [numbered.numbers(entry.source) for entry in manifest]
    expect(read, [list(range(6))] * 3, "frames by a list")


_REFUSED = r"followed below the root, or into a folder passed with --allow_links_to=DIR"
KINDS = (
    *(
        Kind(
            f"links: {what} into a folder that is {'' if allowed else 'not '}allowed",
            "followed" if allowed else "refused, with the flag",
            _linked(_link(to, name), allowed=allowed),
            None if allowed else _REFUSED,
        )
        for what, to, name in (
            ("video", "all/a.mp4", "run/a.mp4"),
            ("class folder", "all", "run"),
            ("folder of frames", "more/frames", "run/b"),
            ("picture", "more/frames/1.jpg", "run/c/1.jpg"),
        )
        for allowed in (True, False)
    ),
    *(
        Kind(f"links: {what} of optical flow, out of the root", "refused, with the flag",
             _linked_flow(what), _REFUSED)
        for what in ("picture", "folder")
    ),
    *(
        Kind(f"links: {line} elsewhere", "refused, not opened", _linked_archive(line), _REFUSED)
        for line in ("there/a.zip!run/b", "there/a.h5/run/b")
    ),
    Kind("links: relative, below the root", "followed", _links_inside),
    Kind(
        "links: out of the allowed folder too",
        "refused",
        _linked(_link("", "run"), allowed=True),
        _REFUSED,
    ),
)  # fmt: skip

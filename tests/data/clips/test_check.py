"""A look at every video: each kind of damage is named before anything is decoded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips import check
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.encode import write_video

PLAIN = ClipSampling(4)


def videos(folder: Path, sizes: list[tuple[int, int]], listed: int = 6) -> Manifest:
    for k, size in enumerate(sizes):
        write_video(folder / f"{k}.mp4", np.zeros((6, *size, 3), np.uint8))
    lines = (f"{k}.mp4 {listed} 0\n" for k in range(len(sizes)))
    (folder / "list.txt").write_text("".join(lines))
    return open_manifest(folder / "list.txt")


def test_good_videos_pass(tmp_path: Path) -> None:
    check_videos(videos(tmp_path, [(16, 16)] * 3), PLAIN)


def test_sizes_that_one_crop_brings_together(tmp_path: Path) -> None:
    manifest = videos(tmp_path, [(16, 16), (16, 24), (32, 32)])
    check_videos(manifest, ClipSampling(4, short_edge=16, crop=16))
    with pytest.raises(VideoError, match=r"1\.mp4 .*frames are 24x16, but those of .*0\.mp4"):
        check_videos(manifest, PLAIN)
    with pytest.raises(VideoError, match=r"0\.mp4: frames of 16x16 are smaller than the crop"):
        check_videos(manifest, ClipSampling(4, crop=20))
    lenient = FaultLog(1.0)  # which would allow for bad videos; these are not
    with pytest.raises(VideoError, match=r"pass both short_edge= and crop=") as raised:
        check_videos(manifest, PLAIN, faults=lenient)
    assert "cannot be read" not in str(raised.value)
    assert not lenient.faults()


def test_a_list_that_promises_too_much(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"holds 6 frames, but .*list\.txt:1 lists 7"):
        check_videos(videos(tmp_path, [(16, 16)] * 2, listed=7), PLAIN)


@pytest.mark.parametrize("many", [False, True], ids=["indexed", "headers only"])
def test_damage_to_the_last_of_them(
    tmp_path: Path, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many:
        monkeypatch.setattr(check, "_INDEXED", 2)
    manifest = videos(tmp_path, [(16, 16)] * 3)
    check_videos(manifest, PLAIN)
    last = manifest.entries[-1].path
    os.truncate(last, os.path.getsize(last) - 9)
    with pytest.raises(VideoError, match=r"2\.mp4: is cut short"):
        check_videos(manifest, PLAIN)


def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, opened, inner = videos(tmp_path, [(16, 16)] * 3), [], av.open

    def counting(path: str, *arguments: Any, **options: Any) -> Any:
        opened.append(path)
        return inner(path, *arguments, **options)

    monkeypatch.setattr(av, "open", counting)
    check_videos(manifest, PLAIN)
    assert sorted(opened) == sorted(entry.path for entry in manifest)

"""Bad videos on a list: taken off, moved with their videos, and lists that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from grey_videos import VIDEOS, epoch, loader, spoil, write

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.faults.quarantine import read_quarantine, without, write_quarantine
from vdroppath_tf.data.manifest import ManifestError


class TestQuarantine:
    def make(self, folder: Path) -> tuple[Manifest, Path]:
        manifest = write(folder)
        spoil(manifest, 1, 4)
        faults = FaultLog(1.0)
        epoch(loader(manifest, faults), 0)
        file = folder / "run" / "quarantine.json"
        write_quarantine(file, faults.faults(), [manifest])
        return manifest, file

    def test_takes_off(self, tmp_path: Path) -> None:
        manifest, file = self.make(tmp_path)
        rest = without(manifest, read_quarantine(file))
        assert [entry.label for entry in rest] == [0, 2, 3, 5]
        assert rest.labels == manifest.labels
        reasons = [fault.reason for fault in read_quarantine(file).faults]
        assert all("is damaged or not a video" in reason for reason in reasons)
        assert os.listdir(file.parent) == ["quarantine.json"]

    def test_moves_with_its_videos(self, tmp_path: Path) -> None:
        old, new = tmp_path / "old", tmp_path / "new"
        old.mkdir()
        _, file = self.make(old)
        old.rename(new)
        manifest = read_list(new / "list.txt")
        file = new / "run" / "quarantine.json"
        assert len(without(manifest, read_quarantine(file))) == VIDEOS
        assert len(without(manifest, read_quarantine(file, root=new))) == VIDEOS - 2

    def test_all(self, tmp_path: Path) -> None:
        manifest, file = self.make(tmp_path)
        with pytest.raises(ManifestError, match="lists all 2 videos"):
            without(manifest.select([1, 4]), read_quarantine(file))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"format": "vdroppath_tf.quarantine/2", "root": "/", "videos": []}',
            '{"format": "vdroppath_tf.quarantine/1", "videos": []}',
            '{"format": "vdroppath_tf.quarantine/1", "root": "/", "videos": [{"path": 1}]}',
            '{"format": "vdroppath_tf.quarantine/1", "root": "/", "videos": [{"origin": 1}]}',
            '{"format": "vdroppath_tf.quarantine/1", "root": "/", "videos": 3}',
            "[" * 100_000,
        ],
    )
    def test_something_else(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "q.json"
        file.write_text(text)
        with pytest.raises(ManifestError, match=r"q\.json: is not a quarantine"):
            read_quarantine(file)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match=r"q\.json: is not a quarantine \(FileNotFound"):
            read_quarantine(tmp_path / "q.json")

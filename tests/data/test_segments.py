"""Segments of videos go wherever whole videos go: clips, protocols, the doctor, records."""

from __future__ import annotations

import json
from pathlib import Path

import barcode
import miniatures
import numpy as np
import pytest

from vdroppath_tf.data.catalog import Manifest, open_manifest
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.pipeline import ClipSampling, evaluation_clips, training_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.faults.doctor import diagnose
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.faults.quarantine import read_quarantine, without, write_quarantine
from vdroppath_tf.data.lists.flow import flow_manifest
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.records.reader import read_records
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.container import VideoError

SPANS = [{"frames": [0, 10]}, {"frames": [10, 14]}, {"seconds": [0.56, 1.0]}]
FRAMES = [range(10), range(10, 14), range(14, 25)]


@pytest.fixture
def videos(tmp_path: Path) -> Manifest:
    """Three segments of one video, each of another class."""
    barcode.write(tmp_path / "a.mp4", 30)
    return listed(tmp_path, *SPANS)


def listed(folder: Path, *spans: object) -> Manifest:
    header = {"format": "vdroppath_tf.manifest/2", "labels": ["x", "y", "z"], "directional": False}
    lines = [header, *(["a.mp4", k % 3, None, span] for k, span in enumerate(spans))]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return open_manifest(miniatures.write(folder / "list.jsonl", text))


def numbers(clip: np.ndarray) -> list[int]:
    return [barcode.number(frame) for frame in clip]


def test_clips(videos: Manifest) -> None:
    """No clip shows a frame of another segment; short ones repeat their own last frame."""
    sampling = ClipSampling(frames=6, stride=1)
    check_videos(videos, sampling)
    ((clips, labels),) = evaluation_clips(videos, sampling, batch_size=3)
    assert labels.numpy().tolist() == [0, 1, 2]
    assert [numbers(clip) for clip in clips.numpy()] == [
        [2, 3, 4, 5, 6, 7],
        [10, 11, 12, 13, 13, 13],
        [16, 17, 18, 19, 20, 21],
    ]
    for cache_bytes in (0, 1 << 24):
        for clips, labels in training_clips(
            videos, sampling, batch_size=3, cache_bytes=cache_bytes
        ).take(3):
            for clip, label in zip(clips.numpy(), labels.numpy(), strict=True):
                assert set(numbers(clip)) <= set(FRAMES[label])


def test_a_protocol(videos: Manifest) -> None:
    sampling = PROTOCOLS["paper-2clip"].sampling(ClipSampling(frames=2, stride=1))
    ((clips, _),) = evaluation_clips(videos, sampling, batch_size=6, split="test")
    found = [numbers(clip) for clip in clips.numpy()]
    assert found == [[0, 1], [8, 9], [10, 11], [12, 13], [14, 15], [23, 24]]


def test_the_doctor(videos: Manifest, tmp_path: Path) -> None:
    found = diagnose([("train", videos)], tmp_path / "journal")
    assert (found.faults, found.decoded) == ((), 25)
    again = diagnose([("train", videos)], tmp_path / "journal")
    assert (again.known, again.decoded) == (3, 0)
    barcode.write(tmp_path / "a.mp4", 31)  # another file: all of its segments are looked at again
    again = diagnose([("train", videos)], tmp_path / "journal")
    assert (again.known, again.decoded) == (0, 25)


def test_a_segment_that_ends_after_its_video(tmp_path: Path) -> None:
    """It is bad, and named; the others of the video are good."""
    barcode.write(tmp_path / "a.mp4", 30)
    videos = listed(tmp_path, *SPANS, {"frames": [20, 40]})
    found = diagnose([("train", videos)], tmp_path / "journal")
    (fault,) = found.faults
    assert fault.path == f"{tmp_path}/a.mp4: frames 20 to 40"
    assert "ends after its video, which has 30 frames" in fault.reason
    write_quarantine(tmp_path / "bad.json", found.faults, [videos])
    kept = without(videos, read_quarantine(tmp_path / "bad.json"))
    assert [entry.path for entry in kept] == [entry.path for entry in videos][:3]
    faults = FaultLog(0.5)
    sampling = ClipSampling(frames=2, stride=1)
    for _ in evaluation_clips(videos, sampling, batch_size=4, faults=faults):
        pass
    assert faults.account(videos, "validation") == "3 of 4 videos scored; 1 could not be read"


def test_records(videos: Manifest, tmp_path: Path) -> None:
    written = write_records(tmp_path / "records", videos, quality=100, shards=1)
    assert (written.videos, written.bad) == (3, ())
    records = read_records(tmp_path / "records")
    assert [(entry.label, entry.num_frames) for entry in records] == [(0, 10), (1, 4), (2, 11)]
    for entry, frames in zip(records, FRAMES, strict=True):
        assert numbers(entry.source.read(range(len(frames)))) == list(frames)


def test_seconds_of_pictures(tmp_path: Path) -> None:
    """Pictures have no times: the user says how many a second there are."""
    miniatures.folder(tmp_path / "a.mp4")
    videos = listed(tmp_path, {"seconds": [0.1, 0.3]})
    with pytest.raises(VideoError, match="--source_fps"):
        videos.entries[0].info()
    source = videos.at_rate(10).entries[0].source
    assert numbers(source.read(range(source.info().num_frames))) == [1, 2]


def test_flow(tmp_path: Path) -> None:
    """Of a segment of n frames there are n - 1 steps of flow."""
    miniatures.folder(tmp_path / "a.mp4")
    videos = flow_manifest(listed(tmp_path, {"frames": [0, 3]}))
    assert videos.entries[0].path == f"{tmp_path}/a.mp4: frames 0 to 2"
    assert videos.entries[0].source.channels == 2
    with pytest.raises(ManifestError, match="not a segment of two frames or more"):
        flow_manifest(listed(tmp_path, {"frames": [0, 1]}))

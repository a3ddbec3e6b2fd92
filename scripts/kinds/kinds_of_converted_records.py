"""Kinds of records that this package converted: clips at a rate, and videos of several classes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numbered
import numpy as np
from kind import Kind, expect
from kinds_of_rates import FILMS, film

from vdroppath_tf import data

HOT = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
_CLASSES = ((0, 2), (), (1,))


def _levels(clips: np.ndarray) -> list[list[int]]:
    """Returns the tenths of a second that the frames of clips show."""
    found: list[list[int]] = np.rint((clips.mean((2, 3, 4)) - 20) / 10).astype(int).tolist()
    return found


def _converted(at: Path, suffix: str, times: Sequence[Fraction]) -> Path:
    at.joinpath("list.txt").write_text(f"{film(at / f'a{suffix}', times)} {len(times)} 0\n")
    return data.write_records(at / "records", data.open_manifest(at / "list.txt")).folder


def _at_rate(name: str, suffix: str, times: Sequence[Fraction]) -> Kind:
    def try_it(at: Path) -> None:
        folder = _converted(at, suffix, times)
        sampling = data.ClipSampling(4, stride=3, fps=10, clips_per_video=2)
        found = data.evaluation_clips(
            data.open_manifest(folder), sampling, batch_size=2, split="test"
        )
        clips = np.concatenate([batch.numpy() for batch, _ in found])
        expect(_levels(clips), [[0, 3, 6, 9], [8, 11, 14, 17]], "tenths of a second")

    return Kind(f"records at a rate: {name}", "the same moments", try_it)


def _streamed(name: str, suffix: str, times: Sequence[Fraction]) -> Kind:
    def try_it(at: Path) -> None:
        folder = _converted(at, suffix, times)
        sampling = data.ClipSampling(4, stride=3, fps=10)
        clips = data.stream_clips(folder, sampling, batch_size=1, epochs=30)
        starts = set()
        for clip, _ in clips:
            [levels] = _levels(clip.numpy())
            expect(list(np.diff(levels)), [3, 3, 3], "tenths from frame to frame")
            starts.add(levels[0])
        expect(starts <= set(range(9)) and len(starts) > 4, True, f"starts {sorted(starts)}")

    return Kind(f"records at a rate: streamed, {name}", "the same moments", try_it)


def _pictures(at: Path, rate: float | None) -> data.Manifest:
    numbered.folder(at / "video", [f"{k + 1:05d}.png" for k in range(12)])
    (at / "list.txt").write_text("video 12 0\n")
    videos = data.open_manifest(at / "list.txt")
    return videos if rate is None else videos.at_rate(rate)


def _of_pictures(rate: float | None, refusal: str | None) -> Kind:
    def try_it(at: Path) -> None:
        folder = data.write_records(at / "records", _pictures(at, rate)).folder
        sampling = data.ClipSampling(3, fps=5)
        videos = data.open_manifest(folder)
        [(clips, _)] = data.evaluation_clips(videos, sampling, batch_size=1)
        found = [numbered.number(frame) for frame in clips.numpy()[0]]
        expect(found, [2, 4, 6], "frames")

    return Kind(
        f"records at a rate: from pictures with {'no' if rate is None else 'a'} rate",
        "refused, with the flag" if refusal else "every second frame",
        try_it,
        refusal,
    )


def _kept_rate(at: Path) -> None:
    """Reads back the frame rate of pictures from a manifest file."""
    data.write_manifest(_pictures(at, 10), at / "kept.jsonl")
    videos = data.open_manifest(at / "kept.jsonl")
    [(clips, _)] = data.evaluation_clips(videos, data.ClipSampling(3, fps=5), batch_size=1)
    expect([numbered.number(frame) for frame in clips.numpy()[0]], [2, 4, 6], "frames")


def _several(at: Path) -> data.Manifest:
    lines = []
    for k, classes in enumerate(_CLASSES):
        numbered.video(at / f"{k}.mp4", 4)
        lines.append(json.dumps([f"{k}.mp4", list(classes), None]))
    header = {"format": "vdroppath_tf.manifest/1", "labels": ["a", "b", "c"], "directional": False}
    text = "\n".join([json.dumps({**header, "multi_label": True}), *lines])
    (at / "list.jsonl").write_text(text)
    return data.open_manifest(at / "list.jsonl")


def _several_classes(at: Path) -> None:
    videos = _several(at)
    folder = data.write_records(at / "records", videos, shards=2).folder
    found = data.open_manifest(folder)
    expect(found.multi_label, True, "several classes")
    expect([entry.labels for entry in found], list(_CLASSES), "classes")
    [(_, labels)] = data.evaluation_clips(found, data.ClipSampling(2), batch_size=3)
    expect(labels.numpy().tolist(), HOT, "labels")
    again = data.open_manifest(folder, labels=("c", "b", "a", "d"))
    expect([entry.labels for entry in again], [(0, 2), (), (1,)], "classes in another order")


def _several_classes_streamed(at: Path) -> None:
    folder = data.write_records(at / "records", _several(at), shards=1).folder
    [(_, labels)] = data.stream_clips(folder, data.ClipSampling(2), batch_size=3, epochs=1)
    expect(sorted(labels.numpy().tolist()), sorted(HOT), "labels")
    more = data.stream_clips(
        folder, data.ClipSampling(2), batch_size=3, epochs=1, labels=("d", "a", "b", "c")
    )
    [(_, labels)] = more
    expect(sorted(labels.numpy().tolist()), sorted([0.0, *row] for row in HOT), "four classes")


KINDS = (
    *(_at_rate(*each) for each in FILMS),
    *(_streamed(*each) for each in FILMS if each[0] in ("20", "variable, in mkv")),
    _of_pictures(10, None),
    _of_pictures(None, "--source_fps"),
    Kind("manifest files: a rate of pictures", "kept", _kept_rate),
    Kind("several classes: in records", "read and kept", _several_classes),
    Kind("several classes: streamed records", "0 and 1 for each", _several_classes_streamed),
)

"""Kinds of videos with different frame rates, whose clips are sampled by time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numbered
import numpy as np
from kind import Kind, expect

LENGTH = Fraction(2)
"""The seconds of a scene whose pixel value rises by 10 every tenth of a second."""


def _level(time: Fraction) -> int:
    return 20 + 10 * int(time * 10)


def film(path: Path, times: Sequence[Fraction]) -> str:
    """Writes the scene with a frame at each of the times, and returns the file's name."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=1000, options={"qp": "0"})
        stream.height = stream.width = 16
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.max_b_frames = 0
        for time in times:
            grey = np.full((16, 16, 3), _level(time), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.name


def _even(rate: int) -> list[Fraction]:
    return [Fraction(k, rate) for k in range(int(LENGTH * rate))]


_UNEVEN = sorted({*_even(10), *(Fraction(k, 40) for k in range(33, 55)), Fraction(1, 3)})


def _seen(name: str, suffix: str, times: Sequence[Fraction], split: str) -> Kind:
    def try_it(at: Path) -> None:
        from vdroppath_tf import data

        listed = at / "list.txt"
        listed.write_text(f"{film(at / f'a{suffix}', times)} {len(times)} 0\n")
        sampling = data.ClipSampling(4, stride=3, fps=10, clips_per_video=2)
        videos = data.open_manifest(listed)
        found = data.evaluation_clips(
            videos, sampling, batch_size=sampling.views(split), split=split
        )
        clips = np.concatenate([batch.numpy() for batch, _ in found])
        levels = np.rint((clips.mean((2, 3, 4)) - 20) / 10).astype(int).tolist()
        both = [[0, 3, 6, 9], [8, 11, 14, 17]]
        expect(levels, both if split == "test" else [[4, 7, 10, 13]], "tenths of a second")

    return Kind(f"frame rate: {name}, {split}", "the same moments", try_it)


def _pictures(name: str, fps: float | None, refusal: str | None = None) -> Kind:
    """Makes a kind: twelve pictures in a folder, whose frame rate is unknown or given."""

    def try_it(at: Path) -> None:
        from vdroppath_tf import data

        (at / "video").mkdir()
        for k in range(12):
            (at / f"video/{k + 1:05d}.png").write_bytes(numbered.picture(k, "png"))
        (at / "list.txt").write_text("video 12 0\n")
        videos = data.open_manifest(at / "list.txt")
        videos = videos if fps is None else videos.at_rate(fps)
        sampling = data.ClipSampling(3, fps=5)
        [(clips, _)] = data.evaluation_clips(videos, sampling, batch_size=1)
        found = [numbered.number(frame) for frame in clips.numpy()[0]]
        expect(found, [2, 4, 6], "frames")

    expected = "refused, with the flag" if refusal else "every second frame"
    return Kind(f"frame rate: pictures, {name}", expected, try_it, refusal)


FILMS = (
    ("10", ".mp4", _even(10)),
    ("20", ".mp4", _even(20)),
    ("40", ".mp4", _even(40)),
    ("50, in milliseconds", ".mkv", _even(50)),
    ("variable, in mkv", ".mkv", _UNEVEN),
    ("variable, in mp4", ".mp4", _UNEVEN),
)
KINDS = (
    *(_seen(*film, split) for film in FILMS for split in ("validation", "test")),
    _pictures("at a rate that is given", 10),
    _pictures("without a rate", None, "--source_fps"),
)

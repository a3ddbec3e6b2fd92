"""Cuts real videos into short files for the benchmarks of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from films import fetch_films

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.data.sources.video import VideoFile

HEIGHT, WIDTH = 240, 320


def cut_films(
    folder: Path, *, videos: int, frames: int, gops: dict[str, int | None], scale: int = 1
) -> dict[str, Manifest]:
    """Cuts parts of the videos of `fetch_films` into H.264 files of at most 320x240.

    Args:
        folder: Path, where the videos and the clips are kept; existing files are used again.
        videos: int, the number of parts.
        frames: int, the number of frames per part.
        gops: dict, the largest distance between keyframes in frames, or None for the encoder's
            default, by the name of the version.
        scale: int, the factor by which height and width are reduced. Defaults to 1.

    Returns:
        dict, the manifest of each version by its name.
    """
    films = [VideoFile(str(path.resolve())) for path in fetch_films(folder / "films").values()]
    starts = [(film, s) for film in films for s in range(0, film.info().num_frames, frames)]
    starts = [(film, s) for film, s in starts if s + frames <= film.info().num_frames]
    spread = np.linspace(0, len(starts) - 1, videos).astype(int)
    homes = {name: folder / f"{name}-{frames}-{scale}" for name in gops}
    for number, place in enumerate(spread):
        targets = {name: home / f"{number:03d}.mp4" for name, home in homes.items()}
        if all(target.exists() for target in targets.values()):
            continue
        film, start = starts[place]
        pictures = film.read(range(start, start + frames), short_edge=HEIGHT // scale)
        width = min(WIDTH // scale, pictures.shape[2]) // 2 * 2
        left = (pictures.shape[2] - width) // 2
        for name, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = pictures[:, : HEIGHT // scale // 2 * 2, left : left + width]
            write_video(target, part, gop=gops[name], preset="medium", crf=23)
    for home in homes.values():
        lines = (f"{number:03d}.mp4 {frames} {number}\n" for number in range(videos))
        (home / "list.txt").write_text("".join(lines))
    return {name: read_list(home / "list.txt") for name, home in homes.items()}

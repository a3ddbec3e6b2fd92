"""Reads clips with a library of PyTorch users: the counterpart for feed_against_torch.py.

    python-with-torch scripts/benchmarks/torch_feed.py torchcodec clips.json

The file lists clips (a video file, its frame numbers, a scaled size, the corner of a crop, and
whether it is mirrored), which each job reads in batches as a PyTorch data set would: decoded in
one thread, scaled by the library, cropped and stacked. It also lists videos, of which the frames of
many short clips are stored as numpy arrays, so that the caller can check them. It needs PyTorch,
the library, and nothing of this package.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from in_turns import answer

Reader = Callable[[list[int]], torch.Tensor]
Open = Callable[[str, "tuple[int, int] | None"], Reader]


def codec_reader(file: str, size: tuple[int, int] | None, seek_mode: str = "exact") -> Reader:
    """Opens a file with torchcodec, and returns a function that reads frames by number."""
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    scaled = None if size is None else [Resize(size)]
    decoder = VideoDecoder(
        file, num_ffmpeg_threads=1, transforms=scaled, seek_mode=seek_mode, dimension_order="NHWC"
    )
    return lambda frames: decoder.get_frames_at(frames).data


def approximate_reader(file: str, size: tuple[int, int] | None) -> Reader:
    """Does the same without the scan of the file, which finds frames by their assumed time."""
    return codec_reader(file, size, "approximate")


def decord_reader(file: str, size: tuple[int, int] | None) -> Reader:
    """Opens a file with decord, and returns a function that reads frames by number."""
    import decord

    height, width = (-1, -1) if size is None else size
    video = decord.VideoReader(file, width=width, height=height, num_threads=1)
    return lambda frames: torch.from_numpy(video.get_batch(frames).asnumpy())


READERS: dict[str, dict[str, Open]] = {
    "torchcodec": {"torchcodec": codec_reader, "torchcodec, approximate": approximate_reader},
    "decord": {"decord": decord_reader},
}


def kept(opening: Open) -> Open:
    """Returns a function that opens each file once."""
    readers: dict[tuple[str, tuple[int, int] | None], Reader] = {}

    def opened(file: str, size: tuple[int, int] | None) -> Reader:
        if (file, size) not in readers:
            readers[file, size] = opening(file, size)
        return readers[file, size]

    return opened


def one_clip(clip: dict[str, Any], opening: Open) -> torch.Tensor:
    """Reads, crops and mirrors a clip, uint8 ``(time, height, width, 3)``."""
    frames = opening(clip["file"], tuple(clip["size"]))(clip["frames"])
    (top, left), side = clip["corner"], clip["crop"]
    part = frames[:, top : top + side, left : left + side]
    return part.flip(2) if clip["flip"] else part


def passes(clips: Iterator[dict[str, Any]], opening: Open, batch: int, count: int) -> Any:
    """Returns a job that reads the next ``count`` clips in batches."""

    def run() -> None:
        for _ in range(count // batch):
            part = [one_clip(next(clips), opening) for _ in range(batch)]
            torch.stack(part)

    return run


def store(given: dict[str, Any], folder: Path, readers: dict[str, Open]) -> dict[str, Any]:
    """Stores the frames of the clips of each video, and returns the errors that were raised."""
    errors: dict[str, Any] = {}
    for (name, opening), (file, clips) in itertools.product(readers.items(), given["videos"]):
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        found = []
        for frames in clips:
            try:
                found.append(opening(file, None)(frames).numpy())
            except Exception as error:  # of any kind: the caller counts the frames as missing
                errors[f"{name}: {Path(file).name}"] = str(error).strip().splitlines()[0]
                found.append(np.zeros((len(frames), *given["shape"]), np.uint8))
        np.save(home / f"{Path(file).name}.npy", np.concatenate(found))
    return errors


def main() -> None:
    """Stores the frames to check, then runs the job that each line of stdin names."""
    torch.set_num_threads(1)
    library, file = sys.argv[1], Path(sys.argv[2])
    given = json.loads(file.read_text())
    readers = READERS[library]
    ways = {**readers, **{f"{name}, kept open": kept(way) for name, way in readers.items()}}
    jobs = {
        name: passes(itertools.cycle(given["clips"]), way, given["batch"], given["count"])
        for name, way in ways.items()
    }
    errors = store(given, file.parent / "frames", readers)
    version = f"{importlib.metadata.version(library)}, PyTorch {torch.__version__}"
    answer(jobs, {"version": version, "errors": errors, "names": list(readers)})


if __name__ == "__main__":
    main()

"""Damages videos in 18 ways, runs them through the pipelines, and prints tables of the outcomes.

    python scripts/fault_table.py --docs=docs/faults.md

Writes ten videos for each kind of damage, damages one of them, and reports what became of it: in
the check before a run, in training, validation and test. A second table shows how many flipped
bytes the codecs detect. `--docs` also writes the tables into a page.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections import Counter
from pathlib import Path

import av
import damage
import numpy as np
from absl import app, flags

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.crops import ClipSizeError
from vdroppath_tf.data.clips.pipeline import (
    ClipSampling,
    FaultLog,
    evaluation_clips,
    training_clips,
)
from vdroppath_tf.data.sources.decode import VideoError
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import make_clip

_DOCS = flags.DEFINE_string("docs", None, "page whose tables, between their marks, are replaced")

VIDEOS, FRAMES, BAD = 10, 24, 4
SAMPLING = ClipSampling(FRAMES // 2, stride=2, clips_per_video=2)
TRIALS = 40
CODECS = (("libx264", ".mp4"), ("mpeg4", ".avi"), ("libvpx", ".webm"), ("libvpx-vp9", ".webm"))
MARKS = ("<!-- fault table -->", "<!-- end of the fault table -->")


def picture_frames(item: int, size: int = 32) -> np.ndarray:
    """Returns frames that change smoothly, uint8 `(24, size, size, 3)`.

    As in films, most of them are coded by their difference from other frames.
    """
    easy = Difficulty(FRAMES, size, shape=size / 4, noise=0.0)
    return make_clip("motion", "train", item, difficulty=easy)[0]


def write_videos(folder: Path) -> Manifest:
    """Writes ten intact videos and their list, and returns their manifest."""
    folder.mkdir(parents=True)
    for k in range(VIDEOS):
        write_video(folder / f"{k}.mp4", picture_frames(k))
    (folder / "list.txt").write_text("".join(f"{k}.mp4 {FRAMES} {k}\n" for k in range(VIDEOS)))
    return read_list(folder / "list.txt")


def batches(manifest: Manifest, split: str, faults: FaultLog) -> tuple[np.ndarray, np.ndarray]:
    """Returns the clips and the labels of one pass through a split's pipeline."""
    options = {"batch_size": 2, "faults": faults}
    if split == "train":
        clips = training_clips(manifest, SAMPLING, **options)
    else:
        clips = evaluation_clips(manifest, SAMPLING, split=split, **options)
    pairs = [(batch.numpy(), labels.numpy()) for batch, labels in clips]
    return tuple(np.concatenate(part) for part in zip(*pairs, strict=True))  # type: ignore[return-value]


def outcome(folder: Path, kind: str, split: str) -> tuple[str, str]:
    """Returns the outcome of the check, and that of the damaged video in a split."""
    try:
        return _outcome(folder, kind, split)
    except ClipSizeError:
        return "stops the run", "an intact video: the run stops and names the settings to change"


def _outcome(folder: Path, kind: str, split: str) -> tuple[str, str]:
    manifest = write_videos(folder)
    clean = batches(manifest, split, FaultLog(0))
    faults = FaultLog()
    path = Path(manifest.entries[BAD].path)
    vanishes = kind not in damage.KINDS
    if not vanishes:
        damage.KINDS[kind](path)
    check_videos(manifest, SAMPLING, split=split, faults=faults)
    check = "found" if faults.faults() else "not found"
    if vanishes:
        path.unlink()
    frames, labels = batches(manifest, split, faults)
    noted = len(faults.faults())
    if split == "train":
        count = faults.replaced(0)
        if noted and len(labels) == len(clean[1]) and BAD not in labels:
            return check, f"replaced by the next, {count} counted"
    else:
        rest = clean[1] != BAD
        scored = faults.scored(manifest, split)
        same = np.array_equal(frames, clean[0][rest]) and np.array_equal(labels, clean[1][rest])
        if noted and same:
            return check, f"left out, {scored} of {VIDEOS} scored"
    same = np.array_equal(frames, clean[0]) and np.array_equal(labels, clean[1])
    return check, "read, frames unchanged" if same else "WRONG FRAMES"


def fault_table(folder: Path) -> list[str]:
    """Prints the rows of the table of damage, and returns them."""
    lines = ["| damage | check before a run | training | validation | test |", "|" + " --- |" * 5]
    for number, kind in enumerate([*damage.KINDS, "vanishes after the check"]):
        cells = [kind]
        for split in ("train", "validation", "test"):
            check, became = outcome(folder / f"{number}-{split}", kind, split)
            cells += [check, became] if split == "train" else [became]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return lines


def flip_table(folder: Path) -> list[str]:
    """Prints the rows of the table of flipped bytes, and returns them.

    They count the results of reading a whole video: an error, the same frames, or other frames.
    """
    lines = [
        "| codec | bytes flipped | error | frames unchanged | other frames, unnoticed |",
        "|" + " --- |" * 5,
    ]
    for codec, suffix in CODECS:
        good = folder / f"{codec}{suffix}"
        write_video(good, picture_frames(0, 128), codec=codec)  # large: few bytes are headers
        clean = VideoFile(str(good)).read(range(FRAMES))
        for count in (1, 4, 64):
            found = Counter(_flipped(good, clean, count, seed) for seed in range(TRIALS))
            shown = (f"{found[name]} of {TRIALS}" for name in ("error", "same", "other"))
            lines.append(f"| {codec} in {suffix[1:]} | {count} | " + " | ".join(shown) + " |")
            print(lines[-1], flush=True)
    return lines


def _flipped(good: Path, clean: np.ndarray, count: int, seed: int) -> str:
    path = good.with_name(f"{good.stem}-{count}-{seed}{good.suffix}")
    path.write_bytes(good.read_bytes())
    damage.flip(path, count, seed)
    with contextlib.suppress(VideoError):
        frames = VideoFile(str(path)).read(range(FRAMES))
        return "same" if np.array_equal(frames, clean) else "other"
    return "error"


def keep(page: Path, text: str) -> None:
    """Replaces the text between the marks of a page."""
    before, _, rest = page.read_text().partition(MARKS[0])
    _, mark, after = rest.partition(MARKS[1])
    if not mark:
        raise ValueError(f"{page}: expected the marks {MARKS[0]} and {MARKS[1]}.")
    page.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


def main(argv: list[str]) -> None:
    """Prints both tables, and writes them into a page if one is given."""
    del argv
    av.logging.set_level(av.logging.PANIC)
    logging.getLogger("vdroppath_tf").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "flips").mkdir()
        tables = [fault_table(Path(folder) / "kinds"), flip_table(Path(folder) / "flips")]
    text = "\n" + "\n\n".join("\n".join(lines) for lines in tables) + "\n"
    print(text)
    if _DOCS.value is not None:
        keep(Path(_DOCS.value), text)


if __name__ == "__main__":
    app.run(main)

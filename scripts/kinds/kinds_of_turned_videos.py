"""Kinds of video files that are stored rotated or mirrored, with metadata of their orientation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av
import numpy as np
from film_files import (
    FRAMES,
    HEIGHT,
    WIDTH,
    draw,
    encode,
    encode_streams,
    expect_film,
    expect_source,
    set_matrix,
)
from kind import Kind, expect

from vdroppath_tf import data
from vdroppath_tf.data.lists.one_video import one_video
from vdroppath_tf.data.sources import VideoFile
from vdroppath_tf.data.sources.orientation import upright

# The display matrix (a, b, c, d) of each orientation, and the orientation that undoes another.
MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
_UNDOES = {6: 8, 8: 6}
_NAMES = {
    2: "mirrored left to right",
    3: "180 degrees",
    4: "mirrored top to bottom",
    5: "mirrored at the diagonal",
    6: "90 degrees clockwise",
    7: "mirrored at the other diagonal",
    8: "270 degrees clockwise",
}


def stored(film: np.ndarray, orientation: int) -> np.ndarray:
    """Returns the frames as a camera stores them that this orientation shows upright."""
    undo = _UNDOES.get(orientation, orientation)
    return np.stack([np.ascontiguousarray(upright(frame, undo)) for frame in film])


def turned(folder: Path, orientation: int, name: str = "a.mp4", **options: object) -> Path:
    """Writes a video that is stored rotated, with its display matrix, and returns its path."""
    path = encode(folder / name, stored(draw(), orientation), **options)  # type: ignore[arg-type]
    return set_matrix(path, MATRICES[orientation])


def _read_turned(orientation: int, name: str, folder: Path) -> None:
    expect_source(VideoFile(str(turned(folder, orientation, name))))


def _read_hevc(folder: Path) -> None:
    # x265 writes past the end of its memory at a width of 48; multiples of 64 are safe.
    film = stored(draw(height=128, width=192), 6)
    path = set_matrix(encode(folder / "a.mp4", film, codec="libx265"), MATRICES[6])
    expect_source(VideoFile(str(path)), size=(128, 192))


def _in_matroska(orientation: int, folder: Path) -> None:
    """Reads Matroska, which has angles in place of a matrix, from which FFmpeg makes a matrix."""
    with (
        av.open(str(turned(folder, orientation))) as whole,
        av.open(str(folder / "a.mkv"), "w") as other,
    ):
        stream = whole.streams.video[0]
        copy = other.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            if packet.size:
                packet.stream = copy
                other.mux(packet)
    expect_source(VideoFile(str(folder / "a.mkv")))


def _with_cover(folder: Path) -> None:
    """Reads a file whose first stream is a cover, which is upright."""
    cover = np.full((1, 200, 100, 3), (220, 20, 20), np.uint8)
    films = [(cover, "mjpeg"), (stored(draw(), 6), "libx264")]
    path = encode_streams(films, folder / "a.mp4", flags=(0x400, 1))
    expect_source(VideoFile(str(set_matrix(path, MATRICES[6]))))


def _predict(folder: Path) -> None:
    """Reads a video like a served network does, with the same reader."""
    (entry,) = one_video(turned(folder, 6), ("a",))
    expect_source(entry.source)


def _read_boxes(folder: Path) -> None:
    """Checks that a box is a part of the frame as shown."""
    source = VideoFile(str(turned(folder, 6)))
    box = data.sources.Box(0, WIDTH // 2, HEIGHT // 4, WIDTH // 2)
    found = source.read([3], box=box)
    expect(found.shape, (1, HEIGHT // 4, WIDTH // 2, 3), "shape of the box")
    expect(bool(np.abs(found.mean((0, 1, 2)) - (20, 200, 20)).max() < 12), True, "green part")


def _read_in_class_folders(folder: Path) -> None:
    """Reads clips of a class folder, as training and scoring do."""
    for name in ("run", "walk"):
        (folder / "data" / name).mkdir(parents=True)
        turned(folder / "data" / name, 6)
    videos = data.open_manifest(folder / "data")
    found = data.lists.read_facts(videos)
    sizes = {
        (facts.height, facts.width) for facts in found if isinstance(facts, data.sources.FrameInfo)
    }
    expect(sizes, {(HEIGHT, WIDTH)}, "sizes in the catalog")
    sampling = data.ClipSampling(frames=FRAMES)
    clips, _ = next(iter(data.evaluation_clips(videos, sampling, batch_size=2)))
    for clip in clips.numpy():
        expect_film(clip)


def _convert(folder: Path) -> None:
    (folder / "data" / "run").mkdir(parents=True)
    turned(folder / "data" / "run", 8)
    data.write_records(folder / "records", data.open_manifest(folder / "data"), quality=100)
    [entry] = data.open_manifest(folder / "records")
    expect_source(entry.source)


def _examine(folder: Path) -> None:
    (folder / "data" / "run").mkdir(parents=True)
    turned(folder / "data" / "run", 6)
    videos = data.open_manifest(folder / "data")
    found = data.diagnose([("train", videos)], folder / "journal")
    expect(found.sizes(), [(f"{WIDTH}x{HEIGHT}", 1)], "sizes that the doctor found")


def _from_disk(folder: Path) -> None:
    """Checks that a frame index on disk keeps the orientation of the frames."""
    from vdroppath_tf.data.sources import index

    source = VideoFile(str(turned(folder, 6)))
    for _ in range(2):
        index._cached_index.cache_clear()
        expect_film(source.read(range(FRAMES), cache_dir=folder / "cache"))


def _by_message(folder: Path) -> None:
    """Reads H.264 with the orientation in a message, in a container without a matrix."""
    source = encode(folder / "source.mp4", stored(draw(), 8))
    with av.open(str(source)) as whole, av.open(str(folder / "a.ts"), "w") as other:
        stream = whole.streams.video[0]
        options = "h264_mp4toannexb,h264_metadata=display_orientation=insert:rotate=90"
        edit = av.BitStreamFilterContext(options, stream)
        copy = other.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            for made in edit.filter(packet if packet.size else None):
                made.stream = copy
                other.mux(made)
    expect_source(VideoFile(str(folder / "a.ts")))


def _read_matrix(matrix: tuple[float, ...], folder: Path) -> None:
    expect_source(VideoFile(str(set_matrix(encode(folder / "a.mp4", draw()), matrix))))


KINDS = (
    *(
        Kind(f"rotation: {name} in {file}", "upright", partial(_read_turned, number, file))
        for number, name in _NAMES.items()
        for file in (("a.mp4", "a.mov") if number in (3, 6) else ("a.mp4",))
    ),
    Kind("rotation: matrix of zeros", "ignored", partial(_read_matrix, (0, 0, 0, 0))),
    Kind("rotation: scaled matrix", "ignored", partial(_read_matrix, (2, 0, 0, 2))),
    Kind(
        "rotation: 30 degrees",
        "refused: frames would get black corners",
        partial(_read_matrix, (0.866, 0.5, -0.5, 0.866)),
        refusal="right angles",
    ),
    Kind("rotation: 90 degrees in Matroska", "upright", partial(_in_matroska, 6)),
    Kind("rotation: mirrored in Matroska", "upright", partial(_in_matroska, 2)),
    Kind("rotation: HEVC", "upright", _read_hevc),
    Kind("rotation: next to a cover", "upright", _with_cover),
    Kind("rotation: predict", "upright", _predict),
    Kind("rotation: in a message of H.264", "upright", _by_message),
    Kind("rotation: a box of the frame", "part of the shown frame", _read_boxes),
    Kind("rotation: clips and catalog", "upright, size as shown", _read_in_class_folders),
    Kind("rotation: convert", "upright", _convert),
    Kind("rotation: doctor", "size as shown", _examine),
    Kind("rotation: frame index on disk", "upright", _from_disk),
)

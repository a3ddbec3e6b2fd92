"""Kinds of extracted frames whose pictures have an EXIF orientation, as cameras write them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import h5py
import numpy as np
from film_files import FRAMES, HEIGHT, WIDTH, draw, expect_source
from kind import Kind, expect
from kinds_of_turned_videos import stored

from vdroppath_tf import data
from vdroppath_tf.data.sources import FlowFolder, FrameFolder, FrameZip, Hdf5Frames


def tiff(orientation: int, order: str = "little", type: int = 3) -> bytes:
    """Returns EXIF data with a maker and an orientation."""
    start = b"II*\0" if order == "little" else b"MM\0*"

    def whole(value: int, width: int) -> bytes:
        return value.to_bytes(width, "little" if order == "little" else "big")

    width = {1: 1, 3: 2, 4: 4}[type]
    maker = whole(0x010F, 2) + whole(2, 2) + whole(4, 4) + b"abc\0"
    turn = whole(0x0112, 2) + whole(type, 2) + whole(1, 4) + whole(orientation, width)
    return start + whole(8, 4) + whole(2, 2) + maker + turn.ljust(12, b"\0") + whole(0, 4)


def jpeg(pixels: np.ndarray, exif: bytes | None = None) -> bytes:
    """Returns a JPEG picture of RGB pixels, with EXIF data before everything else if given."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.height, encoder.width = pixels.shape[:2]
    encoder.pix_fmt = "yuvj444p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "1", "qmax": "2"}
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuvj444p", dst_color_range=2, src_color_range=2
    )
    frame.pts = 0
    encoded = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    if exif is None:
        return encoded
    body = b"Exif\0\0" + exif
    return encoded[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + encoded[2:]


def png(pixels: np.ndarray, exif: bytes) -> bytes:
    """Returns a PNG picture of RGB pixels with EXIF data."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"eXIf", exif), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        for kind, body in chunks
    )


def _pictures(orientation: int) -> list[bytes]:
    return [jpeg(frame, tiff(orientation)) for frame in stored(draw(), orientation)]


def write_folder(folder: Path, pictures: Sequence[bytes], suffix: str = "jpg") -> Path:
    """Writes the pictures as a folder of frames, and returns its path."""
    folder.mkdir(parents=True)
    for place, picture in enumerate(pictures, start=1):
        (folder / f"img_{place:05d}.{suffix}").write_bytes(picture)
    return folder


def _in_folder(orientation: int, folder: Path) -> None:
    path = write_folder(folder / "frames", _pictures(orientation))
    expect_source(FrameFolder(str(path)))


def _in_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for place, picture in enumerate(_pictures(6), start=1):
            archive.writestr(f"{place:05d}.jpg", picture)
    expect_source(FrameZip(str(folder / "a.zip")))


def _in_hdf5(folder: Path) -> None:
    with h5py.File(folder / "a.h5", "w") as file:
        for place, picture in enumerate(_pictures(8)):
            file[f"frames/{place:05d}"] = np.frombuffer(picture, np.uint8)
    expect_source(Hdf5Frames(str(folder / "a.h5"), "/frames"))


def _png(folder: Path) -> None:
    pictures = [png(frame, tiff(6, "big")) for frame in stored(draw(), 6)]
    expect_source(FrameFolder(str(write_folder(folder / "frames", pictures, "png"))))


def _variant(order: str, type: int, folder: Path) -> None:
    pictures = [jpeg(frame, tiff(6, order, type)) for frame in stored(draw(), 6)]
    expect_source(FrameFolder(str(write_folder(folder / "frames", pictures))))


def _as_it_is(exif: bytes, folder: Path) -> None:
    pictures = [jpeg(frame, exif) for frame in draw()]
    expect_source(FrameFolder(str(write_folder(folder / "frames", pictures))))


def _mixed(folder: Path) -> None:
    """Reads frames of a phone that was rotated while it recorded, with several orientations."""
    film = draw()
    pictures = []
    for place, frame in enumerate(film):
        orientation = (1, 6, 3, 8)[place % 4]
        pictures.append(jpeg(stored(frame[None], orientation)[0], tiff(orientation)))
    expect_source(FrameFolder(str(write_folder(folder / "frames", pictures))))


def _convert(folder: Path) -> None:
    write_folder(folder / "data" / "run" / "a", _pictures(6))
    videos = data.open_manifest(folder / "data")
    data.write_records(folder / "records", videos, quality=100)
    [entry] = data.open_manifest(folder / "records")
    expect_source(entry.source)
    sampling = data.ClipSampling(frames=FRAMES)
    clips = data.records.stream_clips(folder / "records", sampling, batch_size=1, epochs=1)
    for clip, _ in clips:
        expect(tuple(clip.shape[1:4]), (FRAMES, HEIGHT, WIDTH), "shape in a graph")


def _flow(folder: Path) -> None:
    grey = np.full((32, 48, 3), 128, np.uint8)
    (folder / "flow").mkdir()
    for axis in ("x", "y"):
        (folder / "flow" / f"flow_{axis}_00001.jpg").write_bytes(jpeg(grey, tiff(6)))
    FlowFolder(str(folder / "flow")).read([0])


KINDS = (
    *(
        Kind(f"EXIF: orientation {number}", "upright", partial(_in_folder, number))
        for number in range(1, 9)
    ),
    Kind("EXIF: pictures in a zip file", "upright", _in_zip),
    Kind("EXIF: pictures in an HDF5 file", "upright", _in_hdf5),
    Kind("EXIF: in PNG", "upright", _png),
    Kind("EXIF: high byte first", "upright", partial(_variant, "big", 3)),
    Kind("EXIF: as a long number", "upright", partial(_variant, "big", 4)),
    Kind("EXIF: another orientation for each picture", "upright", _mixed),
    Kind("EXIF: orientation 0", "as it is", partial(_as_it_is, tiff(0))),
    Kind("EXIF: orientation 9", "as it is", partial(_as_it_is, tiff(9))),
    Kind("EXIF: cut short", "as it is", partial(_as_it_is, tiff(6)[:20])),
    Kind(
        "EXIF: an offset beyond the end", "as it is", partial(_as_it_is, b"II*\0\xff\xff\xff\x7f")
    ),
    Kind("EXIF: convert and stream", "upright", _convert),
    Kind("EXIF: optical flow", "refused: motion is not rotated", _flow, refusal="optical flow"),
)

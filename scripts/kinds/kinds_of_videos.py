"""Kinds of video files with several streams, or with pixels that are not square."""

from __future__ import annotations

from fractions import Fraction
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
from kinds_of_turned_videos import MATRICES, stored

from vdroppath_tf import data
from vdroppath_tf.data.sources import VideoFile

_DEFAULT, _ATTACHED = 1, 0x400


def _several(
    name: str,
    flags: tuple[int, int],
    film: int,
    codecs: tuple[str, str],
    other: np.ndarray,
    folder: Path,
) -> None:
    """Reads a file of two streams, one of which is the main video."""
    films = [(other, codecs[0]), (other, codecs[1])]
    films[film] = (draw(), codecs[film])
    expect_source(VideoFile(str(encode_streams(films, folder / name, flags=flags))))


def _cover(name: str, film: int, flags: tuple[int, int], folder: Path) -> None:
    picture = np.full((1, 200, 200, 3), (220, 20, 20), np.uint8)
    codecs = ("mjpeg", "libx264") if film else ("libx264", "mjpeg")
    _several(name, flags, film, codecs, picture, folder)


def _only_cover(folder: Path) -> None:
    """Opens a song with its cover."""
    with av.open(str(folder / "a.m4a"), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = HEIGHT, WIDTH, "yuvj420p"
        cover.disposition = _ATTACHED  # type: ignore[assignment]
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        container.mux([*sound.encode(silence), *sound.encode(None)])
        picture = av.VideoFrame.from_ndarray(draw(1)[0], format="rgb24")
        container.mux([*cover.encode(picture), *cover.encode(None)])
    VideoFile(str(folder / "a.m4a")).info()


def _choose(number: int, folder: Path) -> None:
    films = [(draw(height=96), "libx264"), (draw(), "libx264")]
    encode_streams(films, folder / "a.mkv", flags=(_DEFAULT, 0))
    (folder / "list.txt").write_text("a.mkv 12 0\n")
    chosen = data.Lookup(video_stream=number)
    videos = data.open_manifest(folder / "list.txt", lookup=chosen)
    expect_source(videos.entries[0].source)
    data.write_manifest(videos, folder / "manifest.jsonl")
    again = data.open_manifest(folder / "manifest.jsonl")
    expect_source(again.entries[0].source)
    expect(again.digest(), videos.digest(), "digest of the manifest file")
    digests = {videos.digest(), data.open_manifest(folder / "list.txt").digest()}
    expect(len(digests), 2, "digests of two streams of one list")


_BACKWARDS = draw()[::-1].copy()
_LARGE = draw(height=96)[::-1].copy()
_PREVIEW = draw(height=12, width=16)[::-1].copy()
_H264 = ("libx264", "libx264")

STREAMS = (
    *(
        Kind(
            f"streams: cover {place} in {name}, {'marked as one' if marks else 'not marked'}",
            "the main video",
            partial(_cover, name, film, flags),
        )
        for name in ("a.mkv", "a.mp4")
        for place, film in (("first", 1), ("last", 0))
        for marks in (True, False)
        for flags in [
            ((_ATTACHED, _DEFAULT) if film else (_DEFAULT, _ATTACHED)) if marks else (0, 0)
        ]
    ),
    Kind(
        "streams: the second camera is the default",
        "the second one",
        partial(_several, "a.mkv", (0, _DEFAULT), 1, _H264, _BACKWARDS),
    ),
    Kind(
        "streams: the default one is smaller",
        "the second one",
        partial(_several, "a.mkv", (0, _DEFAULT), 1, _H264, _LARGE),
    ),
    Kind(
        "streams: a preview first, both default",
        "the larger one",
        partial(_several, "a.mkv", (_DEFAULT, _DEFAULT), 1, _H264, _PREVIEW),
    ),
    Kind(
        "streams: a moving MJPEG preview first",
        "the larger one",
        partial(_several, "a.mkv", (0, 0), 1, ("mjpeg", "libx264"), _PREVIEW),
    ),
    Kind(
        "streams: two that are equal",
        "the first one",
        partial(_several, "a.mkv", (_DEFAULT, _DEFAULT), 0, _H264, _BACKWARDS),
    ),
    Kind("streams: only a cover", "refused", _only_cover, refusal="holds no video"),
    Kind("streams: chosen by number", "that stream, with a different digest", partial(_choose, 1)),
    Kind(
        "streams: a number that does not exist",
        "refused, with a list of the streams",
        partial(_choose, 2),
        refusal=r"0: h264 64x96, 1: h264 64x48.*--video_stream",
    ),
)


def _narrow(folder: Path) -> Path:
    """Writes a video of 48x48 pixels whose aspect is 4:3, and returns its path."""
    film = np.repeat(draw(width=192), 1, 0)[:, :, 2::4]
    return encode(folder / "a.mp4", np.ascontiguousarray(film), aspect=Fraction(4, 3))


def _in_container(name: str, codec: str, aspect: Fraction, folder: Path) -> None:
    """Reads pixels that are not square, with the aspect in the container or in the codec."""
    width = round(WIDTH / aspect)
    film = draw(width=192)[:, :, (192 // width) // 2 :: 192 // width]
    path = encode(folder / name, np.ascontiguousarray(film), codec=codec, aspect=aspect)
    expect_source(VideoFile(str(path)), size=(HEIGHT, width))
    expect_source(VideoFile(str(path)).with_square_pixels())


def _as_stored(folder: Path) -> None:
    expect_source(VideoFile(str(_narrow(folder))), size=(HEIGHT, 48))


def _as_shown(folder: Path) -> None:
    expect_source(VideoFile(str(_narrow(folder))).with_square_pixels())


def _turned_and_narrow(folder: Path) -> None:
    """Checks that the aspect is that of the stored pixels: here they are wide and shown rotated."""
    film = stored(draw(height=64, width=48), 6)  # 64 wide, 48 high
    narrow = np.ascontiguousarray(film[:, :, ::2])
    path = set_matrix(encode(folder / "a.mp4", narrow, aspect=Fraction(2, 1)), MATRICES[6])
    expect(
        (VideoFile(str(path)).info().height, VideoFile(str(path)).info().width), (32, 48), "stored"
    )
    expect_source(VideoFile(str(path)).with_square_pixels(), size=(64, 48))


def _clips(folder: Path) -> None:
    (folder / "data" / "run").mkdir(parents=True)
    _narrow(folder / "data" / "run")
    videos = data.open_manifest(folder / "data")
    sampling = data.ClipSampling(frames=FRAMES, square_pixels=True)
    data.clips.check_videos(videos, sampling)
    clips, _ = next(iter(data.evaluation_clips(videos, sampling, batch_size=1)))
    expect_film(clips.numpy()[0])


def _convert(square: bool, folder: Path) -> None:
    """Reads records of square or of stored pixels, with a request for square ones."""
    (folder / "data" / "run").mkdir(parents=True)
    _narrow(folder / "data" / "run")
    videos = data.open_manifest(folder / "data")
    videos = videos.with_square_pixels() if square else videos
    data.write_records(folder / "records", videos, quality=100)
    converted = data.open_manifest(folder / "records")
    sampling = data.ClipSampling(frames=FRAMES, square_pixels=True)
    clips, _ = next(iter(data.evaluation_clips(converted, sampling, batch_size=1)))
    expect_film(clips.numpy()[0])


def _say(folder: Path) -> None:
    """Checks the notes of the catalog on videos that can be read in several ways."""
    (folder / "data" / "run").mkdir(parents=True)
    _narrow(folder / "data" / "run")
    set_matrix(encode(folder / "data" / "run" / "b.mp4", draw()), MATRICES[6])
    two = [(draw(height=96), "libx264"), (draw(), "libx264")]
    encode_streams(two, folder / "data" / "run" / "c.mkv", flags=(0, _DEFAULT))
    videos = data.open_manifest(folder / "data")
    notes = data.lists.describe_facts(videos, data.lists.read_facts(videos))
    for words in ("1 videos are stored rotated", "h264 64x96, 1: h264 64x48; 1 is read", "4:3"):
        expect(any(words in note for note in notes), True, f"{words!r} in {notes}")


ASPECT = (
    Kind("aspect: clips of square pixels", "as players show it", _clips),
    Kind("aspect: converted to square pixels", "as players show it", partial(_convert, True)),
    Kind(
        "aspect: square pixels of records without them",
        "refused, with the flag of convert",
        partial(_convert, False),
        refusal="Convert the videos again with --square_pixels",
    ),
    Kind("aspect: notes of the catalog", "rotation, several streams, aspect", _say),
    Kind("aspect: pixels of 4:3", "as stored, as decord and torchcodec do", _as_stored),
    Kind("aspect: pixels of 4:3, square ones requested", "as players show it", _as_shown),
    *(
        Kind(
            f"aspect: {aspect} in {name}, {codec}",
            "as stored, or as players show it",
            partial(_in_container, name, codec, aspect),
        )
        for name, codec in (("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.avi", "mpeg4"))
        for aspect in (Fraction(2), Fraction(2, 3))
    ),
    Kind("aspect: rotated too", "as players show it", _turned_and_narrow),
)

KINDS = (*STREAMS, *ASPECT)

"""Kinds of containers and codecs, with their suffix and without one."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from film_files import draw, encode
from kind import Kind, expect
from stream_files import expect_numbers

from vdroppath_tf import data
from vdroppath_tf.data.sources.content import is_video
from vdroppath_tf.data.sources.decode import index_video

FRAMES = 24
_WHOLE = range(FRAMES)

# The suffix that users have: the muxer's suffix, the encoder, the frame rate and the pixel format.
SUFFIXES: dict[str, tuple[str, str, int, str]] = {
    ".m4v": ("mp4", "libx264", 12, "yuv420p"),
    ".MP4": ("mp4", "libx264", 12, "yuv420p"),
    ".mov": ("mov", "prores_ks", 12, "yuv422p10le"),
    ".qt": ("mov", "png", 12, "rgb24"),
    ".3gp": ("3gp", "mpeg4", 12, "yuv420p"),
    ".avi": ("avi", "mpeg4", 12, "yuv420p"),
    ".divx": ("avi", "mpeg4", 12, "yuv420p"),
    ".AVI": ("avi", "huffyuv", 12, "yuv422p"),
    ".mkv": ("mkv", "ffv1", 12, "yuv420p"),
    ".webm": ("webm", "libvpx", 12, "yuv420p"),
    ".mpg": ("mpg", "mpeg1video", 25, "yuv420p"),
    ".mpeg": ("mpg", "mpeg2video", 25, "yuv420p"),
    ".vob": ("vob", "mpeg2video", 25, "yuv420p"),
    ".m2v": ("m2v", "mpeg2video", 25, "yuv420p"),
    ".ts": ("ts", "libx264", 12, "yuv420p"),
    ".m2ts": ("m2ts", "libx264", 12, "yuv420p"),
    ".MTS": ("ts", "libx264", 12, "yuv420p"),
    ".mxf": ("mxf", "mpeg2video", 25, "yuv420p"),
    ".flv": ("flv", "flv", 12, "yuv420p"),
    ".f4v": ("mp4", "libx264", 12, "yuv420p"),
    ".wmv": ("wmv", "wmv2", 12, "yuv420p"),
    ".asf": ("asf", "wmv2", 12, "yuv420p"),
    ".gif": ("gif", "gif", 10, "rgb8"),
    ".apng": ("apng", "apng", 10, "rgb24"),
    ".webp": ("webp", "libwebp_anim", 10, "bgra"),
    ".ivf": ("ivf", "libvpx-vp9", 12, "yuv420p"),
    ".h264": ("h264", "libx264", 12, "yuv420p"),
    ".h265": ("hevc", "libx265", 12, "yuv420p"),
    ".mjpeg": ("mjpeg", "mjpeg", 12, "yuvj420p"),
    ".y4m": ("y4m", "wrapped_avframe", 12, "yuv420p"),
}
_CLEAR = {"b": "2000k"}
_OPTIONS = {
    "libx265": {"x265-params": "log-level=none:pools=none:frame-threads=1"},
    "mpeg1video": _CLEAR,
    "mpeg2video": _CLEAR,
    "mpeg4": _CLEAR,
    "wmv2": _CLEAR,
    "flv": _CLEAR,
}


@functools.cache
def _made(suffix: str) -> bytes:
    container, codec, rate, pix_fmt = SUFFIXES[suffix]
    options = _OPTIONS.get(codec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{container}"
        encode(path, draw(FRAMES), codec=codec, rate=rate, pix_fmt=pix_fmt, options=options)
        return path.read_bytes()


def _by_list(folder: Path, suffix: str, name: str) -> None:
    (folder / name).write_bytes(_made(suffix))
    expect(is_video(str(folder / name)), True, f"whether {name} is a video")
    (folder / "list.txt").write_text(f"{name} {FRAMES} 0\n")
    videos = data.open_manifest(folder / "list.txt")
    expect_numbers(Path(videos.entries[0].path), _WHOLE, dropped=0)


def _class_folders(folder: Path) -> None:
    """Reads class folders with all containers, and with files that are not videos."""
    for name in ("run", "walk"):
        (folder / name).mkdir()
    for number, suffix in enumerate(SUFFIXES):
        (folder / "run" / f"{number}{suffix}").write_bytes(_made(suffix))
        if suffix != ".mjpeg":  # it begins like a picture
            (folder / "walk" / f"clip{number}").write_bytes(_made(suffix))
    (folder / "run" / "film.mp4.part").write_bytes(_made(".m4v"))
    (folder / "walk" / "module.ts").write_text("import * as path from 'path';\n" * 99)
    (folder / "walk" / "notes.txt").write_text("takes of Monday")
    videos = data.open_manifest(folder)
    expect(len(videos), 2 * len(SUFFIXES) - 1, "videos")
    for entry in videos:
        expect(entry.info().num_frames, FRAMES, f"frames of {entry.name}")
    said = " ".join(videos.notes)
    for name in ("partial download", ".ts", ".txt"):
        expect(name in said, True, f"whether {name} is named in {said!r}")


_OTHERS: dict[str, str] = {
    "ffconcat": "ffconcat version 1.0\nfile 'film.mp4'\n",
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nfilm.mp4\n#EXT-X-ENDLIST\n",
    "DASH": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'/>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}
"""Files that would make a reader open other files."""


def _opens_others(folder: Path, text: str, suffix: str) -> None:
    (folder / "film.mp4").write_bytes(_made(".m4v"))
    (folder / f"list{suffix}").write_text(text)
    index_video(folder / f"list{suffix}")


def _small_frames(folder: Path, suffix: str) -> None:
    """Reads files in which only the first frame of each container packet has a time stamp."""
    options = {"g": "12", "bf": "2"} | _CLEAR
    path = folder / f"a.{suffix}"
    encode(path, draw(60), codec="mpeg1video", rate=25, options=options)
    expect_numbers(path, range(60), dropped=0)


KINDS = (
    *(
        Kind(
            f"containers: {what}, named list{suffix}",
            "refused: it would open other files",
            functools.partial(_opens_others, text=text, suffix=suffix),
            refusal="damaged or not a video",
        )
        for what, text in _OTHERS.items()
        for suffix in (".mp4", ".ts", ".mpd" if what == "DASH" else ".m3u8")
    ),
    *(
        Kind(
            f"containers: several frames per packet of the container, .{suffix}",
            "all frames, also when each is read separately",
            functools.partial(_small_frames, suffix=suffix),
        )
        for suffix in ("mpg", "vob", "ts", "avi")
    ),
    *(
        Kind(
            f"containers: {suffix} ({SUFFIXES[suffix][1]}), named {name}",
            "all frames",
            functools.partial(_by_list, suffix=suffix, name=name),
        )
        for suffix in SUFFIXES
        for name in (f"a{suffix}", "clip")
        if (suffix, name) != (".mjpeg", "clip")
    ),
    Kind(
        "containers: class folders of all of them, a partial download, a text and a program",
        "all videos, with a note about the others",
        _class_folders,
    ),
)

"""Ways to damage a video file, which `fault_table` and `doctor_recall` apply to real files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

Damage = Callable[[Path], None]


def gone(path: Path) -> None:
    """Removes the file."""
    path.unlink()


def empty(path: Path) -> None:
    """Leaves a file of 0 bytes."""
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    """Replaces the contents by the same number of random bytes."""
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


def cut(share: float) -> Damage:
    """Returns a damage that keeps the first ``share`` of the bytes, as an interrupted copy does."""

    def damage(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])

    return damage


def header(path: Path) -> None:
    """Sets the first 64 bytes to zero."""
    data = bytearray(path.read_bytes())
    data[:64] = bytes(64)
    path.write_bytes(data)


def flip(path: Path, count: int = 64, seed: int = 0) -> None:
    """Changes ``count`` random bytes in the middle half of a file."""
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for place in rng.integers(len(data) // 4, 3 * len(data) // 4, count):
        data[place] ^= int(rng.integers(1, 256))
    path.write_bytes(data)


def audio_only(path: Path) -> None:
    """Writes an mp4 with sound and without pictures."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        frame.time_base = Fraction(1, 44100)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def no_frames(path: Path) -> None:
    """Writes an mp4 that announces a video stream and contains no frame."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height = stream.width = 32
        stream.pix_fmt = "yuv420p"
        stream.codec_context.open()
        container.start_encoding()


def other_format(path: Path) -> None:
    """Writes a GIF under the same name."""
    _encode(path, "gif", "gif", "rgb8", (4, 32, 32))


def absurd_size(path: Path) -> None:
    """Writes a video with one frame of 20,000x2 pixels, an implausible size."""
    _encode(path, "matroska", "ffv1", "yuv420p", (1, 2, 20000))


def _encode(path: Path, container: str, codec: str, pixels: str, shape: tuple[int, ...]) -> None:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25)
        _, stream.height, stream.width = shape
        stream.pix_fmt = pixels
        for picture in np.zeros((*shape, 3), np.uint8):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def folder(path: Path) -> None:
    """Replaces the file by an empty folder."""
    path.unlink()
    path.mkdir()


def broken_link(path: Path) -> None:
    """Replaces the file by a symbolic link to a missing file."""
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def shorter(path: Path) -> None:
    """Removes the last frame, so that the video has one frame fewer than listed."""
    _rewrite(path, lambda frames: frames[:-1])


def other_size(path: Path) -> None:
    """Doubles the height of the frames, so that it differs from the other videos."""
    _rewrite(path, lambda frames: frames.repeat(2, 1))


def _rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    from vdroppath_tf.data.sources.encode import write_video
    from vdroppath_tf.data.sources.video import VideoFile

    video = VideoFile(str(path))
    write_video(path, change(video.read(range(video.info().num_frames))))


def playlist(path: Path) -> None:
    """Writes an HLS playlist that refers to an intact video."""
    other = path.with_name(f"other{path.suffix}")
    shutil.copy(path, other)
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
    path.write_text(f"{head}{other.name}\n#EXT-X-ENDLIST\n")


KINDS: dict[str, Damage] = {
    "missing": gone,
    "empty": empty,
    "garbage": garbage,
    "cut to 30 %": cut(0.3),
    "cut to 60 %": cut(0.6),
    "cut to 95 %": cut(0.95),
    "header overwritten": header,
    "64 bytes flipped in the middle": flip,
    "audio only": audio_only,
    "no frames": no_frames,
    "a GIF that is named .mp4": other_format,
    "a folder": folder,
    "a link to nowhere": broken_link,
    "one frame fewer than listed": shorter,
    "frames of another size": other_size,
    "a playlist": playlist,
    "20,000 pixels wide": absurd_size,
}
"""The damages by name.

"cut" is one kind in three degrees. The sixteenth kind is one of timing: a file that vanishes during
the run.
"""

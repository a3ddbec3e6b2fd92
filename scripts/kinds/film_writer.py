"""Encodes videos with PyAV; those of x265 in a separate process.

x265 writes past the end of its memory if a video is 48 pixels wide, which sometimes aborts its
process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

# The groups are shorter than the videos and have B-frames, so that reading a frame needs a seek.
_SETTINGS = {
    "libx264": {"crf": "8", "preset": "veryfast", "g": "5", "bf": "2", "sc_threshold": "0"},
    "libx265": {
        "x265-params": "crf=8:keyint=5:log-level=none:pools=none:frame-threads=1",
        "preset": "veryfast",
    },
}


def write_films(
    path: str, films: Sequence[np.ndarray], codecs: Sequence[str], given: dict[str, Any]
) -> None:
    """Writes videos as the streams of one file, with the options of ``encode_streams``."""
    rate = given["rate"]
    with av.open(path, "w") as container:
        streams: list[Any] = []
        for place, (film, codec) in enumerate(zip(films, codecs, strict=True)):
            settings = _SETTINGS.get(codec, {}) | given["options"]
            stream: Any = container.add_stream(codec, rate=rate, options=settings)
            stream.height, stream.width = film.shape[1:3]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else given["pix_fmt"]
            if given["aspect"] is not None:
                stream.codec_context.sample_aspect_ratio = Fraction(*given["aspect"])
            if given["flags"]:
                stream.disposition = given["flags"][place]
            streams.append(stream)
        for stream, film in zip(streams, films, strict=True):
            for place, picture in enumerate(film):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = place, Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


def write_apart(
    path: str, films: Sequence[np.ndarray], codecs: Sequence[str], given: dict[str, Any]
) -> None:
    """Writes the same in a separate process, since the encoder may abort it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "films.npz"
        np.savez(file, *films)
        command = [sys.executable, __file__, path, str(file), json.dumps(codecs), json.dumps(given)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{path}: could not be encoded ({done.returncode}): {done.stderr}")


if __name__ == "__main__":
    where, source, of, options = sys.argv[1:]
    with np.load(source) as arrays:
        write_films(where, [*arrays.values()], json.loads(of), json.loads(options))

"""Facts that only a decoded frame gives: the first pts, the orientation, the colour coding."""

from __future__ import annotations

import gc
from typing import Any

import av
import numpy as np

from vdroppath_tf.data.sources.colour import unreadable_matrix
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.orientation import UPRIGHT, orientation_of_matrix

_DISPLAY_MATRIX = 36  # bytes: nine numbers of 32 bits


class FirstFrame:
    """Decodes packets until the first frame; its display matrix may be the container's or codec's.

    Attributes:
        orientation: How frames are turned to be shown, see `orientation`.
        pts: When the frame is shown; None if the file does not give it, or there is no frame.

    Args:
        path: The file, for errors.
    """

    def __init__(self, path: str) -> None:
        self.orientation = UPRIGHT
        self.pts: int | None = None
        self._path, self._found = path, False

    def look(self, packet: Any) -> None:
        """Takes the next packet; does nothing after the first frame.

        Raises:
            VideoError: If frames are to be rotated by anything but right angles, or their colours
                are coded in a way that cannot be read.
        """
        if self._found:
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:  # a packet before the first frame that can be shown
            return
        if frames:
            self._found = True
            self._read(frames[0])
            frames.clear()
            # In PyAV a frame and its side data hold each other. Python collects such circles when
            # there are hundreds, and each of these holds the pixels of a frame.
            gc.collect(0)

    def _read(self, frame: Any) -> None:
        self.pts = frame.pts
        self.orientation = self._orientation_of(frame)
        if (matrix := unreadable_matrix(frame)) is not None:
            raise VideoError(
                f"{self._path}: its colours are coded by a matrix ({matrix}) that FFmpeg does "
                "not turn into RGB. Convert it to BT.709 with the program that made it."
            )

    def _orientation_of(self, frame: Any) -> int:
        for data in frame.side_data:
            if data.type.name == "DISPLAYMATRIX" and len(bytes(data)) >= _DISPLAY_MATRIX:
                matrix = np.frombuffer(bytes(data), np.int32, 9).tolist()
                if (found := orientation_of_matrix(matrix)) is None:
                    raise VideoError(
                        f"{self._path}: its frames are to be shown rotated by {frame.rotation} "
                        "degrees; only right angles are supported. Rotate them with ffmpeg, which "
                        "encodes them upright: ffmpeg -i FILE NEW.mp4."
                    )
                return found
        return UPRIGHT

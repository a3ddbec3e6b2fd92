"""Precomputed optical flow: pairs of grey pictures, as a `FrameSource`.

Values 0..255 stand for motion from -bound to bound pixels, as denseflow and TSN write them.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re

import numpy as np

from vdroppath_tf.data.sources.container import VideoError, status_of
from vdroppath_tf.data.sources.folder import (
    check_link,
    folder_layout,
    list_pictures,
    read_file,
)
from vdroppath_tf.data.sources.frame_names import FrameNames
from vdroppath_tf.data.sources.frame_search import infer_names
from vdroppath_tf.data.sources.orientation import UPRIGHT
from vdroppath_tf.data.sources.pictures import picture_orientation, read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.names import named

_AXES = (("flow_x", "flow_y"), ("u", "v"), ("x", "y"), ("flow_u", "flow_v"))


@named
@dataclasses.dataclass(frozen=True)
class FlowFolder(FrameSource):
    """A folder with two grey pictures, x and y, for each step of a video.

    Attributes:
        folder: The absolute path of the folder.
        x, y: The name templates of the pictures, such as `flow_x_{:05d}.jpg`, or `u/{:06d}.jpg` if
            each axis has a separate folder. Defaults to None, found from the names.
        first: The number of the first step. Defaults to None: 0 or 1, whichever exists.
        links: The folders that links among the pictures may lead to, see `FrameFolder`.

    Example:
        ```python
        flow = FlowFolder("flow/video1").read([0, 1, 2])  # (3, height, width, 2)
        ```
    """

    folder: str
    x: str | None = None
    y: str | None = None
    first: int | None = None
    links: tuple[str, ...] | None = dataclasses.field(default=None, compare=False, repr=False)

    channels = 2

    @property
    def path(self) -> str:
        """The folder."""
        return self.folder

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns the number of steps, one less than the video's frames, and their size."""
        return self._layout()[0][1]

    def _frames(self, request: FrameRequest) -> np.ndarray:
        """Reads both pictures of each step, x first.

        Scaling does not change values: they stand for pixels of the frames that flow came from.
        """
        axes = [
            read_pictures(request, functools.partial(_load, folder, names), channels=1)
            for folder, _, names in self._layout()
        ]
        return np.concatenate(axes, -1)

    def _layout(self) -> list[tuple[str, FrameInfo, FrameNames]]:
        """Returns, for x and y each: the folder, the number and size of pictures, and names."""
        x, y = (self.x, self.y) if self.x and self.y else _axes(self.folder, self.links)
        found = []
        for template in (x, y):
            below, _, name = template.rpartition("/")
            folder = os.path.join(self.folder, below) if below else self.folder
            if below in (".", "..") or "/" in below:
                raise ValueError(
                    f"{template!r}: expected a name such as 'flow_x_{{:05d}}.jpg', or one in a "
                    "folder right under the video's, such as 'u/{:06d}.jpg'."
                )
            if below and self.links is not None:
                check_link(folder, self.links)
            found.append((folder, *folder_layout(folder, name or None, self.first, self.links)))
        right, down = found[0][1], found[1][1]
        if dataclasses.astuple(right) != dataclasses.astuple(down):
            raise VideoError(
                f"{self.folder}: has {right.num_frames} pictures of {right.width}x{right.height} "
                f"for x, but {down.num_frames} of {down.width}x{down.height} for y. Compute the "
                "flow again."
            )
        return found


def _load(folder: str, names: FrameNames, frame: int) -> tuple[bytes, str]:
    file = os.path.join(folder, names.name(frame))
    data = read_file(file)
    if picture_orientation(data, file) != UPRIGHT:
        raise VideoError(
            f"{file}: is optical flow with an EXIF orientation. Its values stand for motion to the "
            "right and down, which rotating the picture does not change. Compute the flow again "
            "from upright frames, or remove the orientation if it is wrong."
        )
    return data, file


def _axes(folder: str, links: tuple[str, ...] | None) -> tuple[str, str]:
    modified = status_of(folder).st_mtime_ns
    try:
        return _find_axes(folder, links, modified)
    except OSError as error:
        raise VideoError(f"{folder}: cannot be read ({error}). Check its permissions.") from None


@functools.lru_cache(maxsize=1 << 18)
def _find_axes(folder: str, links: tuple[str, ...] | None, mtime: int) -> tuple[str, str]:
    """Finds the templates of x and y; one that ends in "/" stands for all pictures in a folder."""
    names = [*list_pictures(folder, links)]
    for x, y in _AXES:
        if os.path.isdir(os.path.join(folder, x)) and os.path.isdir(os.path.join(folder, y)):
            return f"{x}/", f"{y}/"
        pairs = [[n for n in names if re.match(axis + "_?[0-9]", n)] for axis in (x, y)]
        if all(pairs):
            first, second = (infer_names(each, folder).template for each in pairs)
            return first, second
    raise VideoError(
        f"{folder}: holds no optical flow. Expected pairs of pictures such as flow_x_00001.jpg and "
        "flow_y_00001.jpg, or folders u and v; or set x and y to the names of the pictures."
    )

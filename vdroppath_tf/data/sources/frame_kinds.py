"""The kinds of pictures in one folder, told apart by their names: RGB frames, optical flow, ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

NUMBERED = re.compile(
    r"(?P<prefix>.*?)(?P<number>[0-9]+)(?P<tail>[^0-9]*?)(?P<ending>\.[A-Za-z]+)?", re.DOTALL
)
"""A name by its last number."""

_RGB = {"rgb", "color", "colour", "img", "image", "frame"}
_AXES = {"u", "v", "x", "y"}  # of flow, if there is no other word: v_YoYo is a video's name
_OTHER = {
    *("flow", "flowx", "flowy", "depth", "disparity", "ir", "infrared"),
    *("thermal", "mask", "masks", "seg", "segmentation", "label", "skeleton", "pose", "normal"),
    *("normals", "warp", "diff", "saliency", "edge", "edges", "heatmap", "thumb", "thumbnail"),
    *("confidence", "event", "events", "nir", "audio", "spectrogram", "thumbs", "thumbnails"),
}
# Those of them that no video is called by, unlike "normal", "event" or "label"
_CLEAR = {
    *("flow", "flowx", "flowy", "depth", "disparity", "ir", "infrared", "segmentation", "saliency"),
    *("heatmap", "thumb", "thumbnail", "thumbs", "thumbnails", "nir", "spectrogram", "mask"),
    *("masks", "seg"),
}

_BESIDE = {"optical", "frames", "images", "maps", "map"}  # in names of folders


class Kind(NamedTuple):
    """What names have in common besides their last number and their ending."""

    prefix: str
    tail: str

    def like(self, number: str) -> str:
        """A name without its ending."""
        return f"{self.prefix}{number}{self.tail}"


def only_rgb(kinds: Mapping[Kind, Mapping[str, str]]) -> Kind | None:
    """The one kind whose names are not those of something else than RGB frames.

    Two videos may lie in one folder, `normal_1.jpg` and `abnormal_1.jpg`. So what is beside the
    frames must be of the same name but for words such as `depth`; or have a word that no video is
    called by, where the frames have none of their own, or have the same numbers.

    Args:
        kinds: All kinds of a folder, such as `img_`, `flow_x_` and `flow_y_`, and of each its
            names and the numbers in these.

    Returns:
        The kind that is left once flow, depth, masks and the like are gone; None where that is
        not one, or where it is not certain that the others are not videos.
    """
    left = [kind for kind in kinds if not _is_other(_words(kind))]
    if len(left) != 1:
        return None
    own = _words(left[0]) - _RGB - _BESIDE
    count = set(map(int, kinds[left[0]].values()))
    for kind, names in kinds.items():
        words = _words(kind)
        alike = words - _OTHER - _AXES - _RGB - _BESIDE == own
        if kind == left[0] or alike:
            continue
        lacks = count ^ set(map(int, names.values()))  # flow is of one frame less
        if not words & _CLEAR or (own and not (lacks <= {max(count)})):
            return None
    return left[0]


def is_other(name: str) -> bool:
    """Whether a folder's name is that of something else than RGB frames, such as `flow_x`."""
    words = _words(Kind(name, ""))
    return _is_other(words) and words <= _OTHER | _AXES | _RGB | _BESIDE


def is_rgb(name: str) -> bool:
    """Whether a folder's name is that of RGB frames, such as `rgb` or `frames`."""
    words = {word.removesuffix("s") for word in _words(Kind(name, ""))}
    return bool(words) and words <= _RGB


def _is_other(words: set[str]) -> bool:
    return bool(words & _OTHER) or (bool(words) and words <= _AXES)


def _words(kind: Kind) -> set[str]:
    """The words of a name in small letters: `flow_x_` has flow and x, `frameImg` one."""
    return {word.lower() for word in re.findall("[A-Za-z]+", f"{kind.prefix} {kind.tail}")}

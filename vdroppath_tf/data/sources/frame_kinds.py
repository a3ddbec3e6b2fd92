"""The kinds of pictures in one folder, distinguished by name: RGB frames, optical flow, ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

NUMBERED = re.compile(
    r"(?P<prefix>.*?)(?P<number>[0-9]+)(?P<tail>[^0-9]*?)(?P<ending>\.[A-Za-z]+)?", re.DOTALL
)
"""Splits a name at its last number."""

_RGB = {"rgb", "color", "colour", "img", "image", "frame"}
_AXES = {"u", "v", "x", "y"}  # optical flow, if the name has no other word: v_YoYo is a video
_OTHER = {
    *("flow", "flowx", "flowy", "depth", "disparity", "ir", "infrared"),
    *("thermal", "mask", "masks", "seg", "segmentation", "label", "skeleton", "pose", "normal"),
    *("normals", "warp", "diff", "saliency", "edge", "edges", "heatmap", "thumb", "thumbnail"),
    *("confidence", "event", "events", "nir", "audio", "spectrogram", "thumbs", "thumbnails"),
}
# The words among them that never name a video, unlike "normal", "event" or "label"
_CLEAR = {
    *("flow", "flowx", "flowy", "depth", "disparity", "ir", "infrared", "segmentation", "saliency"),
    *("heatmap", "thumb", "thumbnail", "thumbs", "thumbnails", "nir", "spectrogram", "mask"),
    *("masks", "seg"),
}

_BESIDE = {"optical", "frames", "images", "maps", "map"}  # in names of folders


class Kind(NamedTuple):
    """The parts that names share: what stands before and after their last number."""

    prefix: str
    tail: str

    def like(self, number: str) -> str:
        """Returns the name with this number, without its ending."""
        return f"{self.prefix}{number}{self.tail}"


def only_rgb(kinds: Mapping[Kind, Mapping[str, str]]) -> Kind | None:
    """Finds the only kind of pictures that can be RGB frames.

    Two videos may lie in one folder, `normal_1.jpg` and `abnormal_1.jpg`. The other kinds must
    therefore have the same name as the frames except for words such as `depth`; or have a word that
    never names a video, while the frames have no other words in their names or the same numbers.

    Args:
        kinds: All kinds in a folder, such as `img_`, `flow_x_` and `flow_y_`, each with its names
            and the numbers in them.

    Returns:
        The kind that is left after flow, depth, masks and the like are removed; None if that is
        not exactly one, or if the others may be videos.
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
        lacks = count ^ set(map(int, names.values()))  # flow has one picture less
        if not words & _CLEAR or (own and not (lacks <= {max(count)})):
            return None
    return left[0]


def is_other(name: str) -> bool:
    """Returns whether a folder's name stands for pictures other than RGB frames: `flow_x`."""
    words = _words(Kind(name, ""))
    return _is_other(words) and words <= _OTHER | _AXES | _RGB | _BESIDE


def is_rgb(name: str) -> bool:
    """Returns whether a folder's name stands for RGB frames, such as `rgb` or `frames`."""
    words = {word.removesuffix("s") for word in _words(Kind(name, ""))}
    return bool(words) and words <= _RGB


def _is_other(words: set[str]) -> bool:
    return bool(words & _OTHER) or (bool(words) and words <= _AXES)


def _words(kind: Kind) -> set[str]:
    """Returns the words of a name in lower case: `flow_x_` has flow and x, `frameImg` has one."""
    return {word.lower() for word in re.findall("[A-Za-z]+", f"{kind.prefix} {kind.tail}")}

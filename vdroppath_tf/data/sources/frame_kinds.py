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
    *("confidence", "event", "events", "nir", "audio", "spectrogram"),
}

_BESIDE = {"optical", "frames", "images", "maps", "map"}  # in names of folders


class Kind(NamedTuple):
    """What names have in common besides their last number and their ending."""

    prefix: str
    tail: str

    def like(self, number: str) -> str:
        """A name without its ending."""
        return f"{self.prefix}{number}{self.tail}"


def only_rgb(kinds: Mapping[Kind, object]) -> Kind | None:
    """The one kind whose names are not those of something else than RGB frames.

    Args:
        kinds: All kinds of a folder, such as `img_`, `flow_x_` and `flow_y_`.

    Returns:
        The kind that is left once flow, depth, masks and the like are gone; None where that is
        not one.
    """
    left = [kind for kind in kinds if not _is_other(_words(kind))]
    return left[0] if len(left) == 1 else None


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

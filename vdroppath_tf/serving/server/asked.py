"""The options of a request, which are query parameters of its URL or fields of its form."""

from __future__ import annotations

import dataclasses
import math

from vdroppath_tf.data.clips.windows import SECONDS
from vdroppath_tf.names import nearest
from vdroppath_tf.ranges import MAX_FPS, Range
from vdroppath_tf.serving.server.limits import RefusedError

_OPTIONS = ("top", "window", "hop", "fps", "pictures")
_FPS = Range(0.0, MAX_FPS, above=True)


@dataclasses.dataclass(frozen=True)
class Asked:
    """The options of a request.

    Attributes:
        top: The number of classes in an answer. Defaults to 5.
        window: The length in seconds of each part of the video with a separate answer. Defaults to
            None, the whole video.
        hop: The seconds from one part to the next. Defaults to None, ``window``.
        fps: The frame rate of pictures and arrays. Defaults to None, unknown.
        pictures: Whether the answer includes a few of the frames. Defaults to False.
    """

    top: int = 5
    window: float | None = None
    hop: float | None = None
    fps: float | None = None
    pictures: bool = False


def asked_of(options: dict[str, str]) -> Asked:
    """Parses the options of a request.

    Raises:
        RefusedError: If one is unknown or out of range.
    """
    for name in options:
        if name not in _OPTIONS:
            known = ", ".join(_OPTIONS)
            raise RefusedError(
                400, "option", f"Unknown option {name!r}. {nearest(name, _OPTIONS)}Known: {known}."
            )
    window, hop = (_number(options, name, SECONDS) for name in ("window", "hop"))
    if hop is not None and (window is None or hop > window):
        raise RefusedError(400, "option", "hop needs a window that is at least as long.")
    return Asked(
        top=_top(options.get("top", "5")),
        window=window,
        hop=hop,
        fps=_number(options, "fps", _FPS),
        pictures=options.get("pictures", "") in ("1", "true"),
    )


def _top(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not int(text[:9]) > 0:
        raise RefusedError(
            400, "option", f"top={text[:40]!r}: expected a whole number of 1 or more."
        )
    return int(text[:9])


def _number(options: dict[str, str], name: str, allowed: Range) -> float | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if number not in allowed:
        said = f"expected a number above {allowed.low:g}, at most {allowed.high:g}."
        raise RefusedError(400, "option", f"{name}={text[:40]!r}: {said}")
    return number

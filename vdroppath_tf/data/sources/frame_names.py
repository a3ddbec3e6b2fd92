"""The names of one video's frames: which number each has, and that none is missing."""

from __future__ import annotations

import dataclasses
import itertools
import re
import string
from collections.abc import Iterable

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.names import named

PICTURES = (".jpg", ".jpeg", ".png")
"""Endings of pictures, in small letters."""

_LAST_NUMBER = re.compile(r"(?P<prefix>.*?)(?P<number>[0-9]+)(?P<suffix>[^0-9]*)", re.DOTALL)


@named
@dataclasses.dataclass(frozen=True)
class FrameNames:
    """Names that differ by a number only; small, as one is kept for every video.

    Attributes:
        prefix, suffix: what stands before and after the number.
        width: digits of the number, filled with zeros.
        first: number of the first frame.
        count: how many there are.
    """

    prefix: str
    width: int
    suffix: str
    first: int = 0
    count: int = 0

    def name(self, frame: int) -> str:
        """The name of the frame with this number from 0."""
        return self.called(self.first + frame)

    def called(self, number: int) -> str:
        """The name with this number in it."""
        return f"{self.prefix}{number:0{self.width}d}{self.suffix}"

    @property
    def template(self) -> str:
        """As `parse_template` reads it."""
        prefix, suffix = (
            s.replace("{", "{{").replace("}", "}}") for s in (self.prefix, self.suffix)
        )
        return f"{prefix}{{:0{self.width}d}}{suffix}"


def parse_template(template: str) -> FrameNames:
    """Reads a template such as `img_{:05d}.jpg`.

    Raises:
        ValueError: it is not a plain file name with one `{:d}`, `{:05d}` or the like.
    """
    before, fields, after = "", [], ""
    try:
        for text, field, spec, conversion in string.Formatter().parse(template):
            after += text
            if field is not None:
                fields.append((field, spec, conversion))
                before, after = after, ""
    except ValueError:
        fields = []
    spec = fields[0][1] if len(fields) == 1 and fields[0][::2] == ("", None) else None
    number = re.fullmatch(r"(0[0-9])?d?", spec or "")
    if spec is None or number is None or re.search(r"[/\\\0]", before + after):
        raise ValueError(
            f"template {template!r}: expected a file name with one number in it, such as "
            "'img_{:05d}.jpg'."
        )
    return FrameNames(before, int(number[1] or 0), after)


@named
def find_names(
    names: Iterable[str], path: str, *, template: str | None = None, first: int | None = 1
) -> FrameNames:
    """Finds the frames among names, and that they are numbered without a gap.

    Args:
        names: the names, in any order.
        path: what holds them; errors call it that.
        template: what frames are called; None finds out, and all names must then be of one kind.
        first: number of the first frame; None takes the smallest.

    Raises:
        VideoError: no frame, a frame that is missing, or names of several kinds.
        ValueError: as for `parse_template`.
    """
    found = [*itertools.islice(names, MAX_FRAMES + 1)]
    if len(found) > MAX_FRAMES:
        raise VideoError(
            f"{path}: holds more than {MAX_FRAMES} names. Expected one video's frames."
        )
    kind = infer_names(found, path) if template is None else parse_template(template)
    numbers = set(_numbers(found, kind, path, strict=template is None))
    if not numbers:
        example = f", but e.g. {min(found)!r}" if found else ": it is empty"
        raise VideoError(f"{path}: holds no frame called like {kind.template!r}{example}.")
    lowest = min(numbers)
    start = lowest if first is None else first
    if lowest < start:
        raise VideoError(
            f"{path}: holds {kind.called(lowest)!r}, but frames are counted from first={start}. "
            f"Set first={lowest} if that is the first frame."
        )
    gap = next(n for n in itertools.count(start) if n not in numbers)
    if gap < max(numbers):
        raise VideoError(
            f"{path}: {kind.called(gap)!r} is missing: {len(numbers)} frames are there, numbered "
            f"{lowest} to {max(numbers)}, and counted from first={start}. Extract them again"
            + (f", or set first={lowest}." if gap == start else ".")
        )
    return dataclasses.replace(kind, first=start, count=len(numbers))


def infer_names(names: list[str], path: str) -> FrameNames:
    """The one kind of names there is; neither `first` nor `count` is filled in.

    Raises:
        VideoError: there are several kinds, or none.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for name in names:
        match = _LAST_NUMBER.fullmatch(name)
        if match is None:
            raise VideoError(f"{path}: {name!r} has no frame number. Take it away or set template.")
        kinds.setdefault((match["prefix"], match["suffix"]), []).append(match["number"])
    if len(kinds) != 1:
        raise VideoError(f"{path}: {_kinds(kinds)}")
    ((prefix, suffix), numbers), *_ = kinds.items()
    return FrameNames(prefix, min(map(len, numbers)), suffix)


def _kinds(kinds: dict[tuple[str, str], list[str]]) -> str:
    if not kinds:
        return f"holds no frame. Expected pictures: {', '.join(PICTURES)}."
    few = [repr(before + numbers[0] + after) for (before, after), numbers in kinds.items()]
    return (
        f"holds frames of {len(kinds)} kinds, such as {' and '.join(few[:2])}. Set template to the "
        "one wanted, such as 'img_{:05d}.jpg'."
    )


def _numbers(names: list[str], kind: FrameNames, path: str, *, strict: bool) -> Iterable[int]:
    """The numbers of the names of this kind; strict: all must be."""
    pattern = re.compile(re.escape(kind.prefix) + "([0-9]{1,12})" + re.escape(kind.suffix))
    for name in names:
        match = pattern.fullmatch(name)
        number = -1 if match is None else int(match[1])
        if kind.called(number) == name:
            yield number
        elif strict:
            raise VideoError(
                f"{path}: {name!r} does not fit the other frames, which are called like "
                f"{kind.template!r}. Take it away or set template."
            )

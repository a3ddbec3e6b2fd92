"""The names of the frames of one video."""

from __future__ import annotations

import dataclasses
import re
import string

from vdroppath_tf.names import named

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Suffixes of pictures, in lower case."""


@named
@dataclasses.dataclass(frozen=True)
class FrameNames:
    """The names of a video's frames, which mostly differ only by a number; kept for every video.

    Attributes:
        prefix, suffix: The text before and after the number.
        width: The number of digits, padded with zeros.
        first: The number of the first frame.
        count: The number of frames.
        step: The difference between consecutive numbers.
        listed: All names, if they do not follow from a number.
        others: A name of the pictures of another kind next to the frames; "" if there are none.
    """

    prefix: str
    width: int
    suffix: str
    first: int = 0
    count: int = 0
    step: int = 1
    listed: tuple[str, ...] = ()
    others: str = ""

    def name(self, frame: int) -> str:
        """Returns the name of the frame with this number, counted from 0."""
        return self.listed[frame] if self.listed else self.called(self.first + frame * self.step)

    def called(self, number: int) -> str:
        """Returns the name with this number in it."""
        return f"{self.prefix}{number:0{self.width}d}{self.suffix}"

    @property
    def template(self) -> str:
        """The template of the names, as `parse_template` reads it."""
        prefix, suffix = (
            s.replace("{", "{{").replace("}", "}}") for s in (self.prefix, self.suffix)
        )
        return f"{prefix}{{:0{self.width}d}}{suffix}"

    @property
    def assumed(self) -> tuple[str, ...]:
        """What was inferred and is unusual, each as a few words for the user."""
        found = []
        if self.listed:
            found.append("the frames are in the order of the numbers or times in their names")
        elif self.first != 1:
            found.append(f"frames are counted from {self.first}")
        if self.step > 1:
            found.append(f"frames are numbered in steps of {self.step}, as if every n-th was kept")
        if self.others:
            found.append(f"pictures named like {self.others!r} are not RGB frames and are skipped")
        return tuple(found)


def parse_template(template: str) -> FrameNames:
    """Reads a template such as `img_{:05d}.jpg`.

    Raises:
        ValueError: If it is not a plain file name with one `{:d}`, `{:05d}` or the like.
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
    number = re.fullmatch(r"(0[0-9]|01[0-9])?d?", spec or "")
    if spec is None or number is None or re.search(r"[/\\\0]", before + after):
        raise ValueError(
            f"template {template!r}: expected a file name with one number in it, such as "
            "'img_{:05d}.jpg'."
        )
    return FrameNames(before, int(number[1] or 0), after)


def split_ending(name: str) -> tuple[str, str]:
    """Splits a picture's name into the part before the suffix and the suffix."""
    match = re.fullmatch(r"(.*?)(\.[A-Za-z]+)?", name, re.DOTALL)
    return (name, "") if match is None else (match[1], match[2] or "")

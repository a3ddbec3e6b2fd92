"""Finds the frames of one video among names: of one kind, each with its number, none missing."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.frame_kinds import NUMBERED, Kind, only_rgb
from vdroppath_tf.data.sources.frame_names import (
    PICTURES,
    FrameNames,
    parse_template,
    split_ending,
)
from vdroppath_tf.data.sources.frame_numbers import as_times, check_numbers, start_of, step_of
from vdroppath_tf.data.sources.frame_times import by_decimals, in_time_order
from vdroppath_tf.names import named

_MAX_NAME = 255
"""The longest name in characters, as in file systems: the search is quadratic in the length."""


@named
def find_names(
    names: Iterable[str],
    path: str,
    *,
    template: str | None = None,
    first: int | None = 1,
    late: bool = True,
) -> FrameNames:
    """Finds the frames among names, and checks that they are numbered without a gap.

    Numbers may also have a constant step, if every n-th frame was kept. Names may hold times, see
    `in_time_order`; a template such as `frame_{:f}.jpg` declares that they do.

    Args:
        names: The names, in any order.
        path: What holds them, for errors.
        template: The name template of the frames. Defaults to None: it is inferred, and all names
            must then be of one kind, or only one kind may be RGB frames.
        first: The number of the first frame. Defaults to 1; None takes the smallest.
        late: Whether the smallest number is arbitrary, as in a part of a video; if not, it must be
            0 or 1, or lie within the first step. Defaults to True.

    Returns:
        The names of the frames.

    Raises:
        VideoError: If there is no frame, a frame is missing, or the names are of several kinds.
        ValueError: See `parse_template`.
    """
    found = [*itertools.islice(names, MAX_FRAMES + 1)]
    if len(found) > MAX_FRAMES:
        raise VideoError(
            f"{path}: holds more than {MAX_FRAMES} names. Expected one video's frames."
        )
    if template is not None and "{:f}" in template:
        return _by_template_of_times(found, template, path)
    kind, numbers = _kind_and_numbers(found, template, path)
    if kind.listed:
        return kind
    if not numbers:
        example = f", but e.g. {min(found)!r}" if found else ": it is empty"
        raise VideoError(f"{path}: holds no frame named like {kind.template!r}{example}.")
    ordered = sorted(numbers)
    times = None if template else as_times(ordered, numbers, path)
    if times is not None:
        return dataclasses.replace(kind, count=len(times), listed=times)
    step = step_of(ordered)
    start = start_of(ordered, first, late, step)
    check_numbers(ordered, start, step, kind, path)
    names_by_number = tuple(numbers[number] for number in ordered)
    kind = dataclasses.replace(kind, first=start, count=len(ordered), step=step)
    regular = all(kind.name(k) == name for k, name in enumerate(names_by_number))
    return kind if regular else dataclasses.replace(kind, listed=names_by_number)


def infer_names(names: list[str], path: str) -> FrameNames:
    """Finds the only kind of names; neither `first` nor `count` is filled in.

    Raises:
        VideoError: If there are several kinds, or none.
    """
    return _kind_and_numbers(names, None, path)[0]


def _kind_and_numbers(
    names: list[str], template: str | None, path: str
) -> tuple[FrameNames, dict[int, str]]:
    """Finds the kind of the frames' names, and the names by number."""
    if long := next((name for name in names if len(name) > _MAX_NAME), None):
        raise VideoError(
            f"{path}: holds a name of {len(long):,} characters, {long[:20]!r}... Expected names of "
            f"at most {_MAX_NAME}, such as 'img_00001.jpg'. Write it again with shorter ones."
        )
    if template is not None:
        kind = parse_template(template)
        stem, ending = split_ending(kind.suffix)
        pattern = re.compile(
            f"{re.escape(kind.prefix)}([0-9]{{1,20}}){re.escape(stem)}(?i:{re.escape(ending)})",
            re.DOTALL,
        )
        matches = {name: match[1] for name in names if (match := pattern.fullmatch(name))}
        return kind, _by_number(matches, kind, path, strict=False)
    kinds: dict[Kind, dict[str, str]] = {}
    for name in names:
        match = NUMBERED.fullmatch(name)
        if match is None:
            raise VideoError(
                f"{path}: {name!r} has no frame number. Remove it, or set template "
                "(--frame_template)."
            )
        kinds.setdefault(Kind(match["prefix"], match["tail"]), {})[name] = match["number"]
    others = ""
    if len(kinds) > 1:
        if (times := in_time_order(names, path)) is not None:
            return FrameNames("", 0, "", count=len(times), listed=times), {}
        if (rgb := only_rgb(kinds)) is None:
            raise VideoError(f"{path}: {_several(kinds)}")
        others = next(next(iter(kinds[kind])) for kind in kinds if kind != rgb)
        kinds = {rgb: kinds[rgb]}
    if not kinds:
        raise VideoError(f"{path}: holds no frame. Expected pictures: {', '.join(PICTURES)}.")
    ((prefix, tail), found), *_ = kinds.items()
    width = min(map(len, found.values()))
    ending = split_ending(next(iter(found)))[1]
    kind = FrameNames(prefix, width, tail + ending, others=others)
    return kind, _by_number(found, kind, path, strict=True)


def _by_number(
    names: Mapping[str, str], kind: FrameNames, path: str, *, strict: bool
) -> dict[int, str]:
    """Returns names by number; if `strict`, all must have the same number of digits."""
    found: dict[int, str] = {}
    for name, digits in names.items():
        number = int(digits)
        if f"{number:0{kind.width}d}" != digits:
            if strict:
                raise VideoError(
                    f"{path}: {name!r} does not fit the other frames, which are named like "
                    f"{kind.template!r}. Remove it, or set template (--frame_template)."
                )
        elif (other := found.setdefault(number, name)) != name:
            raise VideoError(
                f"{path}: holds frames of 2 kinds, {other!r} and {name!r}. Set template "
                "(--frame_template) to the one wanted, such as 'img_{:05d}.jpg', or remove one."
            )
    return found


def _several(kinds: Mapping[Kind, Mapping[str, str]]) -> str:
    few = " and ".join(repr(next(iter(names))) for names in [*kinds.values()][:2])
    return (
        f"holds frames of {len(kinds)} kinds, such as {few}. Set template (--frame_template) to "
        "the one wanted, such as 'img_{:05d}.jpg', or 'img_{:f}.jpg' if the number is a time."
    )


def _by_template_of_times(names: list[str], template: str, path: str) -> FrameNames:
    """Finds frames in the order of the decimal numbers in their names: times, or any numbers."""
    kind = parse_template(template.replace("{:f}", "{:d}"))
    stem, ending = split_ending(kind.suffix)
    number = r"([0-9]{1,20}(?:\.[0-9]{1,20})?)"
    pattern = re.compile(
        f"{re.escape(kind.prefix)}{number}{re.escape(stem)}(?i:{re.escape(ending)})", re.DOTALL
    )
    matches = {name: match[1] for name in names if (match := pattern.fullmatch(name))}
    if not matches:
        example = f", but e.g. {min(names)!r}" if names else ": it is empty"
        raise VideoError(f"{path}: holds no frame named like {template!r}{example}.")
    listed = by_decimals(matches, path)
    return dataclasses.replace(kind, count=len(listed), listed=listed)

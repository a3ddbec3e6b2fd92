"""Divides videos without a split, class by class, and keeps groups of videos together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""The parts into which videos are divided, and the share of each."""
_UCF101 = r"v_\w+_(g\d+)_c\d+"  # the clips of a group come from one video
_SHOWN = 5


@named
def split_videos(
    videos: Manifest,
    *,
    shares: Mapping[str, float] | None = None,
    group: str | None = None,
    seed: int = 0,
) -> dict[str, Manifest]:
    """Divides videos into parts: stratified by class, with groups kept together.

    Segments of one file, and the clips of a group, are always in the same part, since frames of a
    video that was trained on would inflate the accuracy.

    Args:
        videos: The videos.
        shares: The parts and the share of each. Defaults to ``SHARES``.
        group: A regular expression; videos whose names agree in its match (in the groups of the
            expression, if it has any) belong together. Defaults to the naming of UCF101
            (``v_Name_g01_c02``), if all names follow it.
        seed: The seed of the order in which groups are assigned. Defaults to 0.

    Returns:
        The manifest of each part by name, each in the order of ``videos``.

    Raises:
        ManifestError: If a class has fewer groups than there are parts; the message names it.
        ValueError: If ``group`` is not a regular expression.

    Example:
        ```python
        parts = split_videos(open_manifest("videos"), shares={"train": 0.8, "test": 0.2})
        ```
    """
    shares = SHARES if shares is None else shares
    members = _members(videos, group)
    classes = [sorted({c for k in each for c in videos.entries[k].labels}) for each in members]
    _check(videos, classes, list(shares))
    total = sum(shares.values())
    wanted = {part: share / total for part, share in shares.items()}
    dealt = _deal(members, classes, wanted, seed)
    parts: dict[str, list[int]] = {part: [] for part in shares}
    for group_number, part in dealt.items():
        parts[part] += members[group_number]
    return {part: videos.select(sorted(numbers)) for part, numbers in parts.items()}


def _members(videos: Manifest, group: str | None) -> list[list[int]]:
    """Returns the videos of each group, by number."""
    pattern = _pattern(videos, group)
    found: dict[object, list[int]] = defaultdict(list)
    for k, entry in enumerate(videos):
        match = None if pattern is None else pattern.search(entry.name)
        key: object = ("file", entry.source.whole.path)
        if match is not None:
            key = ("group", entry.labels, match.groups() or match[0])
            if group is not None:  # groups of the user may span several classes
                key = ("group", match.groups() or match[0])
        found[key].append(k)
    return list(found.values())


def _pattern(videos: Manifest, group: str | None) -> re.Pattern[str] | None:
    if group is None:
        known = re.compile(_UCF101)
        return known if all(known.search(entry.name) for entry in videos) else None
    try:
        return re.compile(group)
    except re.error as error:
        raise ValueError(f"group={group}: is not a regular expression ({error}).") from None


def _check(videos: Manifest, classes: Sequence[Sequence[int]], parts: list[str]) -> None:
    counts = Counter(label for labels in classes for label in labels)
    few = [name for k, name in enumerate(videos.labels) if counts[k] < len(parts)]
    if few:
        more = f" and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        raise ManifestError(
            f"{videos.source}: has fewer than {len(parts)} videos (or groups of them) of the class "
            f"{', '.join(map(repr, few[:_SHOWN]))}{more}, so a split into {', '.join(parts)} would "
            "leave a class out of a part. Add videos, remove the class, or pass the other parts "
            "yourself (--validation, --test)."
        )


def _deal(
    members: Sequence[Sequence[int]],
    classes: Sequence[Sequence[int]],
    wanted: Mapping[str, float],
    seed: int,
) -> dict[int, str]:
    """Assigns groups to parts: rare classes first, every class to each part, then by shares."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(members)).tolist()
    of_class: dict[int, list[int]] = defaultdict(list)
    for number in order:
        for label in classes[number]:
            of_class[label].append(number)
    dealt: dict[int, str] = {}
    for label in sorted(of_class, key=lambda label: (len(of_class[label]), label)):
        held = dict.fromkeys(wanted, 0)
        for number in of_class[label]:
            if number in dealt:
                held[dealt[number]] += len(members[number])
        size = sum(len(members[number]) for number in of_class[label])
        for number in of_class[label]:
            if number in dealt:
                continue
            empty = [part for part in wanted if not held[part]]
            lacks = {part: wanted[part] * size - held[part] for part in wanted}
            part = empty[0] if empty else max(wanted, key=lambda part: lacks[part])
            dealt[number] = part
            held[part] += len(members[number])
    for number in order:  # videos without a class, in a multi-label manifest
        dealt.setdefault(number, max(wanted, key=lambda part: wanted[part]))
    return dealt

"""Videos that come without a split: divided class by class, what belongs together kept together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""The parts that videos are divided into, and the share of each."""
_UCF101 = r"v_\w+_(g\d+)_c\d+"  # clips of a group were cut out of one video
_SHOWN = 5


@named
def split_videos(
    videos: Manifest,
    *,
    shares: Mapping[str, float] | None = None,
    group: str | None = None,
    seed: int = 0,
) -> dict[str, Manifest]:
    """Divides videos into parts: stratified, every class in each part, groups never cut.

    Segments of one file are always of one part: frames of a video that was trained on say nothing
    about others. So are the clips of a group.

    Args:
        videos: The videos.
        shares: The parts and the share of each. Defaults to ``SHARES``.
        group: A regular expression; videos whose names agree in what it finds (in its groups, where
            it has any) belong together. Defaults to the naming of UCF101 (``v_Name_g01_c02``),
            where that is what they have.
        seed: Of the order in which groups are dealt out.

    Returns:
        The part by name, each in the order of ``videos``.

    Raises:
        ManifestError: If a class has fewer groups than there are parts, naming it.
        ValueError: If ``group`` is no regular expression.
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
    """The videos of each group, by number."""
    pattern = _pattern(videos, group)
    found: dict[object, list[int]] = defaultdict(list)
    for k, entry in enumerate(videos):
        match = None if pattern is None else pattern.search(entry.name)
        key: object = ("file", entry.source.whole.path)
        if match is not None:
            key = ("group", entry.labels, match.groups() or match[0])
            if group is not None:  # the user's groups reach over classes
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
        raise ValueError(f"group={group}: is no regular expression ({error}).") from None


def _check(videos: Manifest, classes: Sequence[Sequence[int]], parts: list[str]) -> None:
    counts = Counter(label for labels in classes for label in labels)
    few = [name for k, name in enumerate(videos.labels) if counts[k] < len(parts)]
    if few:
        more = f" and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        raise ManifestError(
            f"{videos.source}: has fewer than {len(parts)} videos (or groups of them) of the class "
            f"{', '.join(map(repr, few[:_SHOWN]))}{more}, so a split into {', '.join(parts)} would "
            "leave a class out of a part. Add videos, leave the class out, or name the other parts "
            "yourself (--validation, --test)."
        )


def _deal(
    members: Sequence[Sequence[int]],
    classes: Sequence[Sequence[int]],
    wanted: Mapping[str, float],
    seed: int,
) -> dict[int, str]:
    """The part of each group: rare classes first, each part one of every class, then by shares."""
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
    for number in order:  # videos of no class, where several are allowed
        dealt.setdefault(number, max(wanted, key=lambda part: wanted[part]))
    return dealt

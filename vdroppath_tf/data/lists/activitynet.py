"""ActivityNet's JSON, and data sets in the same format: THUMOS14, HACS, FineAction.

`{"database": {id: {"subset": ..., "duration": ..., "annotations": [{"segment": [start, end],
"label": ...}]}}}`, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from vdroppath_tf.data.lists.class_order import order_note
from vdroppath_tf.data.lists.class_spelling import ordered_classes
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.parts import choose_part, part_folders
from vdroppath_tf.data.lists.text_files import PathLike, load_json
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.segment import Span
from vdroppath_tf.names import named

_ITEM = '{"subset": ..., "annotations": [{"segment": [start, end], "label": ...}]}'
_EXPECTED = '{"database": {id: ' + _ITEM + "}}"
_PREFIX = "v_"  # in the names of files, but not in the ids


class _Video(NamedTuple):
    origin: str
    key: str
    part: str
    segments: list[tuple[Span, str]]
    cut: int = 0


@named
def read_activitynet(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    split: str | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads the JSON of ActivityNet: segments of long videos, in seconds.

    Videos are named `id` or `v_id`, files of any suffix, in the root or in a folder named like the
    part. Videos that were never downloaded are left out and counted (`Manifest.missing`), unless
    `lookup.allow_missing` is False. A segment that ends after the `duration` of its video is cut to
    it, and a segment that is listed twice is used once.

    Args:
        path: The JSON file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The classes. Defaults to the sorted labels of all parts of the file (numbers are
            sorted by value).
        split: The part to read, such as "training", if the file lists several.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If an item or a segment is damaged; there are several parts and none is
            chosen; the part has no labels; a class is not among `labels`; or no video exists.

    Example:
        ```python
        manifest = read_activitynet("activity_net.v1-3.min.json", "activitynet", split="training")
        ```
    """
    lookup = (lookup or Lookup()).for_downloads()
    found = load_json(path, dict, _EXPECTED).get("database")
    if not isinstance(found, dict) or not found:
        raise ManifestError(f"{path}: has no 'database' with a video in it. Expected {_EXPECTED}.")
    every = [_video(f"{path}: {key!r}", key, item) for key, item in found.items()]
    own = ((label, video.origin) for video in every for _, label in video.segments)
    names = labels if labels is not None else ordered_classes(own)
    part, chosen = choose_part(every, split, path)
    if not any(video.segments for video in chosen):
        raise ManifestError(
            f"{path}: no video of the split {part!r} has a segment with a label. Expected "
            f"{_EXPECTED}; test parts have no labels."
        )
    videos = Collector(path, root, lookup, names)
    if labels is None and (said := order_note(names)):
        videos.note(said)
    folders = part_folders(videos.tree, part, str(path))
    twice = 0
    for video in chosen:
        stem = videos.stem_there(folders, (video.key, f"{_PREFIX}{video.key}"), video.origin)
        rows = dict.fromkeys(video.segments)
        twice += len(video.segments) - len(rows)
        for span, label in rows:
            number = videos.number(label, video.origin)
            videos.add_named(folders, stem, number, video.origin, (span,))
    if twice:
        videos.note(f"{twice:,} segments are listed twice, and taken once")
    if cut := sum(video.cut for video in chosen):
        videos.note(f"{cut:,} segments end after the duration of their video, and are cut to it")
    if empty := sum(not video.segments for video in chosen):
        videos.note(f"{empty:,} videos have no segment, and are left out")
    return videos.manifest(_EXPECTED)


def _video(origin: str, key: str, item: Any) -> _Video:
    match item:
        case {"annotations": [*annotations], **rest}:
            duration = rest.get("duration")
            limit = duration if isinstance(duration, int | float) else None
            segments = [*_segments(origin, annotations)]
            inside = [(_inside(span, limit), label) for span, label in segments]
            cut = sum(one != other for one, other in zip(segments, inside, strict=True))
            return _Video(origin, key, str(rest.get("subset", "")), inside, cut)
        case {"subset": str(part), **rest} if "annotations" not in rest:
            return _Video(origin, key, part, [])
    raise ManifestError(f"{origin}: is {str(item)[:80]}. Expected {_ITEM}.")


def _inside(span: Span, duration: float | None) -> Span:
    """Cuts a segment at the end of its video."""
    if duration is None or not span.start < duration < span.end:
        return span
    return span._replace(end=float(duration))


def _segments(origin: str, annotations: Sequence[Any]) -> Iterator[tuple[Span, str]]:
    for annotation in annotations:
        match annotation:
            case {
                "segment": [int() | float() as start, int() | float() as end],
                "label": str(label),
            }:
                yield Span(float(start), float(end), "seconds"), label
            case _:
                raise ManifestError(
                    f"{origin}: has the segment {str(annotation)[:80]}. Expected {_ITEM}."
                )

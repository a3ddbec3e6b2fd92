"""Diving48's JSON: `[{"vid_name": ..., "label": 3, "start_frame": 0, "end_frame": 97}]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vdroppath_tf.data.lists.collector import FRAMES_NOTE, Collector
from vdroppath_tf.data.lists.text_files import MAX_CLASSES, PathLike, check_names, load_json
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.segment import Span
from vdroppath_tf.names import named

_ITEM = '{"vid_name": ..., "label": 3, "start_frame": 0, "end_frame": 97}'
_FOLDERS = ("", "rgb", "videos")


@named
def read_diving48(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `Diving48_V2_train.json`: segments of videos, in frames that are counted from 0.

    Videos are named `vid_name`, files of any suffix or folders of frames, in the root or in its
    folder `rgb`. The segment excludes its `end_frame`.

    Args:
        path: The JSON file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The names of the classes. Defaults to those of `Diving48_vocab.json` next to the
            file, or without it to numbers.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If an item is damaged, a label has no name, or a video does not exist or is
            listed twice with the same segment.

    Example:
        ```python
        manifest = read_diving48("Diving48_V2_train.json", "rgb")
        ```
    """
    items = load_json(path, list, f"a list of {_ITEM}")
    own = _vocabulary(Path(path)) if labels is None else None
    videos = Collector(path, root, lookup, own or labels)
    if own is not None:
        videos.note(f"classes are those of the vocabulary next to it: {len(own):,}")
    for number, item in enumerate(items):
        origin = f"{path}: item {number}"
        match item:
            case {
                "vid_name": str(name),
                "label": int(label),
                "start_frame": int(start),
                "end_frame": int(end),
            } if 0 <= label < MAX_CLASSES:
                span = Span(start, end, "frames")
                videos.add_named(_FOLDERS, name, label, origin, (span,))
            case _:
                raise ManifestError(
                    f"{origin}: is {str(item)[:80]}. Expected a list of {_ITEM}, with labels from "
                    "0 on."
                )
    videos.note(FRAMES_NOTE)
    return videos.manifest(f"a list of {_ITEM}")


def _vocabulary(path: Path) -> tuple[str, ...] | None:
    """Returns the classes of the vocabulary next to a file; None if there is none."""
    found = sorted(each for each in path.parent.glob("*[vV]ocab*.json") if each != path)
    if not found:
        return None
    if len(found) > 1:
        few = " or ".join(each.name for each in found[:3])
        raise ManifestError(f"{path}: its classes may be those of {few}. Expected one vocabulary.")
    entries = load_json(found[0], list, 'a list of classes: [["Back", "15som", "FREE"], ...]')
    return check_names([_name(entry) for entry in entries], str(found[0]))


def _name(entry: Any) -> str:
    return " ".join(map(str, entry)) if isinstance(entry, list) else str(entry)

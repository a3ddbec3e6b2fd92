"""Manifest files, this package's own list format: JSON lines, so that a slow scan is made once.

The first line is `{"format": "vdroppath_tf.manifest/1", "labels": [...], "directional": false}`,
each other line `["path below the root", label, number of frames or null]`. If some entries are
segments, the format is `vdroppath_tf.manifest/2`, and their lines have a fourth element:
`{"frames": [first, end]}` or `{"seconds": [start, end]}`. In a multi-label manifest, the first line
has `"multi_label": true`, and a label is a list of class numbers. If one of several video streams
was chosen, it has the number of the stream, `"video_stream": 1`; if a frame rate was set for
pictures, it has the rate in frames per second, `"source_fps": 25.0`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import MAX_LINE, PathLike, check_names, same_names
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.files import check_format, open_regular, open_text, parse_json, replacing
from vdroppath_tf.names import named
from vdroppath_tf.ranges import MAX_FPS

MANIFEST_FORMAT = "vdroppath_tf.manifest/1"
SEGMENTS_FORMAT = "vdroppath_tf.manifest/2"
_MAX_STREAMS = 1000  # FFmpeg's limit
_MAX_HEADER = 1 << 24
_LINE = '["path", label, num_frames or null], or with a segment {"frames": [first, end]} at the end'


@named
def write_manifest(manifest: Manifest, path: PathLike) -> None:
    """Writes a manifest to a file, whole or not at all. The file has no path of this machine.

    Args:
        manifest: A manifest of any format except folders of records.
        path: The file to write; when it is read, paths start from its folder or from `root`.

    Raises:
        ManifestError: If videos have different stream numbers or frame rates.

    Example:
        ```python
        write_manifest(vdroppath_tf.data.lists.read_folder("videos"), "videos/manifest.jsonl")
        ```
    """
    segments = any(isinstance(entry.source, Segment) for entry in manifest)
    header = {
        "format": SEGMENTS_FORMAT if segments else MANIFEST_FORMAT,
        "labels": list(manifest.labels),
        "directional": manifest.directional,
        **({"multi_label": True} if manifest.multi_label else {}),
        **_chosen(manifest),
        **_rate(manifest),
    }
    with replacing(path) as new, open(new, "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(header) + "\n")
        for entry in manifest:
            file.write(json.dumps(_line(entry, manifest.multi_label)) + "\n")


def _chosen(manifest: Manifest) -> dict[str, int]:
    """Returns the video stream that was chosen, if any, as a field of the header."""
    videos = (entry.source.whole for entry in manifest)
    found = {video.stream for video in videos if isinstance(video, VideoFile)}
    if len(found) > 1:
        raise ManifestError(
            f"{manifest.source}: the chosen video stream differs between files "
            f"({found}), and a manifest file holds one choice for all. Write one file for each."
        )
    number = next(iter(found), None)
    return {} if number is None else {"video_stream": number}


def _rate(manifest: Manifest) -> dict[str, float]:
    """Returns the frame rate that was set for pictures, if any, as a field of the header."""
    rates = {entry.fps for entry in manifest}
    if len(rates) > 1:
        raise ManifestError(
            f"{manifest.source}: the frame rate that was set differs between videos "
            f"({', '.join(map(str, sorted(rates, key=str)[:3]))} frames per second), and a "
            "manifest file holds one rate for all. Write one file for each."
        )
    rate = next(iter(rates), None)
    return {} if rate is None else {"source_fps": float(rate)}


def _line(entry: VideoEntry, several: bool) -> list[Any]:
    label = list(entry.labels) if several else entry.label
    line: list[Any] = [entry.name, label, entry.num_frames]
    if isinstance(entry.source, Segment):
        start, end, unit = entry.source.span
        line.append({unit: [start, end]})
    return line


@named
def read_manifest(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a file that `write_manifest` wrote.

    Args:
        path: The manifest file.
        root: The folder from which its paths start, and which they must not leave. Defaults to the
            folder of the file.
        labels: The classes that it must have. Defaults to None, any.
        lookup: How names become videos; a video stream that is chosen here takes precedence over
            the one in the file. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the file has another format, a newer version, or is damaged; or see
            `read_list`.

    Example:
        ```python
        write_manifest(read_folder("videos"), "videos/manifest.jsonl")
        manifest = read_manifest("videos/manifest.jsonl")
        ```
    """
    lines = _lines(path)
    origin, header = next(lines, (f"{path}:1", None))
    own, directional = _header(origin, header)
    several = isinstance(header, dict) and header.get("multi_label") is True

    def is_class(label: object) -> bool:
        return type(label) is int and 0 <= label < len(names)

    names = same_names(own, labels, str(path))
    lookup = lookup or Lookup()
    if lookup.video_stream is None:
        lookup = dataclasses.replace(lookup, video_stream=_stream(origin, header))
    # Two labels for one video were allowed when the manifest was made.
    lookup = dataclasses.replace(lookup, allow_two_labels=True)
    videos = Collector(path, root, lookup, names)
    for origin, line in lines:
        match line:
            case [str(name), label, int() | None as frames, *more] if (
                isinstance(label, list) is several
                and all(map(is_class, label if isinstance(label, list) else [label]))
                and 1 <= (1 if frames is None else frames) <= MAX_FRAMES
                and (spans := _spans(more)) is not None
            ):
                videos.add(name, label, frames, origin, spans)
            case _:
                raise ManifestError(
                    f"{origin}: is {str(line)[:80]}. Expected {_LINE}, of {len(names)} classes."
                )
    found = videos.manifest(f"lines {_LINE}", directional=directional)
    rate = header.get("source_fps") if isinstance(header, dict) else None
    return found if rate is None else _with_rate(found, rate, f"{path}:1")


def _with_rate(manifest: Manifest, rate: Any, origin: str) -> Manifest:
    """Applies the frame rate that was set for pictures when the file was written."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= MAX_FPS:
        raise ManifestError(
            f"{origin}: source_fps is {str(rate)[:40]}. Expected a number above 0, at most "
            f"{MAX_FPS:g}."
        )
    return manifest.at_rate(float(rate))


def _stream(origin: str, header: Any) -> int | None:
    """Returns the video stream that was chosen when the file was written."""
    number = header.get("video_stream") if isinstance(header, dict) else None
    if number is None or (type(number) is int and 0 <= number < _MAX_STREAMS):
        return number
    raise ManifestError(
        f"{origin}: video_stream is {str(number)[:40]}. Expected a number from 0 to "
        f"{_MAX_STREAMS - 1}."
    )


def _spans(more: list[Any]) -> tuple[Span, ...] | None:
    """Returns the segment at the end of a line; () if there is none, None if it is invalid."""
    match more:
        case []:
            return ()
        case [{"frames": [int(start), int(end)], **rest}] if not rest:
            return (Span(start, end, "frames"),)
        case [{"seconds": [int() | float() as start, int() | float() as end], **rest}] if not rest:
            return (Span(start, end, "seconds"),)
    return None


def is_manifest(path: PathLike) -> bool:
    """Returns whether a file begins with the first line of a manifest."""
    with open_regular(path) as file:
        start = file.read(64)
    return start.startswith(b'{"format": "vdroppath_tf.manifest/')


def _lines(path: PathLike) -> Iterator[tuple[str, Any]]:
    number, limit = 1, _MAX_HEADER
    try:
        with open_text(path, encoding="utf-8") as file:
            while line := file.readline(limit + 2):
                if len(line) > limit + 1:
                    raise ManifestError(
                        f"{path}:{number}: is longer than {limit} characters. Expected {_LINE}."
                    )
                yield f"{path}:{number}", parse_json(line)
                number, limit = number + 1, 6 * MAX_LINE  # JSON may escape a character as six
    except ValueError as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{path}:{number}: is not JSON ({error}). Expected {_LINE}.") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def _header(origin: str, header: object) -> tuple[tuple[str, ...], bool]:
    """Returns the classes, and whether the manifest is directional."""
    match header:
        case {"format": str(name), "labels": [*labels], "directional": bool(directional)} if (
            name in (MANIFEST_FORMAT, SEGMENTS_FORMAT)
            and all(isinstance(label, str) for label in labels)
        ):
            return check_names([str(label) for label in labels], origin), directional
        case {"format": str(name)} if name not in (MANIFEST_FORMAT, SEGMENTS_FORMAT):
            try:
                check_format(name, SEGMENTS_FORMAT)
            except ValueError as error:
                raise ManifestError(f"{origin}: {error}") from None
    raise ManifestError(
        f"{origin}: is {str(header)[:80]}. Expected an object with the format {SEGMENTS_FORMAT!r}, "
        "labels and directional."
    )

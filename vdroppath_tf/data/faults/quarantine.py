"""A file that names bad videos, each with its reason, and manifests without them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vdroppath_tf.data.faults.fault import Fault
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.files import load_text, read_json, replacing
from vdroppath_tf.names import named

_FORMAT = "vdroppath_tf.quarantine/1"
_MAX_BYTES = 1 << 28


@named
@dataclasses.dataclass(frozen=True)
class Quarantine:
    """Bad videos as a file names them.

    Attributes:
        source: the file.
        faults: the videos, with their paths as they are on this machine.
    """

    source: str
    faults: tuple[Fault, ...]


@named
def write_quarantine(
    path: str | os.PathLike[str], faults: Iterable[Fault], manifests: Sequence[Manifest]
) -> None:
    """Writes bad videos as JSON, whole or not at all.

    Args:
        path: the file to make or replace.
        faults: the videos.
        manifests: all the videos; the folder they have in common is written down once, as "root",
            so that a quarantine can be moved to another machine by changing one line.
    """
    root = _common_folder(entry.path for manifest in manifests for entry in manifest)
    videos = [
        dataclasses.asdict(fault) | {"path": _below(fault.path, root)}
        for fault in sorted(faults, key=lambda fault: (fault.split, fault.path))
    ]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": _FORMAT, "root": root, "videos": videos}, indent=1) + "\n"
    with replacing(path) as file:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")


@named
def read_quarantine(
    path: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
) -> Quarantine:
    """Reads what `write_quarantine` wrote.

    Args:
        path: the file.
        root: folder its paths start from; default the one it names.

    Raises:
        ManifestError: the file is missing, or something else.
    """
    try:
        fields = load_text(path, partial(read_json, expected=_FORMAT), max_bytes=_MAX_BYTES)
        base = os.path.abspath(root) if root is not None else _text(fields["root"])
        faults = tuple(_fault(video, base) for video in fields["videos"])
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path}: is no quarantine ({type(error).__name__}: {error}). Expected {_FORMAT!r}, as "
            "vdroppath doctor and vdroppath train write it."
        ) from None
    return Quarantine(os.path.abspath(path), faults)


@named
def without(manifest: Manifest, quarantine: Quarantine) -> Manifest:
    """A manifest without the videos in quarantine; how many is the difference of the lengths.

    Raises:
        ManifestError: no video is left.
    """
    bad = {fault.path for fault in quarantine.faults}
    kept = [k for k, entry in enumerate(manifest) if entry.path not in bad]
    if not kept:
        raise ManifestError(
            f"{quarantine.source}: names all {len(manifest)} videos of {manifest.source}. None is "
            "left to use."
        )
    return manifest.select(kept)


def _fault(video: Any, root: str) -> Fault:
    texts = {name: _text(video[name]) for name in ("origin", "split", "reason", "found")}
    return Fault(path=_joined(root, _text(video["path"])), count=int(video["count"]), **texts)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, received {value!r}")
    return value


def _common_folder(paths: Iterable[str]) -> str:
    folders = {os.path.dirname(path) for path in paths if os.path.isabs(path)}
    return os.path.commonpath(folders) if folders else "/"


def _below(path: str, root: str) -> str:
    """The path from the root; addresses such as s3://... stay as they are."""
    return os.path.relpath(path, root) if os.path.isabs(path) else path


def _joined(root: str, path: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(root, path))

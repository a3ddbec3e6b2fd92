"""A file that lists bad videos, each with its reason, and manifests without them."""

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
    """The bad videos listed in a file.

    Attributes:
        source: The file.
        faults: The videos, with their paths on this machine.

    Example:
        ```python
        found = diagnose([("train", manifest)], "doctor.jsonl")
        write_quarantine("quarantine.json", found.faults, [manifest])
        print(len(read_quarantine("quarantine.json").faults))  # 0
        ```
    """

    source: str
    faults: tuple[Fault, ...]


@named
def write_quarantine(
    path: str | os.PathLike[str], faults: Iterable[Fault], manifests: Sequence[Manifest]
) -> None:
    """Writes a list of bad videos as JSON, whole or not at all.

    Args:
        path: The file to write or replace.
        faults: The bad videos.
        manifests: All videos; their common folder is written once, as "root", so that one line has
            to be changed on another machine.

    Example:
        ```python
        clips = evaluation_clips(manifest, sampling, batch_size=8, faults=faults)
        write_quarantine("quarantine.json", faults.faults(), [manifest])
        ```
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
    """Reads a file that `write_quarantine` wrote.

    Args:
        path: The file.
        root: The folder from which its paths start. Defaults to the one in the file.

    Returns:
        The bad videos.

    Raises:
        ManifestError: If the file is missing, or has another format.

    Example:
        ```python
        found = diagnose([("train", manifest)], "doctor.jsonl")
        write_quarantine("quarantine.json", found.faults, [manifest])
        manifest = vdroppath_tf.data.faults.without(manifest, read_quarantine("quarantine.json"))
        ```
    """
    try:
        fields = load_text(path, partial(read_json, expected=_FORMAT), max_bytes=_MAX_BYTES)
        base = os.path.abspath(root) if root is not None else _text(fields["root"])
        faults = tuple(_fault(video, base) for video in fields["videos"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            f"{path}: is not a quarantine ({type(error).__name__}: {error}). Expected the format "
            f"{_FORMAT!r}, as vdroppath doctor and vdroppath train write it."
        ) from None
    return Quarantine(os.path.abspath(path), faults)


@named
def without(manifest: Manifest, quarantine: Quarantine) -> Manifest:
    """Returns a manifest without the videos in quarantine.

    Args:
        manifest: The videos.
        quarantine: The bad videos.

    Returns:
        The manifest of the others, in the same order.

    Raises:
        ManifestError: If no video is left.

    Example:
        ```python
        write_quarantine("quarantine.json", faults.faults(), [manifest])
        manifest = without(manifest, read_quarantine("quarantine.json"))
        ```
    """
    bad = {fault.path for fault in quarantine.faults}
    kept = [k for k, entry in enumerate(manifest) if entry.path not in bad]
    if not kept:
        raise ManifestError(
            f"{quarantine.source}: lists all {len(manifest)} videos of {manifest.source}, so none "
            "is left to use."
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
    """Returns the path relative to the root; URLs such as s3://... are returned unchanged."""
    return os.path.relpath(path, root) if os.path.isabs(path) else path


def _joined(root: str, path: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(root, path))

"""A list of videos beside empty files, and what it must be read as."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kind import Kind, expect

from vdroppath_tf.data import open_manifest

Read = tuple[tuple[str, str], ...]
"""What a list says: the name of each video and of its class; of several, with commas between."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A list beside empty files, which are never decoded.

    Attributes:
        text: of the list.
        expected: the videos and their classes by name.
        files: of the folder; default the videos that are expected. A name that ends in a slash is
            a folder.
        others: text files beside the list.
        name: of the list.
        encoding: of the list.
        options: of `open_manifest`.
        notes: texts that `Manifest.notes` must hold.
        directional: whether its labels have a direction.
    """

    text: str
    expected: Read = ()
    files: tuple[str, ...] = ()
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    name: str = "list.txt"
    encoding: str = "utf-8"
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    directional: bool = False

    def __call__(self, folder: Path) -> None:
        """Writes the files, reads the list, and compares."""
        for file in self.files or tuple(name for name, _ in self.expected):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir() if file.endswith("/") else path.touch()
        for name, text in self.others.items():
            (folder / name).write_text(text)
        (folder / self.name).write_bytes(self.text.encode(self.encoding))
        manifest = open_manifest(folder / self.name, **self.options)
        found = tuple((e.name, ",".join(manifest.labels[k] for k in e.labels)) for e in manifest)
        expect(found, self.expected, "videos and classes")
        expect(manifest.directional, self.directional, "whether labels have a direction")
        for note in self.notes:
            expect(any(note in each for each in manifest.notes), True, f"{note!r} is said")


def read(name: str, expected: str, case: Callable[[Path], None]) -> Kind:
    """A list that must be read."""
    return Kind(f"list: {name}", expected, case)


def refused(name: str, pattern: str, case: Callable[[Path], None]) -> Kind:
    """A list that must be refused, with words that match the pattern."""
    return Kind(f"list: {name}", "refused, with the way out", case, pattern)

"""A list of videos next to empty files, and the videos and classes that must be read from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kind import Kind, expect

from vdroppath_tf.data import open_manifest

Read = tuple[tuple[str, str], ...]
"""The names of each video and of its class; several classes are joined with commas."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A list next to empty files, which are never decoded.

    Attributes:
        text: str, the contents of the list.
        expected: tuple, the names of the videos and of their classes.
        files: tuple of str, the names of the empty files. Defaults to the expected videos. A name
            that ends in a slash is a folder.
        others: Mapping, the contents of text files next to the list, by their names.
        name: str, the name of the list.
        encoding: str, the encoding of the list.
        options: Mapping, the keyword arguments of `open_manifest`.
        notes: tuple of str, texts that `Manifest.notes` must contain.
        directional: bool, whether its labels have a direction.
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
        """Writes the files, reads the list, and compares the result."""
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
            expect(any(note in each for each in manifest.notes), True, f"{note!r} is in a note")


def read(name: str, expected: str, case: Callable[[Path], None]) -> Kind:
    """Makes a kind: a list that must be read."""
    return Kind(f"list: {name}", expected, case)


def refused(name: str, pattern: str, case: Callable[[Path], None]) -> Kind:
    """Makes a kind: a list that must be refused, with a message that matches the pattern."""
    return Kind(f"list: {name}", "refused, with a remedy", case, pattern)

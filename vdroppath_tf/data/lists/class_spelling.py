"""The numbers of classes by name, with tolerance for spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from vdroppath_tf.data.lists.class_order import in_order
from vdroppath_tf.data.manifest import ManifestError


class ClassNumbers:
    """Looks up the number of a class by its name, or by one that differs only in spelling.

    Args:
        names: The names of the classes, in order; None if classes are numbers.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.by_name = {name: number for number, name in enumerate(names or ())}
        self._by_spelling: dict[str, str | None] = {}
        self._spelt: dict[str, str] = {}

    def number(self, label: str, origin: str) -> int:
        """Returns the number of a class.

        The name may differ from the class in case, spaces and underscores, if that is unambiguous.

        Raises:
            ManifestError: If there is no such class.
        """
        if label not in self.by_name and (alike := self._alike(label)) is not None:
            self._spelt[label] = alike
            label = alike
        if label not in self.by_name:
            raise ManifestError(
                f"{origin}: class {label!r} is not among the {len(self.by_name)} classes "
                f"({', '.join(list(self.by_name)[:5])}, ...). Correct it, or the list of classes."
            )
        return self.by_name[label]

    def notes(self) -> Iterator[str]:
        """Yields a note about labels that are spelled differently from their classes."""
        for label, name in [*self._spelt.items()][:1]:
            yield (
                f"{len(self._spelt):,} labels differ from their classes in spelling, the first: "
                f"{label!r} for {name!r}"
            )

    def _alike(self, label: str) -> str | None:
        """Returns the only class that differs just in case, spaces, hyphens and underscores."""
        if not self._by_spelling:
            for name in self.by_name:
                key = spelling(name)
                self._by_spelling[key] = None if key in self._by_spelling else name
        return self._by_spelling.get(spelling(label))


def ordered_classes(labels: Iterable[tuple[str, str]]) -> list[str]:
    """Returns the names of classes in the order of `in_order`.

    Args:
        labels: The labels of a list, with repetitions, and the place of each.

    Raises:
        ManifestError: If two differ only in case, spaces, hyphens or underscores.
    """
    names: dict[str, str] = {}
    first: dict[str, str] = {}
    for label, origin in labels:
        if label in names:
            continue
        names[label] = origin
        if (other := first.setdefault(spelling(label), label)) != label:
            raise ManifestError(
                f"{origin}: class {label!r} differs from {other!r} of {names[other]} in case, "
                "spaces or underscores only. Write one of them everywhere; or, if both are "
                "classes, pass the names of all classes as labels=, or in a labels.txt next to the "
                "list."
            )
    return in_order(names)


def plain(name: str) -> str:
    """Returns the letters and digits of a name in lower case, which all systems keep."""
    return re.sub(r"[\W_]+", "", name.casefold())


def spelling(name: str) -> str:
    """Normalises what people vary in a name: case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_\-]+", " ", name).strip().casefold()

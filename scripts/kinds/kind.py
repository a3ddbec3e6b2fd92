"""One kind of input: how to make it, what a user expects of it, and the outcome of trying it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["right", "refused", "wrong", "traceback"]
REFUSALS = (ValueError,)
"""The errors that the package raises with a message for its user."""


class WrongAnswerError(Exception):
    """An input was answered without an error, and the answer is not what a user expects."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of input, which stands for all inputs like it.

    Attributes:
        name: str, the family and the variant, such as `"rotation: display matrix of 90 degrees"`.
        expected: str, what a user expects, in a few words.
        try_it: callable that makes the input in an empty folder and uses it as a user would. It
            raises `WrongAnswerError` (see `expect`) if the result is not the expected one.
        refusal: str or None, a pattern that the error message must match if the input is to be
            refused, such as the flag that resolves the ambiguity; None if it is to be read.
    """

    name: str
    expected: str
    try_it: Callable[[Path], object]
    refusal: str | None = None

    def outcome(self, folder: Path) -> tuple[Outcome, str]:
        """Tries the kind.

        Args:
            folder: Path, an empty folder for its files.

        Returns:
            The outcome and its reason. The outcome is `right`; `refused` if the input should have
            been read, or was refused with another message than expected; `wrong` if it was read
            without an error, but not as expected; or `traceback` if the package did not explain
            the error.
        """
        try:
            self.try_it(folder)
        except WrongAnswerError as error:
            return "wrong", str(error)
        except REFUSALS as error:
            message = str(error)
            if self.refusal is not None and re.search(self.refusal, message):
                return "right", message
            return "refused", message
        except Exception as error:  # for any other error, a user sees a traceback
            return "traceback", f"{type(error).__name__}: {error}"
        if self.refusal is not None:
            return "wrong", "was accepted, and should have been refused"
        return "right", self.expected


def expect(found: object, expected: object, what: str) -> None:
    """Raises `WrongAnswerError` if what was found is not equal to what was expected."""
    if found != expected:
        raise WrongAnswerError(f"{what}: found {found!r}, expected {expected!r}")


def check_names(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Returns the kinds, if no two have the same name.

    Raises:
        ValueError: If two kinds have the same name.
    """
    found = tuple(kinds)
    names = [kind.name for kind in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"several kinds are named {twice[0]!r}. Give each a different name.")
    return found

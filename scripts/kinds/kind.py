"""One kind of input: how it is made, what a user expects of it, and what came of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["right", "refused", "wrong", "traceback"]
REFUSALS = (ValueError,)
"""What the package raises, with a message for its user."""


class WrongAnswerError(Exception):
    """An input was answered without an error, and the answer is not what a user expects."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of input, which stands for everything like it.

    Attributes:
        name: The family and the variant, such as `"rotation: display matrix of 90 degrees"`.
        expected: What a user expects, in a few words.
        try_it: Makes the input in an empty folder and uses it as a user would. It raises
            `WrongAnswerError` (see `expect`) where the answer is not the expected one.
        refusal: A pattern that the message must match if the input is to be refused, such as the
            flag that makes the choice; None if it is to be read.
    """

    name: str
    expected: str
    try_it: Callable[[Path], object]
    refusal: str | None = None

    def outcome(self, folder: Path) -> tuple[Outcome, str]:
        """Tries the kind.

        Args:
            folder: An empty folder for its files.

        Returns:
            The outcome and its reason: `right`; `refused` what should have been read, or with
            another message than expected; `wrong`, answered without an error but not as expected;
            or `traceback`, an error that the package does not explain.
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
        except Exception as error:  # whatever it is, a user sees a traceback
            return "traceback", f"{type(error).__name__}: {error}"
        if self.refusal is not None:
            return "wrong", "was taken, and should have been refused"
        return "right", self.expected


def expect(found: object, expected: object, what: str) -> None:
    """Raises `WrongAnswerError` if what was found is not equal to what was expected."""
    if found != expected:
        raise WrongAnswerError(f"{what}: found {found!r}, expected {expected!r}")


def check_names(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """The kinds, if no two have the same name.

    Raises:
        ValueError: Two have.
    """
    found = tuple(kinds)
    names = [kind.name for kind in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"several kinds are called {twice[0]!r}. Give each its own name.")
    return found

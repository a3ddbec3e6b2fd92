"""Tries what users of Keras do with a template network, and tabulates the outcomes.

    python scripts/keras_matrix.py --page=docs/keras.md

Each case runs on a tiny network and is one row of the table: it works, it works with a warning, or
it is refused with an error that says what to do. ``--page`` writes the table into a page; a test
compares the two.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

from keras_cases import CASES, Case

from vdroppath_tf.files import write_text

MARK = "<!-- written by scripts/keras_matrix.py -->"
WORKS, SAYS, REFUSED, FAILS = "works", "works with a warning", "refused", "**fails**"
_LONG = 300  # characters of a message that are shown


class Outcome(NamedTuple):
    """The outcome of a case, and its warning or error.

    Attributes:
        case: Case, the case.
        verdict: str, one of the four outcomes.
        said: str, the message of the warning or the error; empty if there is none.
    """

    case: Case
    verdict: str
    said: str

    def line(self) -> str:
        """Returns the row of the table."""
        said = self.said.replace("|", "\\|")
        return f"| {self.case.group} | {self.case.text} | {self.verdict} | {said} |"


def outcome(case: Case, *, print_errors: bool = False) -> Outcome:
    """Runs a case, and returns its outcome."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            case.run()
        except (ValueError, TypeError, ModuleNotFoundError) as error:
            if print_errors:
                traceback.print_exc()
            return Outcome(case, REFUSED, _short(str(error)))
        except Exception as error:  # any other error is one that users should not see
            return Outcome(case, FAILS, _short(f"{type(error).__name__}: {error}"))
    own = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    own = [text for text in own if "shuffle=True" not in text]  # about Keras' default
    return Outcome(case, SAYS if own else WORKS, _short(own[0]) if own else "")


def _short(text: str) -> str:
    """Returns the first sentences of a message, without the parts that differ between runs."""
    if found := re.search("\x1b\\[1m(.*?)\x1b\\[0m", text, re.DOTALL):  # Keras adds text around it
        text = found[1]
    text = re.sub(r"\s+", " ", re.sub(r"_\d+\b", "", text.strip()))
    if len(text) <= _LONG:
        return text
    ends = [m.end() for m in re.finditer(r"[.:?] ", text[:_LONG])]
    return text[: ends[-1]].strip(" :") if ends else f"{text[:_LONG]}..."


def table(outcomes: list[Outcome]) -> str:
    """Returns the counts of the outcomes and the table, as Markdown."""
    counts = ", ".join(
        f"{verdict.strip('*')}: {sum(one.verdict == verdict for one in outcomes)}"
        for verdict in (WORKS, SAYS, REFUSED, FAILS)
    )
    head = ["| subject | what is tried | outcome | message |", "| --- | --- | --- | --- |"]
    lines = [f"{len(outcomes)} cases; {counts}.", "", *head, *(one.line() for one in outcomes)]
    return "\n".join(lines)


def in_page(page: str) -> str:
    """Returns the counts and the table of a page."""
    return page.split(MARK)[1].strip()


def main() -> None:
    """Runs the cases and prints their rows; the exit status is 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="page whose table is rewritten")
    text = "run only the cases whose text contains this, and print their whole errors"
    parser.add_argument("--only", default="", help=text)
    given = parser.parse_args()
    outcomes = []
    for case in CASES:
        if given.only in f"{case.group} {case.text}":
            outcomes.append(outcome(case, print_errors=bool(given.only)))
            print(outcomes[-1].line(), flush=True)
    if given.page and not given.only:
        parts = given.page.read_text("utf-8").split(MARK)
        parts[1] = f"\n\n{table(outcomes)}\n\n"
        write_text(given.page, MARK.join(parts))
    sys.exit(any(one.verdict == FAILS for one in outcomes))


if __name__ == "__main__":
    main()

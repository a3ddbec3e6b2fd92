"""Rewrites the library's error messages in flags instead of Python arguments."""

from __future__ import annotations

import logging
import re

from absl import flags

RENAMED = {"root": "data_root", "template": "frame_template", "first": "first_frame"}
"""Arguments whose flags have other names."""

_LONG = re.compile(r"\S{1001,}")
_CALL = r"[A-Za-z_.]+\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\)"
# "root= (--data_root)", "Lookup(allow_missing=True) (--allow_missing)": both are in the message
_BOTH = re.compile(
    rf"(?P<python>{_CALL}|[A-Za-z_]\w*=[^\s()]*|[A-Z]\w*\.\w+|\b\w+) "
    r"\((?P<flags>--(?P<name>[a-z_]+)[^()]*)\)"
)
# "--columns with class_name in place of label (Layout(columns=...))": the Python form of a flag
_BEHIND = re.compile(r"(--[a-z_]+[^()]*) \((?:[a-z]+=)?[A-Z]\w*\([^()]*\)\)")
# Values of an object as Python shows it ("Stem(filters=16, stride=(1, 4, 4))") are no arguments.
_ARGUMENT = re.compile(
    r"\b[A-Z]\w*\((?:[^()]|\([^()]*\))*\)"
    r"|(?<![\w./'\"=-])([a-z]\w*)=(?!\w*[(\[{])('[^']*'|\"[^\"]*\"|[\w.+-]*[\w+]|)"
)
_INSIDE = re.compile(r"\b(?:Lookup|ClipSampling|Augmentation|Recipe)\(([^()]*)\)")
# A path is at the beginning, starts with a slash, or is in quotes; it may contain spaces.
_PATH = (
    r"^[^:'\"()=\n]*/[^:'\"()=\n]*:|(?<!\S)/(?:(?!\. )[^:,;()'\"\n])*"
    r"|(?<!\w)'[^'\n]*'(?!\w)|(?<!\w)\"[^\"\n]*\"(?!\w)"
)
_WORD = re.compile(rf"{_PATH}|(?<![\w./'\"=-])(?P<word>[a-z]+(?:_[a-z]+)+)(?![\w=/(]|\.\w|['\"])")


def shortened(text: str) -> str:
    """Shortens words of thousands of letters in a text."""
    return _LONG.sub(lambda found: f"{found[0][:60]}... ({len(found[0]):,} characters)", text)


def in_flags(text: str, values: flags.FlagValues) -> str:
    """Replaces Python arguments in a message by the command's flags.

    Args:
        text: Such as ``"Pass overwrite=True, or another folder."``
        values: The flags of the command.

    Returns:
        Such as ``"Pass --overwrite, or another folder."``
    """

    def one(match: re.Match[str]) -> str:
        python, name = match["python"], match["name"]
        if "=" in python or "(" in python or "." in python:
            return match["flags"]
        if name in (python, RENAMED.get(python)):
            return match["flags"]
        return match[0]

    def inside(match: re.Match[str]) -> str:
        found = _ARGUMENT.sub(argument, match[1])
        return match[0] if found == match[1] else found

    def argument(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        name = RENAMED.get(match[1], match[1])
        if name not in values:
            return match[0]
        value = match[2].strip("'\"")
        if values[name].boolean and value in ("True", "False"):
            return f"--{name}" if value == "True" else f"--no{name}"
        return f"--{name}={value}" if value else f"--{name}"

    def word(match: re.Match[str]) -> str:
        return f"--{match['word']}" if match["word"] and match["word"] in values else match[0]

    text = _BEHIND.sub(r"\1", _BOTH.sub(one, text))
    return _WORD.sub(word, _ARGUMENT.sub(argument, _INSIDE.sub(inside, text)))


class FlagFormatter(logging.Formatter):
    """Writes warnings and errors in the words of a command line.

    Args:
        values: The flags of the command.
    """

    def __init__(self, values: flags.FlagValues) -> None:
        super().__init__("%(message)s")
        self.values = values

    def format(self, record: logging.LogRecord) -> str:
        text = shortened(super().format(record))
        return in_flags(text, self.values) if record.levelno >= logging.WARNING else text

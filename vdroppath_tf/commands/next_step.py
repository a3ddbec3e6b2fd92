"""The suggestion of the next command, which each command logs at its end."""

from __future__ import annotations

import contextlib
import contextvars
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from absl import flags, logging

_silent = contextvars.ContextVar("silent", default=False)


@contextlib.contextmanager
def saying_nothing() -> Iterator[None]:
    """Suppresses suggestions while active, when several commands run in sequence."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def say_next(command: str, *arguments: str, **given: str | bool | None) -> None:
    """Logs the next command line.

    Args:
        command: The name of the command.
        arguments: The positional arguments.
        given: The flags and their values; those with None are left out.
    """
    _say("Next", command_line(command, *arguments, **given))


def say_or_serve(artefact: str | os.PathLike[str]) -> None:
    """Says, after what was said to come next, that an exported network can be served too.

    Args:
        artefact: Its folder. Of a version, the folder above it is served, so that the next version
            is taken as soon as it is there.
    """
    folder = Path(artefact)
    whole = folder.parent if folder.name.isdecimal() and folder.parent.name else folder
    _say("Or", command_line("serve", shlex.quote(str(whole))))


def _say(word: str, line: str) -> None:
    if not _silent.get():
        logging.info("%s: %s", word, line)


def command_line(command: str, *arguments: str, **given: str | bool | None) -> str:
    """Returns a command line, see ``say_next``, without secrets in addresses."""
    told = {name: _shown(value) for name, value in given.items()}
    return " ".join(["vdroppath", command, *map(_quoted, flag_list(**told)), *arguments])


def flag_list(**given: str | bool | None) -> list[str]:
    """Returns flags in the form of command-line arguments."""
    found = []
    for name, value in given.items():
        if value is True:
            found.append(f"--{name}")
        elif value is not None and value is not False:
            found.append(f"--{name}={value}")
    return found


def source_flags(values: flags.FlagValues, name: str, other: str) -> dict[str, str | None]:
    """Returns the flags for the videos of ``name``, renamed to ``other`` for another command."""
    root = values[f"{name}_root"].value if f"{name}_root" in values else None
    return {other: values[name].value, f"{other}_root": root}


def _shown(value: str | bool | None) -> str | bool | None:
    if isinstance(value, str) and "://" in value:
        from vdroppath_tf.data import remote  # not needed for --help

        return remote.shown(value)
    return value


def _quoted(flag: str) -> str:
    name, equals, value = flag.partition("=")
    return f"{name}{equals}{shlex.quote(value)}" if equals else name

"""The command to type next, which each command says at its end."""

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
    """Inside, no command says what comes next: somebody calls them one after another."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def say_next(command: str, *arguments: str, **given: str | bool | None) -> None:
    """Says the next command line.

    Args:
        command: Its name.
        arguments: What it takes that are no flags.
        given: Its flags and their values; those of None are left out.
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
    """A command line to type, see ``say_next``; without the secrets that addresses may hold."""
    told = {name: _shown(value) for name, value in given.items()}
    return " ".join(["vdroppath", command, *map(_quoted, flag_list(**told)), *arguments])


def flag_list(**given: str | bool | None) -> list[str]:
    """Flags as a command takes them."""
    found = []
    for name, value in given.items():
        if value is True:
            found.append(f"--{name}")
        elif value is not None and value is not False:
            found.append(f"--{name}={value}")
    return found


def source_flags(values: flags.FlagValues, name: str, other: str) -> dict[str, str | None]:
    """Where the videos of a flag are, for another command in which they are called otherwise."""
    root = values[f"{name}_root"].value if f"{name}_root" in values else None
    return {other: values[name].value, f"{other}_root": root}


def _shown(value: str | bool | None) -> str | bool | None:
    if isinstance(value, str) and "://" in value:
        from vdroppath_tf.data import remote  # --help does without

        return remote.shown(value)
    return value


def _quoted(flag: str) -> str:
    name, equals, value = flag.partition("=")
    return f"{name}{equals}{shlex.quote(value)}" if equals else name

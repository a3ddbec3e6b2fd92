"""Checks inputs and outputs before any work: no input or foreign file is overwritten."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from absl import flags

from vdroppath_tf.commands.flag_kinds import Text, only_with
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

_READ = 1 << 20  # bytes at a file's start and end in which a mark is searched
PICTURE = "vdroppath_tf figure"
"""The name of the program in the metadata of a picture, which marks it as ours."""


class Output(Text):
    """A flag that names a file or a folder to write.

    Attributes:
        mark: A text in earlier files of the same command, which may be replaced; None if none may.
            For a folder: patterns of its files, separated by `|`.
        folder: Whether it is a folder. A folder without the mark must be new or empty.
        beside: The names and marks of files that are written next to it; `{name}` and `{stem}`
            stand for those of the output.
    """

    mark: str | None = None
    folder = False
    beside: tuple[tuple[str, str], ...] = ()


@named
def define_output(
    values: flags.FlagValues,
    name: str,
    text: str,
    default: str | None = None,
    *,
    mark: str | None,
    needed: bool = False,
    folder: bool = False,
    beside: Sequence[tuple[str, str]] = (),
    spared_by: str | None = None,
) -> None:
    """Defines a flag for an output, see `Output`; for files it also defines `--overwrite`."""
    flag = Output(flags.ArgumentParser(), flags.ArgumentSerializer(), name, default, text)
    flag.needed, flag.mark, flag.folder, flag.beside = needed, mark, folder, tuple(beside)
    flag.spared_by = spared_by
    flags.DEFINE_flag(flag, flag_values=values)
    if folder:
        return
    if "overwrite" not in values:
        text = "replace existing files, whatever they contain"
        flags.DEFINE_boolean("overwrite", False, text, flag_values=values)
        only_with(values, "overwrite")
    only_with(values, "overwrite", *values["overwrite"].only_with, name)


def check_places(values: flags.FlagValues, positional: Sequence[str]) -> None:
    """Raises before any work if an input cannot be read, or an output must not be written.

    Args:
        values: The flags of the command.
        positional: The positional arguments: files that it reads.

    Raises:
        ValueError: If an input is neither a file nor a folder; or if an output is also an input or
            another output, exists and was not made by the command, or cannot be written. The
            message names the flag.
    """
    taken = {}
    for path, said in _inputs(values, positional):
        _check_input(path, said)
        taken[_identity(path)] = said
    overwrite = "overwrite" in values and values["overwrite"].value
    for flag in _outputs(values):
        if "://" in str(flag.value):
            continue  # the object store reports its own errors
        for place, mark in _places(flag):
            said = f"--{flag.name}={place}"
            if (other := taken.get(_identity(place))) is not None:
                raise ValueError(f"{said}: is also {other}. Expected a separate file or folder.")
            taken[_identity(place)] = f"--{flag.name}"
            _check_above(said, place)
            if os.path.lexists(place):
                if flag.folder:
                    _check_folder(said, place, mark)
                else:
                    _check_file(said, place, mark, overwrite)


def _inputs(values: flags.FlagValues, positional: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yields the existing paths among the inputs, and how each was given."""
    for text in positional:  # some commands take NAME=FILE
        ends = (text, text.rpartition("=")[2])
        yield from ((Path(end), text) for end in ends if end and os.path.lexists(end))
    for name in values:
        if not isinstance(values[name], Output):
            given = values[name].value
            for text in given if isinstance(given, list) else [given]:
                if isinstance(text, str) and text and _is_there(text):
                    yield Path(text), f"--{name}"


def _is_there(text: str) -> bool:
    """Whether a text is an existing path; not if it holds a NUL or is too long."""
    try:
        return os.path.lexists(text)
    except ValueError:
        return False


def _check_input(path: Path, said: str) -> None:
    """Refuses pipes and devices, which may block or never end."""
    if not path.is_file() and not path.is_dir():
        raise ValueError(
            f"{said}: {path} is neither a file nor a folder, but a pipe, a device, a socket or a "
            "broken link. Expected a file or a folder."
        )


def _outputs(values: flags.FlagValues) -> Iterable[Output]:
    return [flag for name in values if isinstance(flag := values[name], Output) and flag.value]


def _places(flag: Output) -> Iterator[tuple[Path, str | None]]:
    """Yields the output and the files next to it, with their marks."""
    path = Path(flag.value)
    yield path, flag.mark
    for name, mark in flag.beside:
        yield path.with_name(name.format(name=path.name, stem=path.stem)), mark


def _identity(path: Path) -> object:
    """Returns a value that is equal for all names of one file, through any links."""
    try:
        status = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _check_above(said: str, place: Path) -> None:
    """Checks that the folder to write to exists or can be created."""
    above = Path(os.path.abspath(place)).parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise ValueError(f"{said}: {above} is not a folder. Pass another place.")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ValueError(f"{said}: the folder {above} cannot be written. Pass another place.")


def _check_file(said: str, place: Path, mark: str | None, overwrite: bool) -> None:
    if place.is_dir():
        raise ValueError(f"{said}: is a folder. Expected a file.")
    if not stat.S_ISREG(os.lstat(place).st_mode) and not place.is_file():
        raise ValueError(f"{said}: exists and is not a file. Expected the name of a file.")
    if overwrite or (mark is not None and _holds(place, mark.encode())):
        return
    made = "" if mark is None else ", and this command did not make it"
    raise ValueError(f"{said}: is there already{made}. Pass another name, or --overwrite.")


def _holds(place: Path, mark: bytes) -> bool:
    with open_regular(place) as file:
        start = file.read(_READ)
        file.seek(max(0, os.path.getsize(place) - _READ))
        return mark in start or mark in file.read(_READ)


def _check_folder(said: str, place: Path, mark: str | None) -> None:
    if not place.is_dir():
        raise ValueError(f"{said}: is not a folder. Expected a new folder, or an empty one.")
    if mark is None or any(next(place.glob(one), None) for one in mark.split("|")):
        return
    if (found := next(place.iterdir(), None)) is not None:
        raise ValueError(
            f"{said}: holds {found.name}, but no file of this command ({mark}). Pass a new folder."
        )

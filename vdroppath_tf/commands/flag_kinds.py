"""Kinds of flags that several commands share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from absl import flags

from vdroppath_tf.names import named


class Text(flags.Flag):
    """A text flag, which cannot be empty.

    Attributes:
        needed: Whether the flag is required, see ``cli``.
        spared_by: The name of a switch with which it is not required; None if there is none.
    """

    needed = False
    spared_by: str | None = None


@named
def define_string(
    values: flags.FlagValues, name: str, text: str, default: Any = None, *, needed: bool = False
) -> None:
    """Defines a text flag; ``needed`` makes it required."""
    flag = Text(flags.ArgumentParser(), flags.ArgumentSerializer(), name, default, text)
    flag.needed = needed
    flags.DEFINE_flag(flag, flag_values=values)


@named
def only_with(values: flags.FlagValues, name: str, *others: str) -> None:
    """Declares that a flag has no effect unless one of some others is given too.

    ``flag_checks.check_needs`` refuses it otherwise, with the error of ``no_effect``.

    Args:
        values: The flags of the command, which must define the flag already.
        name: The flag.
        others: The names of the others.
    """
    values[name].only_with = others


@named
def no_effect(name: str, *others: str, note: str = "") -> ValueError:
    """Returns the error for a flag that has no effect, because another flag is missing.

    Args:
        name: The flag, without dashes.
        others: The flags of which one is needed, without dashes. A value may follow: ``seeds=2``.
        note: What else is to know about the others. Defaults to "", nothing.
    """
    needed = " or ".join(f"--{other}" for other in others)
    note = f" ({note})" if note else ""
    pass_ = "one of them" if others[1:] else needed
    return ValueError(
        f"--{name} has no effect without {needed}{note}. Pass {pass_} too, or leave --{name} out."
    )


def define_processes(values: flags.FlagValues, what: str) -> None:
    """Defines the flags ``--processes``, how many of ``what`` run at a time, and ``--cluster``."""
    text = f"{what} at a time, each in its own process; default: one for each core"
    flags.DEFINE_integer("processes", None, text, lower_bound=1, flag_values=values)
    text = "Ray cluster to run them on: an address, auto, or local (needs vdroppath_tf[cluster])"
    define_string(values, "cluster", f"{text}; default: this machine, without Ray")


def processes_of(values: flags.FlagValues) -> int:
    """Returns the number of processes: the flag's, or that of the cores; 0 for a cluster's."""
    return values.processes or (0 if values.cluster else len(os.sched_getaffinity(0)))


def define_clip_shape(
    values: flags.FlagValues, what: str, default: tuple[int, int, int] | None = None
) -> None:
    """Defines the flag ``--clip_shape``, for which ``what`` is counted or measured."""
    text = None if default is None else ",".join(map(str, default))
    define_string(
        values, "clip_shape", f"frames, height and width that {what} for, e.g. 8,64,64", text
    )


def clip_shape_of(values: flags.FlagValues) -> tuple[int, int, int] | None:
    """Returns frames, height and width; None if the flag was not given.

    Raises:
        ValueError: If the value has another form.
    """
    if values.clip_shape is None:
        return None
    parts = values.clip_shape.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) for part in parts):
        raise ValueError(
            f"--clip_shape={values.clip_shape}: expected frames, height and width, such as 8,64,64."
        )
    frames, height, width = map(int, parts)
    return frames, height, width


def arguments_of(values: flags.FlagValues, names: Iterable[str]) -> list[str]:
    """Returns some flags as command-line arguments; a repeated flag gives several."""
    return [part for name in names for part in values[name].serialize().splitlines()]


def check_suffix(values: flags.FlagValues, name: str, *suffixes: str) -> None:
    """Raises a ValueError if a flag names a file with an unsupported suffix.

    Raises:
        ValueError: If the file ends in none of the suffixes.
    """
    path = values[name].value
    if path is not None and os.path.splitext(path)[1] not in suffixes:
        kinds = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]] if suffixes[1:] else suffixes)
        raise ValueError(f"--{name}={path}: expected a file that ends in {kinds}.")

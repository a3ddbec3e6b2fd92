"""Formats the output of ``vdroppath --help`` and ``vdroppath COMMAND --help``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from absl import flags

from vdroppath_tf.commands.flag_groups import FEW, grouped
from vdroppath_tf.commands.flag_kinds import Text

_OF_ABSL = ";\n    repeat this option to specify a list of values"


class Command(Protocol):
    """The interface of a module of ``commands``; its docstring is the command's summary."""

    EXAMPLE: str

    def define(self, values: flags.FlagValues) -> None:
        """Declares the flags."""

    def run(self, values: flags.FlagValues, arguments: Sequence[str]) -> None:
        """Executes the command."""


def overview(commands: Mapping[str, Command]) -> str:
    """Returns the output of ``vdroppath --help``."""
    lines = [f"  {name:11s} {command.__doc__}" for name, command in commands.items()]
    return "\n".join(
        [
            "usage: vdroppath COMMAND [--flag=value ...]",
            "",
            "Learn how each layer of a 3D CNN should fuse space and time.",
            "",
            *lines,
            "",
            "vdroppath COMMAND --help shows a command's flags and an example.",
            "vdroppath --version shows the version.",
        ]
    )


def usage(command: Command, values: flags.FlagValues) -> str:
    """Returns the output of ``vdroppath COMMAND --help``."""
    lines = [str(command.__doc__), "", f"example: {command.EXAMPLE}"]
    groups = {"": sorted(values)} if len([*values]) <= FEW else grouped([*values])
    for title, names in groups.items():
        lines += ["", f"{title or 'flags'}:"]
        lines += [_flag_help(values[name]) for name in names]
    return "\n".join(lines)


def _flag_help(flag: flags.Flag) -> str:
    given = flag.default
    given = ",".join(map(str, given)) if isinstance(given, list) else given
    default = "" if given in (None, "") else f" (default: {given})"
    default = " (needed)" if isinstance(flag, Text) and flag.needed else default
    text = str(flag.help).removesuffix(_OF_ABSL)
    if isinstance(flag, flags.MultiFlag) and "repeated" not in text:
        text += "; may be repeated"
    return f"  --{flag.name:22s} {text}{default}"

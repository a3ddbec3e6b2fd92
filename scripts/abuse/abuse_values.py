"""Every flag with invalid values: no numbers, numbers out of every range, and odd texts."""

from __future__ import annotations

from collections.abc import Iterator

from abuse_calls import CALLS
from abuse_case import Case

from vdroppath_tf import cli
from vdroppath_tf.commands.places import Output

NUMBERS = ("nan", "inf", "-1000000", "1" + "0" * 30, "1e400", "x", "", "--", "1,2")
TEXTS = ("", "\0", "x" * 100_000, "\x1b[2J", "../../..", "nan", "[[[", "\u2028")
LARGE_IS_FINE = ("max_macs", "max_parameters", "max_latency", "learning_rate", "gate_learning_rate")
RIGHT = (("allow_links_to", "../../.."),)
NAMES = ("title", "name", "about", "frame_template", "backup")  # any text is valid


def _cases() -> Iterator[Case]:
    for command in cli.COMMANDS:
        if command not in CALLS:
            continue
        flags = cli.flags_of(command)
        for name in flags:
            kind = flags[name].flag_type()
            if "bool" in kind or name == "verbosity":
                continue
            whole = "int" in kind or "float" in kind
            for value in NUMBERS if whole else TEXTS:
                is_name = name in NAMES or (isinstance(flags[name], Output) and value != "")
                large = value.startswith("10") and name in LARGE_IS_FINE
                shown = value if len(value) < 40 else f"{value[:3]}... of {len(value):,}"
                # An empty list stands for none, and links may lead to a parent folder.
                right = ("comma" in kind and value == "") or (name, value) in RIGHT
                yield Case(
                    "values",
                    f"{command} --{name}={shown!r}",
                    (*CALLS[command], f"--{name}={value}"),
                    may_pass=large or is_name or right or _is_unused(command, name),
                )


def _is_unused(command: str, name: str) -> bool:
    """Returns whether a flag describes videos that the call does not read."""
    source = name.rpartition("_")[0]
    named = any(part.startswith(f"--{source}=") for part in CALLS[command])
    return name.endswith(("_root", "_split")) and not named


CASES = tuple(_cases())

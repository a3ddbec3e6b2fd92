"""What no flag of any command may hold, and which flags a command cannot do without."""

from __future__ import annotations

import math

from absl import flags

from vdroppath_tf.commands.flag_kinds import Text, no_effect
from vdroppath_tf.names import named

_LARGEST = 2**53  # beyond it a float cannot represent every integer
_LONGEST = 32_768  # more than any path (4,096) or strategy has


def check_values(values: flags.FlagValues) -> None:
    """Checks the values of a command's flags, before any of them is used.

    Args:
        values: The parsed flags.

    Raises:
        flags.Error: If a flag that is needed has no value, or a value is of no use to any command.
    """
    texts = [flag for name in values if isinstance(flag := values[name], Text)]
    wrong = [f"--{f.name} is empty. Expected {f.help}." for f in texts if f.value == ""]
    wrong += [f"--{f.name} is needed: {f.help}" for f in texts if _lacks(values, f)]
    for name in values:
        number = values[name].value
        texts_of_flag = _texts_of(number)
        if any("\0" in each for each in texts_of_flag):
            wrong.append(f"--{name} holds a zero byte. Expected text without one.")
        if any(len(each) > _LONGEST for each in texts_of_flag):
            wrong.append(f"--{name} is too long. Expected at most {_LONGEST:,} characters.")
        if isinstance(number, float) and not math.isfinite(number):
            wrong.append(f"--{name}={number}: expected a number that is finite.")
        if isinstance(number, int) and abs(number) > _LARGEST:
            wrong.append(f"--{name}={number}: expected a whole number up to {_LARGEST:,}.")
    if wrong:
        raise flags.Error("\n".join(wrong))


@named
def check_needs(values: flags.FlagValues) -> None:
    """Refuses flags that have no effect, as another one is missing; see ``only_with``.

    Args:
        values: The parsed flags.

    Raises:
        ValueError: Naming the flag and those that it needs.
    """
    for name in values:
        flag = values[name]
        others = getattr(flag, "only_with", ())
        # --nooverwrite changes nothing, as overwrite is False by default
        changes = flag.value is not False or flag.default is not False
        given = any(values[other].present or values[other].value for other in others)
        if others and flag.present and changes and not given:
            raise no_effect(name, *others)


def _lacks(values: flags.FlagValues, flag: Text) -> bool:
    """Whether a flag is needed and has no value."""
    spared = flag.spared_by is not None and values[flag.spared_by].value
    return flag.needed and flag.value is None and not spared


def _texts_of(value: object) -> list[str]:
    """Returns the texts in the value of a flag."""
    return [
        each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)
    ]

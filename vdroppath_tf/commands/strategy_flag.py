"""The flag that sets a template to one strategy, for commands that use one network."""

from __future__ import annotations

from typing import Any

from absl import flags

from vdroppath_tf import layers, spaces
from vdroppath_tf.commands.flag_kinds import define_string


def define_strategy(values: flags.FlagValues) -> None:
    """Defines the flag ``--strategy``."""
    text = "strategy of a template, e.g. 'S ST ...'; default: the one it was saved with"
    define_string(values, "strategy", text)


def set_strategy_of(values: flags.FlagValues, model: Any) -> spaces.FusionStrategy | None:
    """Sets a template to the strategy of the flag, and returns it; None without the flag.

    Raises:
        ValueError: If the network has no gates, or the strategy does not fit it.
    """
    if values.strategy is None:
        return None
    if not model.gates:
        raise ValueError(f"--strategy is for a template; {values.model} has no gates.")
    strategy = spaces.FusionStrategy.parse(values.strategy, model.architecture["name"])
    layers.set_strategy(model, strategy)
    return strategy

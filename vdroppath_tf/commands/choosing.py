"""The flag ``--choose``, and the costs that the choice needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from vdroppath_tf.commands.choices import RULES

if TYPE_CHECKING:
    import keras

    from vdroppath_tf.cost import UnitCosts

_FRAMES, _SIDE = 16, 112  # used if clips differ in size, which hardly affects which is cheaper


def define_choose(values: flags.FlagValues, default: str | None = RULES[0]) -> None:
    """Defines the flag ``--choose``."""
    text = "cheapest: the fewest MACs among the strategies that may be the best; accurate: the "
    text += "highest top-1, whatever it costs"
    if default is None:
        text += "; default: the one that the file of scores has selected"
    flags.DEFINE_enum("choose", default, RULES, text, flag_values=values)


def costs_of(model: keras.Model, shape: Sequence[Any] | None) -> UnitCosts:
    """Returns the unit costs of a template for a clip shape with possibly unknown sizes."""
    from vdroppath_tf.cost import unit_costs  # not needed for --help

    given = shape or (None, None, None)
    sizes = zip(given, model.input_shape[1:4], (_FRAMES, _SIDE, _SIDE), strict=True)
    frames, height, width = (next(n for n in each if n is not None) for each in sizes)
    return unit_costs(model, (frames, height, width))

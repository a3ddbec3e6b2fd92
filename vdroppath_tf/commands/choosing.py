"""Which of the strategies that may be the best a command takes, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from vdroppath_tf.commands.choices import RULES

if TYPE_CHECKING:
    import keras

    from vdroppath_tf.cost import UnitCosts

_FRAMES, _SIDE = 16, 112  # where clips differ in size: who is cheaper hangs little on it


def define_choose(values: flags.FlagValues, default: str | None = RULES[0]) -> None:
    """The flag ``--choose``."""
    text = "cheapest: of the strategies that may be the best, the one of fewest MACs; accurate: "
    text += "the one of the highest top-1, whatever it costs"
    if default is None:
        text += "; default: the one that the file of scores has selected"
    flags.DEFINE_enum("choose", default, RULES, text, flag_values=values)


def costs_of(model: keras.Model, shape: Sequence[Any] | None) -> UnitCosts:
    """What the units of a template cost for clips of a shape, whose sizes may be unknown."""
    from vdroppath_tf.cost import unit_costs  # --help does without TensorFlow

    given = shape or (None, None, None)
    sizes = zip(given, model.input_shape[1:4], (_FRAMES, _SIDE, _SIDE), strict=True)
    frames, height, width = (next(n for n in each if n is not None) for each in sizes)
    return unit_costs(model, (frames, height, width))

"""The style of units in figures and pages: colour, text colour, and a short label.

Colours are those of Okabe and Ito, which colour-blind readers can distinguish; their lightness
differs enough for a grey print.
"""

from __future__ import annotations

from collections.abc import Iterable

from vdroppath_tf.names import named
from vdroppath_tf.spaces.unit import FusionUnit

# From the bottom of a bar to the top: units with S first, so that their joint height is P(S on).
COLORS = {
    "S": "#E69F00",
    "S+T": "#F0E442",
    "S+T+ST": "#D55E00",
    "S+ST": "#009E73",
    "ST": "#0072B2",
    "T+ST": "#56B4E9",
    "T": "#CC79A7",
    "-": "#E3E3E3",
}
INK = "#1F2933"
_DARK = ("ST", "S+T+ST")  # colours on which white is easier to read than INK
SOME = "*"  # follows a branch that only some of a layer's inputs have


@named
def unit_label(unit: str) -> str:
    """Shortens a unit whose inputs differ: `S@101+ST@111` becomes `S*+ST`.

    A branch that only some of the layer's inputs have ends in `*`.
    """
    unit = FusionUnit(unit)
    if not unit.inputs:
        return str(unit)
    return "+".join(b if all(mask) else b + SOME for b, mask in unit.inputs.items())


@named
def label_note(units: Iterable[str]) -> str | None:
    """Returns a note on the meaning of `*` if a unit's label has it, else None."""
    if not any(SOME in unit_label(unit) for unit in units):
        return None
    return f"{SOME} after a path: some of the layer's inputs have it, the others do not"


@named
def unit_color(unit: str) -> str:
    """Returns the colour of a unit; if inputs differ, that of all their branches together."""
    return COLORS[_joint(unit)]


@named
def unit_ink(unit: str) -> str:
    """Returns the colour of text on `unit_color(unit)`."""
    return "#FFFFFF" if _joint(unit) in _DARK else INK


def _joint(unit: str) -> str:
    return "+".join(FusionUnit(unit).branches) or "-"

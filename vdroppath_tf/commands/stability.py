"""How far a space depends on its seed: the spaces of several seeds, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags, logging

from ..analysis.figure_stability import figure_stability
from ..analysis.stability import Stability, stability
from ..files import write_text
from .compare import check_figure
from .files import define_string, open_space

EXAMPLE = (
    "vdroppath stability run0/space.json run1/space.json run2/space.json --figure=stability.svg"
)


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    text = "of the probabilities in the table: paper (Eq. 7) or sampling"
    flags.DEFINE_enum("form", "paper", ["paper", "sampling"], text, flag_values=values)
    define_string(values, "figure", "picture to write: .png, .svg or .pdf")
    define_string(values, "out", "JSON file to write the numbers to")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A table, and what was asked for of picture and JSON."""
    check_figure(values.figure)
    spaces = [open_space(source) for source in arguments]
    found = stability(spaces, values.form)
    print("\n".join(table(found)))
    if values.figure:
        figure_stability(spaces).savefig(values.figure, dpi=150)
        logging.info("Wrote %s", values.figure)
    if values.out:
        write_text(values.out, json.dumps(fields(found), indent=1) + "\n")
        logging.info("Wrote %s", values.out)


def table(found: Stability) -> list[str]:
    """Lines: each layer's paths over the seeds, its distances, and a sentence."""
    width = max(map(len, found.layers))
    lines = [f"{found.seeds} seeds; mean and standard deviation over them, and distances"]
    for n, layer in enumerate(found.layers):
        on = "  ".join(
            f"P({b} on) {p[:, n].mean():.3f} +- {p[:, n].std(ddof=1):.3f}"
            for b, p in found.on.items()
        )
        lines.append(
            f"  {layer:{width}s}  {on}  between seeds {found.between[n]:.3f}, from the start "
            f"{found.moved[n]:.3f}{'' if found.stable[n] else '  not stable'}"
        )
    return [*lines, found.verdict]


def fields(found: Stability) -> dict[str, Any]:
    """The numbers as plain values."""
    return {
        "format": "vdroppath_tf.stability/1",
        "form": found.form,
        "layers": list(found.layers),
        "on by seed and layer": {b: np.asarray(p).tolist() for b, p in found.on.items()},
        "between seeds": found.between.tolist(),
        "from the start": found.moved.tolist(),
        "same mode": found.same_mode.tolist(),
        "stable": found.stable.tolist(),
    }

"""Show how far a space depends on its seed, by layer, from the spaces of several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl import flags

from vdroppath_tf import analysis, figures
from vdroppath_tf.commands.space_files import (
    check_figure,
    define_outputs,
    open_space,
    write_outputs,
)

FORMAT = "vdroppath_tf.stability/1"
EXAMPLE = (
    "vdroppath stability run0/space.json run1/space.json run2/space.json --figure=stability.svg"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_outputs(values, "probabilities in the table", "numbers", FORMAT)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints a table, and writes the requested picture and JSON file."""
    check_figure(values)
    spaces = [open_space(source) for source in arguments]
    found = analysis.stability(spaces, values.form)
    observed = analysis.observations_over_seeds(spaces)
    print("\n".join([*table(found), *map(str, observed)]))
    numbers = {**fields(found), "observations": [_observed(one) for one in observed]}
    write_outputs(values, lambda: figures.figure_stability(spaces), numbers)


def _observed(one: analysis.SeedObservation) -> dict[str, Any]:
    margin = [one.margin.value, one.margin.low, one.margin.high]
    return {
        "number": one.number,
        "claim": one.claim,
        "verdicts": list(one.verdicts),
        "margin": margin,
    }


def table(found: analysis.Stability) -> list[str]:
    """Returns lines: each layer's paths over the seeds, its distances, and a summary."""
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


def fields(found: analysis.Stability) -> dict[str, Any]:
    """Returns the numbers as plain values."""
    return {
        "format": FORMAT,
        "form": found.form,
        "layers": list(found.layers),
        "on by seed and layer": {b: p.tolist() for b, p in found.on.items()},
        "between seeds": found.between.tolist(),
        "from the start": found.moved.tolist(),
        "same mode": found.same_mode.tolist(),
        "stable": found.stable.tolist(),
    }

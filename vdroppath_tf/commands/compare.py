"""Compare probability spaces: two data sets, two trainings, several seeds of each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from absl import flags

from vdroppath_tf import analysis, figures, spaces
from vdroppath_tf.commands.space_files import (
    check_figure,
    define_outputs,
    open_space,
    write_outputs,
)

FORMAT = "vdroppath_tf.comparison/1"
EXAMPLE = (
    "vdroppath compare appearance=a0/space.json appearance=a1/space.json motion=m0/space.json "
    "--figure=compare.png"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_outputs(values, "marginals that are compared", "distances", FORMAT)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints the distances between names, and within each name that has several spaces."""
    check_figure(values)
    found = analysis.compare_spaces(_read(arguments), values.form)
    print("\n".join(table(found)))
    write_outputs(values, lambda: figures.figure_comparison(found), fields(found))


def _read(arguments: Sequence[str]) -> dict[str, list[spaces.ProbabilitySpace]]:
    """Reads arguments NAME=FILE or FILE; files with the same name are its repetitions."""
    read: dict[str, list[spaces.ProbabilitySpace]] = {}
    for argument in arguments:
        name, _, source = argument.rpartition("=")
        read.setdefault(name or source, []).append(open_space(source))
    return read


def table(found: analysis.SpaceComparison) -> list[str]:
    """Returns lines: each name's P(on), then the distance and farthest layer of every pair."""
    import numpy as np

    form = "Eq. 7: 1 - sqrt(p)" if found.form == "paper" else "as sampled: 1 - p"
    lines = [
        f"mean over layers (and over the spaces of a name) of P(path on) ({form}), and of the "
        "distance"
    ]
    width = max(map(len, found.names))
    for name in found.names:
        on = ", ".join(f"P({b} on) {p.mean():.3f}" for b, p in found.path_on(name).items())
        count = len(found.spaces[name])
        lines.append(f"  {name:{width}s}  {on}  ({count} space{'s' * (count > 1)})")
    for a, b in itertools.combinations(range(len(found.names)), 2):
        layer = int(np.argmax(found.between[a, b]))
        lines.append(
            f"{found.names[a]} to {found.names[b]}: {found.distance[a, b]:.3f}, most in "
            f"{found.layers[layer]} ({found.between[a, b, layer]:.3f})"
        )
    for k, name in enumerate(found.names):
        if len(found.spaces[name]) > 1:
            same = np.nanmean(found.same_mode(name))
            lines.append(
                f"within {name}: {found.distance[k, k]:.3f}; pairs of its modes agree in "
                f"{same:.0%} of the layers"
            )
    return lines


def fields(found: analysis.SpaceComparison) -> dict[str, object]:
    """Returns the comparison as plain values; None if a name has only one space."""
    rows = [[None if math.isnan(x) else float(x) for x in row] for row in found.distance]
    layers = {
        f"{a} to {b}": found.between[i, j].tolist()
        for (i, a), (j, b) in itertools.combinations(enumerate(found.names), 2)
    }
    return {
        "format": FORMAT,
        "form": found.form,
        "names": list(found.names),
        "layers": list(found.layers),
        "distance": rows,
        "distance by layer": layers,
    }

"""Print the probability space of a trained template, and write it as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags, logging

from ..space import ProbabilitySpace
from .files import define_string, load_model

EXAMPLE = "vdroppath space --model=run/template.keras --out=run/space.json"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    define_string(values, "out", "JSON file to write the space to")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """The space as a table: marginals of both forms, entropy, distance from the start."""
    model, _, _ = load_model(values.model)
    space = ProbabilitySpace.from_model(model)
    print("\n".join(table(space)))
    print(f"mode: {space.mode()}")
    if values.out:
        space.save(values.out)
        logging.info("Wrote %s", values.out)


def table(space: ProbabilitySpace) -> list[str]:
    """Lines, one a layer: P of each unit by Eq. 7 and as sampled, entropy (nats), distance."""
    forms = space.marginals(), space.marginals(form="sampling")
    entropy, distance = space.entropy(), space.distance_from_start()
    width = max(len(name) for name in space.layers)
    head = " ".join(f"{unit:>5s}" for unit in forms[0])
    lines = [f"{'':{width}s} | Eq. 7 {head} | sampling {head} | entropy | from start"]
    for i, name in enumerate(space.layers):
        paper, sampling = (" ".join(f"{p[i]:5.3f}" for p in form.values()) for form in forms)
        lines.append(
            f"{name:{width}s} |       {paper} |          {sampling} | {entropy[i]:7.3f} "
            f"| {distance[i]:10.3f}"
        )
    return lines

"""Print the probability space of a trained template, and the best strategies under a budget."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from absl import flags, logging

from vdroppath_tf.commands.budget_flags import Budgets, define_budgets
from vdroppath_tf.commands.files import define_string, load_network
from vdroppath_tf.layers.gates import named_drops
from vdroppath_tf.spaces.space import ProbabilitySpace

EXAMPLE = "vdroppath space --model=run/template.keras --clip_shape=16,112,112 --max_macs=5e9"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    text = "a line for each input of a layer, where inputs have gates of their own"
    flags.DEFINE_boolean("inputs", False, text, flag_values=values)
    define_string(values, "out", "JSON file to write the space to")
    define_budgets(values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """The space as a table: marginals of both forms, entropy, distance from the start."""
    budgets = Budgets(values)
    model, _ = load_network(values.model)
    space = ProbabilitySpace.from_model(model)
    if values.inputs and not space.ragged:
        raise ValueError(f"--inputs: the inputs of each layer of {values.model} share its gates.")
    print("\n".join(table(space, inputs=values.inputs)))
    if space.ragged and not values.inputs:
        print("Each input of a layer has gates of its own: P are means over inputs (see --inputs).")
    classifier = named_drops(model).get("classifier")
    if classifier is not None:
        print(f"classifier: each feature is dropped with p = {classifier:.3f}")
    print(f"mode: {space.mode()}")
    if values.out:
        space.save(values.out)
        logging.info("Wrote %s", values.out)
    budgets.answer(space, model)


def table(space: ProbabilitySpace, *, inputs: bool = False) -> list[str]:
    """Lines, one a layer: P of each unit by Eq. 7 and as sampled, entropy (nats), distance.

    Args:
        space: of a template; of a ragged one P are the means over a layer's inputs.
        inputs: adds a line for each input of a ragged space, below its layer's.
    """
    forms = space.marginals(), space.marginals(form="sampling")
    entropy, distance = space.entropy(), space.distance_from_start()
    head = " ".join(f"{unit:>5s}" for unit in forms[0])
    rows: list[tuple[str, ...]] = [
        ("", f"Eq. 7 {head}", f"sampling {head}", "entropy", "from start")
    ]
    for i, name in enumerate(space.layers):
        means = (_numbers(form, i, np.mean) for form in forms)
        rows.append((name, *means, f"{entropy[i]:7.3f}", f"{distance[i]:10.3f}"))
        for n in range(len(space.drop[i]) if inputs else 0):
            own = (_numbers(form, i, operator.itemgetter(n)) for form in forms)
            rows.append((f"  input {n + 1}", *own, "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *rest = widths
    return [
        " | ".join([f"{name:{first}s}", *(f"{t:>{w}s}" for t, w in zip(cells, rest, strict=True))])
        for name, *cells in rows
    ]


def _numbers(form: dict[str, Any], layer: int, of_inputs: Callable[[Any], float]) -> str:
    """A layer's P of each unit, below the unit's name."""
    return " ".join(f"{of_inputs(p[layer]):{max(5, len(u))}.3f}" for u, p in form.items())

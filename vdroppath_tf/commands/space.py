"""Print the probability space of a template or a file, and the best strategies under a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from absl import flags, logging

from vdroppath_tf import layers, spaces, training
from vdroppath_tf.commands.budget_flags import Budgets, define_budgets
from vdroppath_tf.commands.diagnosis import diagnosis_of, said
from vdroppath_tf.commands.flag_kinds import define_string, only_with
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.run_folder import prior_of
from vdroppath_tf.commands.space_files import PUBLISHED, open_space
from vdroppath_tf.names import named

if TYPE_CHECKING:
    import keras

EXAMPLE = "vdroppath space --model=run/template.keras --clip_shape=16,112,112 --max_macs=5e9"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a trained template, .keras")
    text = "instead of --model: space.json, or published:NAME, a space of the paper"
    define_string(values, "space", text)
    text = "print a line for each input of a layer, for a network with gates per input"
    flags.DEFINE_boolean("inputs", False, text, flag_values=values)
    text = "print this many strategies drawn from the space, with their log-probabilities"
    flags.DEFINE_integer("draws", 0, text, lower_bound=0, flag_values=values)
    flags.DEFINE_integer("seed", 0, "seed of the draws", 0, flag_values=values)
    only_with(values, "seed", "draws")
    text = "JSON file for the space"
    define_output(values, "out", text, mark="vdroppath_tf.space/")
    define_budgets(values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints the space as a table: marginals in both forms, entropy, distance from the start."""
    budgets = Budgets(values)
    model, space = _space_of(values)
    source = values.space if model is None else values.model
    if values.inputs and not space.per_input:
        raise ValueError(f"--inputs: in {source} the inputs of each layer share its gates.")
    found = spaces.diagnose(space) if model is None else diagnosis_of(model, values.model)
    lines, before = said(found, values), int(bool(found.collapsed))  # a warning of it is first
    print("\n".join([*lines[:before], *table(space, inputs=values.inputs), *lines[before:]]))
    if space.per_input and not values.inputs:
        print("Each input of a layer has its own gates: P are means over inputs (see --inputs).")
    if model is not None:
        classifier = layers.named_drops(model).get("classifier")
        if classifier is not None:
            print(f"classifier: each feature is dropped with p = {classifier:.3f}")
        print(f"prior: {prior_of(model, values.model)}")
    leading = _leading(space)
    print(f"leading by Eq. 7: {_counted(leading)}")
    note = None if space.per_input else _two_forms(leading, space.mode())
    if note:
        print(note)
    if model is None and values.space.startswith(PUBLISHED):
        print(f"chosen by the paper: {shortened(_chosen_by_the_paper(values.space))}")
    print(f"mode: {shortened(space.mode())}")
    for drawn in space.sample(values.draws, seed=values.seed) if values.draws else ():
        print(f"drawn, log-probability {space.log_prob(drawn):.2f}: {drawn}")
    if values.out:
        space.save(values.out)
        logging.info("Wrote %s", values.out)
    budgets.answer(space, model)


def _space_of(
    values: flags.FlagValues,
) -> tuple[keras.Model | None, spaces.ProbabilitySpace]:
    """Returns a template and its space, or None and the space of a file."""
    if (values.model is None) == (values.space is None):
        raise ValueError("Expected one of --model (a template, .keras) and --space (space.json).")
    if values.space is None:
        model, _ = training.load_network(values.model)
        return model, spaces.ProbabilitySpace.from_model(model)
    if values.measure_latency is not None:
        raise ValueError("--measure_latency runs a template: pass --model, not --space.")
    return None, open_space(values.space)


def shortened(strategy: spaces.FusionStrategy) -> str:
    """Returns the units of a strategy; of more than 16 layers, as run lengths if that is shorter.

    The longest strategy of a ResNet-50, MobileNetV2 or smaller network is printed as the flag
    ``--strategy`` takes it.
    """
    return min(str(strategy), strategy.runs(), key=len) if len(strategy) > 16 else str(strategy)


def _chosen_by_the_paper(source: str) -> spaces.FusionStrategy:
    from vdroppath_tf.zoo.published import published_strategy  # reads a file

    return published_strategy(source.removeprefix(PUBLISHED))


def _leading(space: spaces.ProbabilitySpace) -> list[str]:
    """Returns the unit of each layer that has the highest marginal."""
    marginals = space.marginals()
    return [max(marginals, key=lambda unit: marginals[unit][n]) for n in range(len(space))]


def _counted(units: Sequence[str]) -> str:
    """Describes in how many layers each unit leads."""
    counts = [f"{unit} in {n}" for unit, n in Counter(units).most_common()]
    return f"{', '.join(counts)} of {len(units)} layers"


def _two_forms(leading: Sequence[str], mode: spaces.FusionStrategy) -> str | None:
    """Explains why the mode has other units than those that lead, if it has."""
    differ = sum(unit != str(own) for unit, own in zip(leading, mode, strict=True))
    if not differ:
        return None
    return (
        f"The mode has other units in {differ} of {len(leading)} layers, since these are two "
        "forms: a path is on with 1 - sqrt(p) in Eq. 7, and with 1 - p where strategies are "
        "sampled, of which the mode is the most probable."
    )


@named
def table(space: spaces.ProbabilitySpace, *, inputs: bool = False) -> list[str]:
    """Returns a line for each layer: P of the units (Eq. 7, sampling), entropy, distance, mover.

    Args:
        space: the space; with gates per input P are means over a layer's inputs.
        inputs: whether to add a line for each input with its own gates, below that of its layer.
    """
    units = list(space.marginals())
    forms = space.unit_probabilities(), space.unit_probabilities(form="sampling")
    entropy, distance = space.entropy(), space.distance_from_start()
    movers = spaces.diagnose(space).moved_by or ("unknown",) * len(space)
    head = " ".join(f"{unit:>5s}" for unit in units)
    rows: list[tuple[str, ...]] = [
        ("", f"Eq. 7 {head}", f"sampling {head}", "entropy", "from start", "moved by")
    ]
    for i, name in enumerate(space.layers):
        means = (_numbers(units, form[i].mean(axis=0)) for form in forms)
        numbers = f"{entropy[i]:7.3f}", f"{distance[i]:10.3f}"
        rows.append((name, *means, *numbers, movers[i]))
        for n in range(len(space.drop[i]) if inputs else 0):
            own = (_numbers(units, form[i][n]) for form in forms)
            rows.append((f"  input {n + 1}", *own, "", "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *rest = widths
    return [
        " | ".join([f"{name:{first}s}", *(f"{t:>{w}s}" for t, w in zip(cells, rest, strict=True))])
        for name, *cells in rows
    ]


def _numbers(units: Sequence[str], probabilities: Iterable[float]) -> str:
    """Formats P of each unit, aligned with the unit's name."""
    pairs = zip(units, probabilities, strict=True)
    return " ".join(f"{p:{max(5, len(unit))}.3f}" for unit, p in pairs)

"""Flags of ``vdroppath space`` for budgets, fronts and latency, and their results."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from vdroppath_tf import budget, layers, spaces
from vdroppath_tf.commands.choices import COSTS
from vdroppath_tf.commands.flag_kinds import (
    check_suffix,
    clip_shape_of,
    define_clip_shape,
    define_string,
    no_effect,
    only_with,
)
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.files import write_text

if TYPE_CHECKING:
    import keras

PARETO_FORMAT = "vdroppath_tf.pareto/1"
_SHOWN = 11  # the number of rows of a front that are printed


def define_budgets(values: flags.FlagValues) -> None:
    """Defines the flags for budgets, fronts and latency."""
    define_clip_shape(values, "costs are")
    words = {"macs": "multiply-adds", "parameters": "parameters", "latency": "ms, by --latency"}
    for name, what in words.items():
        text = f"print the most probable strategy with at most this many {what}"
        flags.DEFINE_float(f"max_{name}", None, text, lower_bound=0, flag_values=values)
    text = (
        "frames between answers over a stream: --max_macs is then the budget of one answer, with "
        "the frames of --clip_shape as the window"
    )
    flags.DEFINE_integer("hop", None, text, lower_bound=1, flag_values=values)
    text = "file, .csv or .json, for the Pareto front of probability and cost"
    define_output(values, "pareto", text, mark="log_prob")
    text = "the cost of --pareto"
    flags.DEFINE_enum("by", "macs", COSTS, text, flag_values=values)
    define_string(values, "latency", "JSON file that --measure_latency wrote on this machine")
    text = "JSON file for the latency of every unit of every layer, measured now on this machine"
    define_output(values, "measure_latency", text, mark="vdroppath_tf.latency/")
    only_with(values, "by", "pareto")
    only_with(values, "hop", "max_macs")
    only_with(values, "max_latency", "latency", "measure_latency")
    for name in ("clip_shape", "latency"):
        only_with(values, name, *(f"max_{cost}" for cost in words), "pareto", "measure_latency")


class Budgets:
    """The values of these flags, checked before any work is done.

    Raises:
        ValueError: If a flag has an invalid value, or needs another flag.
    """

    def __init__(self, values: flags.FlagValues) -> None:
        limits = {f"max_{name}": values[f"max_{name}"].value for name in COSTS}
        self.limit = {name: value for name, value in limits.items() if value is not None}
        self.clip_shape = clip_shape_of(values)
        self.hop = values.hop
        self.pareto, self.by, self.measure = values.pareto, values.by, values.measure_latency
        check_suffix(values, "pareto", ".csv", ".json")
        if len(self.limit) > 1:
            names = " and ".join(f"--{name}" for name in self.limit)
            raise ValueError(f"{names}: expected one budget at a time.")
        if values.latency is not None and self.measure is not None:
            raise ValueError("--latency reads what --measure_latency writes: expected one of them.")
        timed = self.pareto is not None and self.by == "latency"
        if timed and values.latency is None and self.measure is None:
            raise no_effect("by=latency", "latency", "measure_latency")
        self.latency = None if values.latency is None else budget.LatencyTable.load(values.latency)

    def answer(self, space: spaces.ProbabilitySpace, model: keras.Model | None) -> None:
        """Prints and writes the results; without a model, costs are those of the named network."""
        if self.measure is not None and model is not None:
            self._measure(model)
        if not self.limit and self.pareto is None:
            return
        if model is None and space.architecture is not None:
            _check_known(space.architecture)
        shape = self.clip_shape or getattr(self.latency, "clip_shape", None)
        hops = None
        if self.hop is None:
            units = budget.cost_tables(space, shape, model, None, self.latency).units
        else:
            hops = budget.stream_costs(space, hop=self.hop, clip_shape=self.clip_shape, model=model)
            units = hops.units
        # computed once, so that the network is not built again for each result
        options: dict[str, Any] = {"model": model, "costs": units, "latency": self.latency}
        options["clip_shape"] = shape
        for name, limit in self.limit.items():
            best = budget.most_probable(space, **{**options, "costs": hops or units}, **self.limit)
            unit = budget.UNITS_OF[name.removeprefix("max_")]
            hop = "" if hops is None else f" a hop of {hops.hop} frames"
            print(f"most probable with at most {limit:,.12g} {unit}{hop}: {best}")
            for what, strategy in (("of it", best), ("of the mode", space.mode())):
                told = _told(budget.choice_of(space, strategy, **options))
                print(f"  {what}: {told}{_of_a_hop(hops, strategy)}")
        if self.pareto is not None:
            self._front(budget.pareto(space, by=self.by, **options))

    def _measure(self, model: keras.Model) -> None:
        shape = self.clip_shape or model.input_shape[1:4]
        what = f"latency of {len(layers.fusion_layers(model))} layers"
        with bar(what, "blocks") as shown:
            self.latency = budget.measure_latency(model, shape, on_layer=lambda: shown.update(1))
        self.latency.save(self.measure)
        logging.info("Wrote %s", self.measure)
        print("predicted latency over measured, of whole networks:")
        for text, ratio in self.latency.ratios().items():
            took = self.latency.checks[text] / 1000
            print(f"  {ratio:.2f} ({self.latency.of(text):.3f} ms / {took:.3f} ms)  {text}")

    def _front(self, choices: Sequence[budget.Choice]) -> None:
        import numpy as np

        write_text(self.pareto, _written(choices, Path(self.pareto).suffix))
        logging.info("Wrote %s", self.pareto)
        shown = np.unique(np.linspace(0, len(choices) - 1, _SHOWN).round().astype(int))
        print(f"{len(choices)} strategies, from the cheapest in {self.by} to the most probable:")
        for k in shown:
            print(f"  {_told(choices[k])}")
        if len(shown) < len(choices):
            print(f"{len(shown)} of them are shown; all are in {self.pareto}.")


def _check_known(network: str) -> None:
    """Raises a ValueError if the costs of a space's network cannot be known from its name."""
    from vdroppath_tf.zoo.networks import list_networks  # builds nothing

    if network not in list_networks():
        raise ValueError(
            f"--space: {network!r} is not a network of the package, so its costs are not known. "
            "Pass its template with --model in place of --space: a template holds its network."
        )


def _told(choice: budget.Choice) -> str:
    time = "" if choice.latency is None else f"  {choice.latency:,.3f} ms"
    costs = f"{choice.parameters:,} parameters  {choice.macs:,} MACs{time}"
    return f"log-probability {choice.log_prob:.4f}  {costs}"


def _of_a_hop(costs: budget.HopCosts | None, strategy: spaces.FusionStrategy) -> str:
    """Describes the cost of an answer over a stream; "" without ``--hop``."""
    if costs is None:
        return ""
    cost = costs.of(strategy)
    return f"  {cost.hop:,} MACs a hop, {cost.share:.2f} of a window's"


def _written(choices: Sequence[budget.Choice], suffix: str) -> str:
    """Formats the front as CSV or JSON; numbers can be read back exactly."""
    rows = [{**asdict(choice), "strategy": str(choice.strategy)} for choice in choices]
    if suffix == ".json":
        fields = {"architecture": choices[0].strategy.architecture, "choices": rows}
        return json.dumps({"format": PARETO_FORMAT, **fields}, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

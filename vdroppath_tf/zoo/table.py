"""What each network of the zoo has and costs, computed from the network itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vdroppath_tf.models.row import Row
from vdroppath_tf.names import named

UNITS = ("S", "ST", "S+ST")
CLIP_SHAPE = (16, 224, 224)
CLASSES = 174
RECORD = Path(__file__).with_name("networks.json")
"""``facts`` of each network for that clip shape and so many classes, kept true by a test."""


@dataclass(frozen=True)
class NetworkFacts:
    """A network of the zoo.

    Attributes:
        name: its row.
        layers: fusion layers.
        gates: trainable logits of its template, the classifier and whole layers not gated.
        parameters, macs: of the derived network with one unit everywhere, in the order of
            ``UNITS``; S+ST is also the template without its gates. MACs are for one clip.
    """

    name: str
    layers: int
    gates: int
    parameters: tuple[int, ...]
    macs: tuple[int, ...]


def recorded() -> dict[str, NetworkFacts]:
    """The facts of each network for ``CLIP_SHAPE`` and ``CLASSES``, without building any."""
    rows = json.loads(RECORD.read_text(encoding="utf-8")).values()
    return {
        row["name"]: NetworkFacts(
            **{**row, "parameters": tuple(row["parameters"]), "macs": tuple(row["macs"])}
        )
        for row in rows
    }


@named
def facts(
    network: Row | str,
    clip_shape: tuple[int, int, int] = CLIP_SHAPE,
    num_classes: int = CLASSES,
) -> NetworkFacts:
    """Builds the template of a network and counts.

    Args:
        network: Row or str, such as ``"resnet50"``.
        clip_shape: tuple, frames, height, width. Defaults to the paper's 16, 224, 224.
        num_classes: int, logits of the classifier. Defaults to 174.
    """
    from vdroppath_tf.cost import unit_costs
    from vdroppath_tf.layers.gates import fusion_layers, gates_of
    from vdroppath_tf.models.build import build_network
    from vdroppath_tf.models.families import row_of
    from vdroppath_tf.spaces.strategy import FusionStrategy

    template = build_network(network, num_classes)
    costs, layers = unit_costs(template, clip_shape), len(fusion_layers(template))
    each = [costs.of(FusionStrategy.uniform(unit, layers)) for unit in UNITS]
    gates = sum(gate.logits().shape[0] for gate in gates_of(template))
    parameters, macs = zip(*each, strict=True)
    return NetworkFacts(row_of(network).name, layers, gates, parameters, macs)


def markdown(rows: Iterable[NetworkFacts]) -> str:
    """A table, a row for each network."""
    units = [f"{what}, {unit}" for what in ("parameters", "MACs") for unit in UNITS]
    lines = [["network", "fusion layers", "gates", *units]]
    lines += [["---"] * 2 + ["---:"] * (len(units) + 1)]
    for row in rows:
        counts = [row.gates, *row.parameters, *row.macs]
        lines.append([f"`{row.name}`", str(row.layers), *(f"{count:,}" for count in counts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

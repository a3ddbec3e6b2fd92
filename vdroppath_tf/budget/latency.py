"""The latency of every unit of every fusion layer, measured on a machine and kept as JSON.

The time of a network is modelled as a sum: the time of everything outside the blocks plus that of
    each block with its unit. This is an approximation, since a whole network shares caches,
    overlaps work and saves calls. ``checks`` holds the measured times of whole networks on the same
    machine, for comparison.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.budget.latency_fields import TEXTS, check_fields
from vdroppath_tf.files import load_text, read_json, write_text
from vdroppath_tf.names import named
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit

_FORMAT = "vdroppath_tf.latency/2"
_OLDER = "It lacks the row of the network. Measure again, with vdroppath space --measure_latency."
_FIELDS = ("network", "clip_shape", "layers", "base", "units", "checks", "repeats", *TEXTS)
# fields of FusionModel.architecture that do not change the time of a derived network
_FREE = ("clip_shape", "gates", "strategy", "dropout", "num_classes")


@named
@dataclass(frozen=True)
class LatencyTable:
    """The measured times of the units of a network, in integer microseconds for one clip.

    Attributes:
        network: the template's description, ``FusionModel.architecture``.
        clip_shape: frames, height, width.
        layers: the names of the fusion layers.
        base: the time of everything outside the blocks, us.
        units: for each layer the time of its block by unit, us; ``-`` takes 0.
        checks: strategies that were measured as whole networks, with their times, us.
        repeats: the number of runs of which each time is the median.
        machine, versions: descriptions of the machine and of the software.

    Example:
    ```python
    table = measure_latency(template, (8, 32, 32), repeats=3)
    table.save("latency.json")
    LatencyTable.load("latency.json").of(space.mode())  # ms
    ```
    """

    network: dict[str, Any]
    clip_shape: tuple[int, int, int]
    layers: tuple[str, ...]
    base: int
    units: tuple[dict[str, int], ...]
    checks: dict[str, int]
    repeats: int
    machine: dict[str, str]
    versions: dict[str, str]

    __repr__ = brief

    def of(self, strategy: FusionStrategy | str) -> float:
        """Predicts the time of a strategy's network for one clip, ms."""
        strategy = FusionStrategy.of(strategy)
        strategy.check(len(self.layers), self.network["name"], self.network["branches"])
        return (self.base + sum(self._time(n, unit) for n, unit in enumerate(strategy))) / 1000

    def cost_of(self, layer: int, mask: np.ndarray) -> int:
        """Returns the time of a layer, by number, with a 0/1 mask over its branches, us."""
        units, masks = unit_table(tuple(self.network["branches"]))
        return self._time(layer, units[masks.index(tuple(int(bit) for bit in mask))])

    def _time(self, layer: int, unit: FusionUnit) -> int:
        if unit != "-" and unit not in self.units[layer]:
            raise ValueError(
                f"Layer {self.layers[layer]!r} has no unit {str(unit)!r} in the latency table. "
                f"Expected one of {sorted(self.units[layer])}, or '-'."
            )
        return self.units[layer].get(unit, 0)

    def ratios(self) -> dict[str, float]:
        """The predicted time over the measured one, of each strategy measured as a whole."""
        return {text: 1000 * self.of(text) / max(time, 1) for text, time in self.checks.items()}

    def check(
        self,
        space: ProbabilitySpace,
        clip_shape: Sequence[int] | None,
        network: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises a ValueError if the table is for another network or other clips."""
        name = self.network["name"]
        if space.architecture not in (None, name) or len(space) != len(self.layers):
            raise ValueError(
                f"The latency was measured for {name!r} of {len(self.layers)} fusion layers. "
                f"Received: a space of {space.architecture!r} with {len(space)}. Measure again."
            )
        if space.branches != tuple(self.network["branches"]) or space.per_input:
            raise ValueError(
                f"The latency was measured for the branches {self.network['branches']}, shared by "
                f"the inputs of a layer. Received: a space of "
                f"{list(space.branches)}{', with gates per input' * space.per_input}."
            )
        if clip_shape is not None and tuple(clip_shape) != self.clip_shape:
            raise ValueError(
                f"The latency was measured for clips of {self.clip_shape}. Received: clip_shape="
                f"{tuple(clip_shape)}. Measure again, or use those."
            )
        other = {} if network is None else described(network)
        changed = [key for key in other if other[key] != self.network.get(key)]
        if changed:
            raise ValueError(
                f"The latency was measured for a network with {changed[0]}="
                f"{self.network.get(changed[0])!r}. Received: {other[changed[0]]!r}. Measure again."
            )

    def to_json(self) -> str:
        """Returns the table as JSON text."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> LatencyTable:
        """Reads a table from the text of ``to_json``.

        Raises:
            ValueError: If the text is not JSON, has another format or version, or a bad field.
        """
        fields = read_json(text, _FORMAT, _FIELDS, older=_OLDER)
        check_fields(fields)
        for name in ("clip_shape", "layers", "units"):
            fields[name] = tuple(fields[name])
        return cls(**fields)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the JSON to a file atomically."""
        write_text(path, self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LatencyTable:
        """Reads a file that ``save`` wrote.

        Raises:
            ValueError: If it holds no latencies; the message names the file.
            OSError: If it cannot be read.
        """
        return load_text(path, cls.from_json)


def described(network: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of a network's description that determine its time, as in JSON."""
    return json.loads(json.dumps({k: v for k, v in network.items() if k not in _FREE}))

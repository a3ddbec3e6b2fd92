"""What pushed the gates while they were trained: the data, and the prior (Eq. 5).

Gradient descent moves the logit of a drop probability by minus its gradient times the learning
rate. The gradient is that of the task's loss plus that of the KL, so each step is a push by the
data and a push by the prior. Their sums say which of the two has moved a gate; where a gate ended
does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.spaces.gate_arrays import Gates, gate_arrays, per_layer

RECORDED = ("data", "prior", "last_data", "last_prior", "since")
"""The fields of `Pushes` that have a number for each gate."""


@named
@dataclass(frozen=True, eq=False)
class GateValues:
    """One number for each gate of a space.

    Args:
        paths: One array `(inputs, branches)` a layer, as a space's `drop`; 0 where there is no such
            branch.
        layer: `(layers,)` of the gates that drop a whole layer (D1); 0 where there is none.

    Example:
    ```python
    values = GateValues([[[0.1, 0.2]], [[0.3, 0.4]]])  # S and ST of two layers
    values.flat()
    ```
    """

    paths: Any
    layer: Any = None

    def __post_init__(self) -> None:
        paths = gate_arrays("pushes", self.paths)
        layer = per_layer("pushes", self.layer, len(paths), default=0.0)
        if not all(np.isfinite(values).all() for values in (*paths, layer)):
            raise ValueError("Expected pushes that are finite numbers. Received: others")
        object.__setattr__(self, "paths", paths)
        object.__setattr__(self, "layer", layer)

    def flat(self) -> list[np.ndarray]:
        """`(paths + 1,)` a layer: its paths input by input, then D1."""
        pairs = zip(self.paths, self.layer, strict=True)
        return [np.append(paths.ravel(), layer) for paths, layer in pairs]


@named
@dataclass(frozen=True, eq=False)
class Pushes:
    """How the data and the prior pushed the gates of a space, above 0 towards dropping.

    Attributes:
        data, prior: `GateValues`, of the whole training in which gates were trained: the sums over
            its steps of minus the gradient, times the learning rate. Their units are those of
            logits, up to a factor that the optimizer has (momentum, a rate of the gates' own), so
            they are compared with each other only.
        last_data, last_prior: `GateValues`, minus the gradient of a step in the last epoch, on
            average.
        since: `GateValues`, the drop probabilities where that training began.
        epochs: int, how many epochs it had.

    Raises:
        ValueError: If they are not of one shape, or are no numbers.

    Example:
    ```python
    values = GateValues([[[0.1, 0.2]], [[0.3, 0.4]]])
    pushes = Pushes(values, values, values, values, values, epochs=3)
    Pushes.of_plain(pushes.plain()).epochs  # 3
    ```
    """

    data: GateValues
    prior: GateValues
    last_data: GateValues
    last_prior: GateValues
    since: GateValues
    epochs: int

    def __post_init__(self) -> None:
        for name in RECORDED:
            self._check_like(name, self.data.paths)
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int) or self.epochs < 1:
            raise ValueError(f"Expected pushes of at least one epoch. Received: {self.epochs!r}")
        for values in self.since.flat():
            if not ((values >= 0) & (values <= 1)).all():
                raise ValueError("Expected probabilities from 0 to 1 where pushes began.")

    def _check_like(self, name: str, drop: Gates) -> None:
        found = [layer.shape for layer in getattr(self, name).paths]
        wanted = [layer.shape for layer in drop]
        if found != wanted:
            raise ValueError(
                f"Expected pushes of shapes {wanted}, a number for each gate. "
                f"Received: {name} of {found}"
            )

    def check(self, drop: Gates) -> None:
        """ValueError unless there is a number for each gate of `drop`."""
        self._check_like("data", drop)

    def gradients(self) -> np.ndarray:
        """`(layers, 2)`: how much the data and how much the prior pulled at each layer's gates.

        Both are sums over the gates of the absolute gradient of a step in the last epoch.
        """
        parts = (self.last_data.flat(), self.last_prior.flat())
        return np.array([[np.abs(gates).sum() for gates in part] for part in parts]).T

    def plain(self) -> dict[str, Any]:
        """As JSON-able data; numbers come back exactly."""
        values = {
            name: {
                "paths": [layer.tolist() for layer in getattr(self, name).paths],
                "layer": getattr(self, name).layer.tolist(),
            }
            for name in RECORDED
        }
        return {**values, "epochs": self.epochs}

    @classmethod
    def of_plain(cls, found: Any) -> Pushes:
        """What `plain` gave.

        Raises:
            ValueError: If it is something else.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(found, Mapping) or {*found} != names:
            raise ValueError(f"Expected pushes with the fields {sorted(names)}.")
        parts = {name: found[name] for name in RECORDED}
        if not all(
            isinstance(one, Mapping) and {*one} == {"paths", "layer"} for one in parts.values()
        ):
            raise ValueError("Expected each of the pushes as an object of 'paths' and 'layer'.")
        values = {name: GateValues(one["paths"], one["layer"]) for name, one in parts.items()}
        return cls(**values, epochs=found["epochs"])

    @classmethod
    def of_flat(
        cls, arrays: Mapping[str, np.ndarray], epochs: int, shaped: Callable[[Any], GateValues]
    ) -> Pushes:
        """Of one number after another for all gates of a network, which `shaped` puts in place."""
        return cls(**{name: shaped(arrays[name]) for name in RECORDED}, epochs=epochs)


@named
def share_of(part: float, rest: float) -> float:
    """Returns the share of a part in itself and the rest, in [0, 1]; 0 if both are 0."""
    return float(part / (part + rest)) if part + rest else 0.0

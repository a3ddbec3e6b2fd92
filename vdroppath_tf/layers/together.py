"""The gates of many fusion layers, drawn and weighed as one.

Each gate by itself has some hundred small operations in a training step: its noise, its factors,
"is any path on", its KL, and the gradients of these. Here all of a network's have them together:
logits and norms are stacked, factors come out of one array. A layer that is called by itself draws
its own, by the same functions, and has the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from vdroppath_tf.layers import noise
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.layers.factors import Factors
from vdroppath_tf.layers.relaxation import relaxed_logit
from vdroppath_tf.layers.running_fit import find_examples

_ONES = "_vdroppath_ones"  # marks a factor that is known to be 1


class Gated(Protocol):
    """A gated fusion layer, as much of it as its gates need; see ``FusionConv``."""

    drop_path: VariationalDropPath
    wanted: tuple[str, ...]
    widths: tuple[int, ...] | None

    @property
    def compute_dtype(self) -> str:
        """The precision of the factors."""

    @property
    def inputs(self) -> int:
        """How many inputs have gates of their own."""

    def half_squared_norms(self) -> list[tf.Tensor]:
        """``||w||^2 / 2`` of the paths, for the KL."""


_together: ContextVar[Mapping[int, Factors] | None] = ContextVar("drawn", default=None)


@contextmanager
def handed_out(drawn: Mapping[int, Factors]) -> Iterator[None]:
    """Layers that are called inside take what was drawn for them."""
    token = _together.set(drawn)
    try:
        yield
    finally:
        _together.reset(token)


def drawn_for(layer: Gated) -> Factors | None:
    """What was drawn for a layer by the network that calls it; None where it is called alone."""
    return (_together.get() or {}).get(id(layer))


def draw(layers: Sequence[Gated], batch: Any) -> tuple[dict[int, Factors], tf.Tensor]:
    """Draws the gates of layers, and adds up their KL (Eq. 5).

    Args:
        layers: Gated fusion layers whose gates train.
        batch: Samples of this replica.

    Returns:
        What was drawn, by the ``id`` of the layer, and the KL.
    """
    find_examples([layer.drop_path for layer in layers])
    groups: dict[Any, list[Gated]] = {}
    for layer in layers:
        key = (*layer.drop_path.settings, layer.compute_dtype)
        groups.setdefault(key, []).append(layer)
    drawn: dict[int, Factors] = {}
    parts = []
    for some in groups.values():
        group = _Group(some, batch)
        drawn |= group.drawn()
        parts.append(group.kl())
    return drawn, parts[0] if len(parts) == 1 else tf.add_n(parts)


def is_ones(factor: Any) -> bool:
    """Whether a factor is known to be 1, so that nothing need be multiplied by it."""
    return getattr(factor, _ONES, False)


class _Group:
    """Layers whose gates have the same settings. Columns are paths, layer by layer, then D1s."""

    def __init__(self, layers: Sequence[Gated], batch: Any) -> None:
        self.layers, self.batch = layers, batch
        self.gates: list[VariationalDropPath] = [layer.drop_path for layer in layers]
        self.one = self.gates[0]
        self.shared = self.one.noise == "batch"
        self.counts = [gate.paths for gate in self.gates]
        self.ends = np.cumsum(self.counts)
        self.paths = int(self.ends[-1])
        self.with_d1 = [n for n, gate in enumerate(self.gates) if gate.drop_layer]
        self.dtype = layers[0].compute_dtype
        self.logits = self._logits()
        self.relaxed = self._relaxed()
        self.keep = 1.0 - tf.sigmoid(self.relaxed)  # (columns, batch or 1)

    def _logits(self) -> tf.Tensor:
        """``(columns,)``."""
        parts = [_joined([gate.logit for gate in self.gates])]
        if self.with_d1:
            parts.append(_joined([self.gates[n].layer_logit for n in self.with_d1]))
        return parts[0] if len(parts) == 1 else tf.concat(parts, 0)

    def _relaxed(self) -> tf.Tensor:
        """``(columns, batch or 1)`` logits of the relaxed drops; the gates' steps go on."""
        gates = self.gates
        own = [gate.streams(gate.paths + gate.drop_layer) for gate in gates]
        pairs = list(zip(own, self.counts, strict=True))
        columns = np.concatenate(
            [part[:count] for part, count in pairs] + [own[n][-1:] for n in self.with_d1]
        )
        owners = np.concatenate([np.repeat(np.arange(len(gates)), self.counts), self.with_d1])
        steps = tf.stack([tf.convert_to_tensor(gate.noise_step) for gate in gates])
        rows = noise.places(1 if self.shared else self.batch, shared=self.shared)
        r1, r2 = noise.two_uniforms(columns, tf.gather(steps, owners.astype("int32")), rows)
        one = tf.ones([], tf.int64)
        for gate in gates:
            gate.noise_step.value.assign_add(one)
        return relaxed_logit(self.logits[:, None], r1, r2, self.one.temperature)

    def kl(self) -> tf.Tensor:
        """Eq. 5 without D1's weights, which a later convolution adds."""
        halves = [half for layer in self.layers for half in layer.half_squared_norms()]
        norms = 2.0 * _joined(halves)  # once, not for each path
        priors = self.one.priors_of(self._of_paths(self.logits))
        return self.one.kl_of(self.logits, priors, norms)

    def _of_paths(self, columns: tf.Tensor) -> tf.Tensor:
        return columns[: self.paths] if self.with_d1 else columns

    def drawn(self) -> dict[int, Factors]:
        """What each layer is handed, by its ``id``."""
        keep = self._of_paths(self.keep)
        factors = self._as_factors(keep)
        scalars = tf.unstack(tf.reshape(keep, [self.paths])) if self.shared else None
        ones = self._ones()
        residual, spatial = self._gates(ones)
        priors = self._d1_priors()
        found = {}
        for n, (layer, end) in enumerate(zip(self.layers, self.ends, strict=True)):
            start = end - self.counts[n]
            found[id(layer)] = Factors(
                keep[start:end] if layer.widths is not None else None,
                factors[start:end],
                None if scalars is None else scalars[start:end],
                residual.get(n, ones),
                spatial.get(n, ones),
                priors.get(n),
            )
        return found

    def _as_factors(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """Each row as ``(batch or 1, 1, 1, 1, 1)`` in the layers' dtype."""
        wide = tf.reshape(tf.cast(rows, self.dtype), [rows.shape[0], -1, 1, 1, 1, 1])
        return tf.unstack(wide)

    def _ones(self) -> tf.Tensor:
        ones = tf.ones([self.batch, 1, 1, 1, 1], self.dtype)
        setattr(ones, _ONES, True)
        return ones

    def _gates(self, ones: tf.Tensor) -> tuple[dict[int, tf.Tensor], dict[int, tf.Tensor]]:
        """The residual and the spatial gates that are not 1, by the layer's number."""
        residual: dict[int, tf.Tensor] = {}
        spatial: dict[int, tf.Tensor] = {}
        d1 = {n: self.keep[self.paths + k][None] for k, n in enumerate(self.with_d1)}
        if self.one.residual_gate == "relaxed":
            every = [n for n, gate in enumerate(self.gates) if gate.has_residual]
            residual = self._some_on(every, None)
            with_t = [n for n, layer in enumerate(self.layers) if "T" in layer.wanted]
            spatial = self._some_on(with_t, "T")
        residual |= {n: residual[n] * row if n in residual else row for n, row in d1.items()}
        return self._widened(residual, ones), self._widened(spatial, ones)

    def _widened(self, rows: dict[int, tf.Tensor], ones: tf.Tensor) -> dict[int, tf.Tensor]:
        """``(1, batch or 1)`` rows as factors of every sample."""
        if not rows:
            return {}
        factors = self._as_factors(tf.concat(list(rows.values()), 0))
        if self.shared:
            factors = [ones * factor for factor in factors]
        return dict(zip(rows, factors, strict=True))

    def _some_on(self, numbers: Sequence[int], without: str | None) -> dict[int, tf.Tensor]:
        """``1 - prod(drops)`` of layers, without the paths of one branch, ``(1, batch or 1)``."""
        if not numbers:
            return {}
        columns, owners = [], []
        for k, n in enumerate(numbers):
            branches = self.layers[n].wanted * self.layers[n].inputs
            start = self.ends[n] - self.counts[n]
            own = [start + j for j, branch in enumerate(branches) if branch != without]
            columns += own
            owners += [k] * len(own)
        logs = tf.math.log_sigmoid(self._of_paths(self.relaxed))
        if len(columns) < self.paths:
            logs = tf.gather(logs, np.array(columns, "int32"))
        off = tf.math.unsorted_segment_sum(logs, np.array(owners, "int32"), len(numbers))
        some = tf.split(-tf.math.expm1(off), len(numbers))
        return dict(zip(numbers, some, strict=True))

    def _d1_priors(self) -> dict[int, tf.Tensor]:
        if not self.with_d1:
            return {}
        priors = tf.unstack(self.one.priors_of(self.logits[self.paths :]))
        return dict(zip(self.with_d1, priors, strict=True))


def _joined(parts: Sequence[Any]) -> tf.Tensor:
    """Numbers and vectors as one vector; stacked where that is possible, for its gradient."""
    tensors = [tf.convert_to_tensor(part) for part in parts]
    alike = all(tensor.shape.is_fully_defined() for tensor in tensors)
    if alike and len({tuple(tensor.shape) for tensor in tensors}) == 1:
        stacked = tf.stack(tensors)
        return stacked if stacked.shape.rank == 1 else tf.reshape(stacked, [-1])
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)

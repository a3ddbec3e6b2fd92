"""The noise of gates: a pure function of seed, layer, step and place in the global batch.

A hash of integers (SplitMix64's), not TensorFlow's generators: these take one key for each call,
so that every gate of a network would have operations of its own. Here the noise of any number of
gates is one array, and a gate has the same numbers in it as by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_BITS = 23  # of a uniform number: its half more is exact in float32
_R1, _R2 = 64 - _BITS, 64 - 2 * _BITS  # where the bits of either begin


def streams(seed: int, names: Sequence[str], width: int) -> np.ndarray:
    """``(len(names) * width,)`` int64: what tells columns of noise apart, ``width`` to a name.

    Args:
        seed: Of the noise.
        names: Of the layers.
        width: Columns of each.
    """
    salts = [_mixed_number(seed) + zlib.crc32(name.encode()) for name in names]
    mixed = [_mixed_number(salt + _STEP * (k + 1)) for salt in salts for k in range(width)]
    return np.array(mixed, "uint64").view("int64")


def places(count: Any, *, shared: bool) -> tf.Tensor:
    """``(count,)`` int64: where the samples of this replica stand in the global batch.

    Args:
        count: Samples of this replica.
        shared: Whether all replicas have the same noise.
    """
    context = None if shared else tf.distribute.get_replica_context()
    rows = tf.range(tf.cast(count, tf.int64), dtype=tf.int64)
    if context is None or context.num_replicas_in_sync == 1:
        return rows
    first = tf.cast(context.replica_id_in_sync_group * count, tf.int64)
    return rows + first


def two_uniforms(columns: Any, steps: Any, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Two independent uniform numbers in (0, 1) for each column and row.

    Args:
        columns: ``(columns,)`` of ``streams``.
        steps: int64, one for all columns or ``(columns,)``.
        rows: ``(rows,)`` int64, places in the global batch.

    Returns:
        ``r1`` and ``r2``, both ``(columns, rows)`` float32.
    """
    bits = _hashed(columns, steps, rows)[None]
    starts = tf.constant([_R1, _R2], tf.int64)[:, None, None]
    cut = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits, starts), 2**_BITS - 1)
    r = (tf.cast(cut, tf.float32) + 0.5) * 2.0**-_BITS
    r1, r2 = tf.unstack(r, num=2)
    return r1, r2


def _hashed(columns: Any, steps: Any, rows: tf.Tensor) -> tf.Tensor:
    """``(columns, rows)`` int64 of independent bits."""
    steps = tf.convert_to_tensor(steps, tf.int64)
    keys = _mixed(tf.convert_to_tensor(columns, tf.int64) + _signed(_STEP) * steps)
    return _mixed(keys[:, None] + _signed(_STEP) * rows[None])


def _mixed(z: tf.Tensor) -> tf.Tensor:
    z = tf.bitwise.bitwise_xor(z, _shifted(z, 30)) * _signed(_FIRST)
    z = tf.bitwise.bitwise_xor(z, _shifted(z, 27)) * _signed(_SECOND)
    return tf.bitwise.bitwise_xor(z, _shifted(z, 31))


def _shifted(z: tf.Tensor, bits: int) -> tf.Tensor:
    """To the right, zeros coming in: of signed numbers TensorFlow's own shift repeats the sign."""
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(z, bits), 2 ** (64 - bits) - 1)


def _mixed_number(z: int) -> int:
    """What ``_mixed`` gives, as a number from 0 on."""
    z %= 2**64
    z = (z ^ (z >> 30)) * _FIRST % 2**64
    z = (z ^ (z >> 27)) * _SECOND % 2**64
    return z ^ (z >> 31)


def _signed(number: int) -> int:
    """The 64 bits of a number as TensorFlow's int64 has them."""
    return number - 2**64 if number >= 2**63 else number

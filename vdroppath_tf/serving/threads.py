"""The number of threads on which TensorFlow computes the answers of small networks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from vdroppath_tf.serving.beside import read_manifest, read_sampling
from vdroppath_tf.serving.formats.kinds import usable_cores

_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_SMALL = 200_000_000
"""Multiply-adds of a clip up to which one thread answers at least as fast as two."""


@contextlib.contextmanager
def few_threads(folders: Iterable[Path]) -> Iterator[None]:
    """Has TensorFlow use a quarter of the cores, at least one, if all networks are small.

    The operations of a small network are too short to be shared: on two threads a clip takes as
    long, and nearly twice the processor time, which decoding needs. Larger networks have all cores.
    TensorFlow reads the setting at its first operation, and keeps it as long as the process lives.
    A setting that exists is kept.

    Args:
        folders: The folders of the networks.
    """
    given = any(name in os.environ for name in _VARIABLES)
    if given or not all(_is_small(folder) for folder in folders):
        yield
        return
    os.environ.update(dict.fromkeys(_VARIABLES, str(max(1, usable_cores() // 4))))
    try:
        yield
    finally:
        for name in _VARIABLES:
            del os.environ[name]


def _is_small(folder: Path) -> bool:
    """Returns whether a network is known to be small; it is loaded, and checked, elsewhere."""
    try:
        folded, sampling = (read_manifest(folder) or {})["folded"], read_sampling(folder)
        frames, height, width = folded["macs_of_a_clip_of"]
        pixels = sampling.frames * sampling.crop_size[0] * sampling.crop_size[1]
        return bool(folded["macs"] * pixels <= _SMALL * frames * height * width)
    except (KeyError, TypeError, ValueError, OSError):
        return False

"""Weights that never change, which oneDNN sorts into an order of its own once and not each time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from vdroppath_tf.startup import FROZEN_WEIGHTS


@contextlib.contextmanager
def frozen_weights() -> Iterator[None]:
    """Has TensorFlow take the weights of convolutions for constants, for it only answers here.

    The kernels of oneDNN want weights in an order of their own. Variables are sorted for each
    batch, since they may have changed: 5 to 7 % of an answer of ``resnet50``. Weights that are
    assumed to be frozen are sorted once and kept, for as much memory again as they take; as
    constants in the graph they would take ten times that.

    TensorFlow reads the setting at its first convolution, and keeps it as long as the process
    lives: nothing may be trained in it, and ``fit`` refuses to. A setting that is there stays.
    """
    if FROZEN_WEIGHTS in os.environ:
        yield
        return
    os.environ[FROZEN_WEIGHTS] = "1"
    try:
        yield
    finally:
        del os.environ[FROZEN_WEIGHTS]

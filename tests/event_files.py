"""Reads event files back, with TensorBoard's own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


def events_of(folder: Path) -> Any:
    """All of a folder's events."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def scalars(events: Any, name: str) -> dict[int, float]:
    """Step -> value."""
    return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors(name)}


def pictures(events: Any, name: str) -> dict[int, np.ndarray]:
    """Step -> the picture, decoded; its size must be the one that stands beside it."""
    found = {}
    for event in events.Tensors(name):
        width, height, content = tf.make_ndarray(event.tensor_proto)
        picture = tf.io.decode_png(content).numpy()
        assert picture.shape == (int(height), int(width), 3)
        found[event.step] = picture
    return found

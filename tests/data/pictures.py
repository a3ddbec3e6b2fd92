"""Encoded pictures, for tests of whatever holds them."""

from __future__ import annotations

import barcode
import numpy as np
import tensorflow as tf


def jpeg(picture: np.ndarray, **options: object) -> bytes:
    return tf.io.encode_jpeg(picture, **{"quality": 95, **options}).numpy()


def barcodes(count: int) -> list[bytes]:
    return [jpeg(barcode.picture(k)) for k in range(count)]


def photograph(height: int = 60, width: int = 83, seed: int = 0) -> np.ndarray:
    """Smooth in colour with fine detail, as photographs are; no side a multiple of 8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / a + columns / b) for a, b in ((9, 14), (21, 8), (13, 30))]
    levels = 128 + 90 * np.stack(waves, -1) + rng.normal(0, 8, (height, width, 1))
    return levels.clip(0, 255).astype(np.uint8)


def png(picture: np.ndarray) -> bytes:
    return tf.io.encode_png(picture).numpy()

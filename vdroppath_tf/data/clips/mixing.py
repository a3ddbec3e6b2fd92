"""mixup and cutmix: a clip is mixed with its neighbour in the batch, and so are their labels.

Keras has layers for both. They would hold the batch three times as floats, and draw from a stateful
generator; mixing one clip at a time in uint8 avoids both.
"""

from __future__ import annotations

import numpy as np

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.names import named


@named
def soft_labels(labels: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Converts class numbers `(batch,)` to shares of classes, float32 `(batch, classes)`.

    Args:
        labels: Class numbers, or multi-label rows of 0 and 1, which are returned unchanged.
        classes: The number of classes.
        smoothing: The share that is spread uniformly over all classes. Defaults to 0.

    Returns:
        The shares.

    Example:
        ```python
        soft_labels(np.array([1]), 4, 0.2)  # [[0.05, 0.85, 0.05, 0.05]]
        ```
    """
    if labels.ndim == 2:
        return labels
    one_hot = labels[:, None] == np.arange(classes)
    return (one_hot * (1 - smoothing) + smoothing / classes).astype(np.float32)


@named
def mix(
    clips: np.ndarray,
    labels: np.ndarray,
    augment: Augmentation,
    *,
    classes: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Mixes the clips of a batch in pairs: first with second, third with fourth.

    The order of an epoch is random, and so are the pairs. Both clips of a pair are mixed, each with
    a separate weight; the last clip of an odd number stays unchanged.

    Args:
        clips: uint8 `(batch, time, height, width, 3)`; changed in place.
        labels: int64 `(batch,)`, or float32 `(batch, classes)` of 0 and 1.
        augment: The augmentation.
        classes: The number of classes.
        rng: The generator of weights and rectangles.

    Returns:
        The clips, and their labels as float32 `(batch, classes)`.

    Example:
        ```python
        clips, labels = mix(
            clips, labels, Augmentation(mixup=0.2), classes=10, rng=np.random.default_rng(0)
        )
        ```
    """
    shares = soft_labels(labels, classes, augment.label_smoothing)
    if not (augment.mixup or augment.cutmix):
        return clips, shares
    mixed = shares.copy()
    for first in range(0, len(clips) - 1, 2):
        pair = clips[first : first + 2].copy()
        for own, other in ((0, 1), (1, 0)):
            row = first + own
            weight = _mix_one(clips[row], pair[other], augment, rng)
            mixed[row] = weight * shares[row] + (1 - weight) * shares[first + other]
    return clips, mixed


def _mix_one(
    clip: np.ndarray, other: np.ndarray, augment: Augmentation, rng: np.random.Generator
) -> float:
    """Mixes another clip into this one; returns the share of this one that is left."""
    coin, down, right = rng.random(3)
    cut = bool(augment.cutmix) and (not augment.mixup or coin < 0.5)
    alpha = augment.cutmix if cut else augment.mixup
    weight = float(rng.beta(alpha, alpha))
    if cut:
        return _paste(clip, other, weight, down, right)
    for frame, added in zip(clip, other, strict=True):  # one frame at a time saves memory
        frame[...] = np.rint(np.float32(weight) * frame + np.float32(1 - weight) * added)
    return weight


def _paste(clip: np.ndarray, other: np.ndarray, weight: float, down: float, right: float) -> float:
    """Pastes a rectangle of another clip into all frames of this one, at the same place."""
    _, height, width, _ = clip.shape
    side = (1 - weight) ** 0.5  # the side of the rectangle as a share of the frame's
    tall, wide = round(side * height), round(side * width)
    top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
    part = (slice(None), slice(top, top + tall), slice(left, left + wide))
    clip[part] = other[part]
    return 1 - tall * wide / (height * width)

"""mixup and cutmix: a clip and its neighbour in the batch become one, and so do their labels.

Keras has both as layers. They would hold the whole batch three times over as floats, and draw from
a state; one clip at a time, in uint8, needs neither.
"""

from __future__ import annotations

import numpy as np

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.names import named


@named
def soft_labels(labels: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Class numbers `(batch,)` as shares of classes, float32 `(batch, classes)`.

    What has a column for each class is returned as it is: several classes each, of 0 and 1.
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

    The order of an epoch is random, and so are the pairs. Both clips of a pair are mixed, with
    weights of their own; the last of an odd number stays as it is.

    Args:
        clips: uint8 `(batch, time, height, width, 3)`; changed in place.
        labels: int64 `(batch,)`, or float32 `(batch, classes)` of 0 and 1.
        augment: what to do.
        classes: how many there are.
        rng: where weights and rectangles are drawn from.

    Returns:
        The clips, and their labels as float32 `(batch, classes)`.
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
    """Mixes another clip into this one; returns the share that is still its own."""
    coin, down, right = rng.random(3)
    cut = bool(augment.cutmix) and (not augment.mixup or coin < 0.5)
    alpha = augment.cutmix if cut else augment.mixup
    weight = float(rng.beta(alpha, alpha))
    if cut:
        return _paste(clip, other, weight, down, right)
    for frame, added in zip(clip, other, strict=True):  # as floats, one frame at a time
        frame[...] = np.rint(np.float32(weight) * frame + np.float32(1 - weight) * added)
    return weight


def _paste(clip: np.ndarray, other: np.ndarray, weight: float, down: float, right: float) -> float:
    """Puts a rectangle of another clip into all frames of this one, in the same place."""
    _, height, width, _ = clip.shape
    side = (1 - weight) ** 0.5  # of the rectangle, as a share of the frame's
    tall, wide = round(side * height), round(side * width)
    top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
    part = (slice(None), slice(top, top + tall), slice(left, left + wide))
    clip[part] = other[part]
    return 1 - tall * wide / (height * width)

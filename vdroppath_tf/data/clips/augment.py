"""Augmentation of clips: its parameters and its draws. `operations` and `mixing` change pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges

_MAX_HUE = 0.5  # half a turn in either direction covers all hues

# RandAugment (Cubuk et al. 2020): the strength of each operation at magnitude 10, in its own unit
_AT_FULL = {
    "identity": 0.0,
    "auto_contrast": 0.0,
    "equalize": 0.0,
    "rotate": 30.0,  # degrees
    "solarize": 1.0,  # share of the range that is inverted, from the top
    "posterize": 4.0,  # bits lost
    "saturation": 0.9,  # away from 1, as the three below
    "contrast": 0.9,
    "scale_brightness": 0.9,
    "sharpness": 0.9,
    "shear_x": 0.3,
    "shear_y": 0.3,
    "translate_x": 0.45,  # of the width
    "translate_y": 0.45,
}
_ONE_WAY = {"identity", "auto_contrast", "equalize", "solarize", "posterize"}
_FACTORS = {"saturation", "contrast", "scale_brightness", "sharpness"}
OPERATIONS = tuple(_AT_FULL)
MAX_MAGNITUDE = 10.0
MAX_OPERATIONS = 100


class Operation(NamedTuple):
    """One change of colour or shape, the same for all frames of a clip.

    Attributes:
        name: The name of the operation, a key of the functions in `operations`.
        value: Its strength, already drawn.
    """

    name: str
    value: float


@named
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The augmentation of training clips after they are cut; the default does nothing.

    Everything is drawn once for the whole clip. Values are clipped to 0..255 after each operation.

    Attributes:
        color_jitter: The largest changes of brightness (added, as a share of the range), contrast
            and saturation (factors of 1 - x to 1 + x) and hue (in turns, at most 0.5), each drawn
            uniformly from -x to x. Defaults to (), no change.
        rand_augment: The number of RandAugment operations for a clip, and their magnitude, 0 to 10.
            Defaults to (), none.
        mixup: The alpha of the Beta distribution of a clip's weight against its neighbour in the
            batch. Defaults to 0, no mixing.
        cutmix: The alpha of the Beta distribution of the part of a clip that stays; the rest is
            replaced by a rectangle of its neighbour in the batch. Together with mixup, each is used
            for half of the clips. Defaults to 0, no mixing.
        label_smoothing: The share of the label that is spread uniformly over all classes. Defaults
            to 0.

    Raises:
        ValueError: If a value is out of range.

    Example:
        ```python
        augment = Augmentation(color_jitter=(0.4, 0.4, 0.4, 0.1), mixup=0.2)
        ```
    """

    color_jitter: tuple[float, ...] = ()
    rand_augment: tuple[float, ...] = ()
    mixup: float = 0.0
    cutmix: float = 0.0
    label_smoothing: float = 0.0

    RANGES: ClassVar[Mapping[str, Range]] = {
        "color_jitter": Range(0.0, 1.0),
        "rand_augment": Range(0.0, MAX_OPERATIONS),
        "mixup": Range(0.0, 1e6),
        "cutmix": Range(0.0, 1e6),
        "label_smoothing": Range(0.0, 1.0, below=True),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        jitter, rand = self.color_jitter, self.rand_augment
        if jitter and not (len(jitter) == 4 and jitter[3] <= _MAX_HUE):
            raise ValueError(
                "color_jitter must be brightness, contrast and saturation, 0 to 1, and hue, 0 to "
                f"{_MAX_HUE}. Received: {jitter}."
            )
        if rand and not (
            len(rand) == 2 and rand[0] == int(rand[0]) and rand[0] >= 1 and rand[1] <= MAX_MAGNITUDE
        ):
            raise ValueError(
                f"rand_augment must be a number of operations, 1 to {MAX_OPERATIONS}, and a "
                f"magnitude, 0 to {MAX_MAGNITUDE:g}. Received: {rand}."
            )

    @property
    def soft_labels(self) -> bool:
        """Whether labels become shares of classes, float32 `(batch, classes)`."""
        return bool(self.mixup or self.cutmix or self.label_smoothing)


def draw_operations(augment: Augmentation, rng: np.random.Generator) -> tuple[Operation, ...]:
    """Draws the operations for one clip: colour jitter first, then those of RandAugment."""
    operations = []
    if augment.color_jitter:
        brightness, contrast, saturation, hue = rng.uniform(-1, 1, 4) * augment.color_jitter
        operations += [
            Operation("brightness", float(brightness)),
            Operation("contrast", float(1 + contrast)),
            Operation("saturation", float(1 + saturation)),
            Operation("hue", float(hue)),
        ]
    if augment.rand_augment:
        count, magnitude = augment.rand_augment
        names, signs = rng.random((2, int(count)))
        for name, sign in zip(names, signs, strict=True):
            operation = OPERATIONS[int(name * len(OPERATIONS))]
            operations.append(_rand_operation(operation, magnitude / MAX_MAGNITUDE, sign < 0.5))
    return tuple(operations)


def _rand_operation(name: str, share: float, negative: bool) -> Operation:
    value = _AT_FULL[name] * share
    if negative and name not in _ONE_WAY:
        value = -value
    return Operation(name, 1 + value if name in _FACTORS else value)

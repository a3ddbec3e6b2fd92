"""Augmentation of clips, as data and as draws; `operations` and `mixing` change the pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges

_MAX_HUE = 0.5  # half a turn either way is every hue there is

# RandAugment (Cubuk et al. 2020): what an operation does at magnitude 10, in its own unit, as there
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
        name: of the operation, a function of `operations`.
        value: its strength, drawn already.
    """

    name: str
    value: float


@named
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What training does to clips after they are cut; the default does nothing.

    Every draw is one for the whole clip. Values are clipped to 0..255 after each operation.

    Attributes:
        color_jitter: brightness (added, a share of the range), contrast and saturation (factors of
            1 - x to 1 + x) and hue (turns, at most 0.5), each drawn evenly from -x to x; empty
            changes nothing.
        rand_augment: how many operations of RandAugment a clip goes through, and their magnitude,
            0 to 10; empty for none.
        mixup: alpha of the Beta distribution that weighs a clip against its neighbour in the
            batch; 0 mixes none.
        cutmix: alpha of the Beta distribution that the part is drawn from which stays a clip's
            own, the rest being a rectangle of its neighbour's; 0 mixes none. With mixup too, half
            of the clips each.
        label_smoothing: share of the label that is spread evenly over all classes.

    Raises:
        ValueError: a value is out of range.
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
    """Draws what happens to one clip: jitter first, then RandAugment's operations."""
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

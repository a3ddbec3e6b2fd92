"""From the description a model carries back to a model."""

from __future__ import annotations

from typing import Any

import keras

from ..strategy import FusionStrategy
from .fusion_model import FusionModel
from .resnet import resnet


def build(architecture: dict[str, Any], strategy: FusionStrategy | None) -> FusionModel:
    """The network of ``FusionModel.architecture`` anew: a template, or derived for ``strategy``."""
    options = {key: architecture[key] for key in ("dropout",)}
    return resnet(
        architecture["name"],
        architecture["num_classes"],
        clip_shape=tuple(architecture["clip_shape"]),
        strategy=strategy,
        gates=architecture["gates"] if strategy is None else None,
        **options,
    )


def architecture_of(model: keras.Model) -> dict[str, Any]:
    """The description, or a ValueError that says what was expected."""
    architecture = getattr(model, "architecture", None)
    if architecture is None:
        raise ValueError(
            f"{model.name!r} does not carry its architecture. Expected a model of "
            "vdroppath_tf.zoo, as built or loaded with keras.saving.load_model."
        )
    return architecture

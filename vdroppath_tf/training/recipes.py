"""The named recipes: the published runs, and one for small machines."""

from __future__ import annotations

from typing import Any

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.spaces.prior import SMALL_STRENGTH
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.recipe import Recipe


def _published(
    epochs: int, drops: tuple[int, ...], learning_rate: float, batch_size: int, **more: Any
) -> Recipe:
    """Returns a recipe with the paper's values (section 4.1, supplementary section 1)."""
    values: dict[str, Any] = {
        "network": "densenet121",
        "sampling": ClipSampling(frames=32, short_edge=256, crop=224, clips_per_video=2),
        "evaluation_crop": 256,
        "batch_size": batch_size,
        "warmup": Phase("warmup", 50, learning_rate, (40,)),
        "search": Phase("search", epochs, learning_rate, drops, gates=True),
        "finetune": _finetuning(learning_rate),
        "gate_learning_rate": learning_rate,
        "protocol": "paper-2clip",
        **more,
    }
    return Recipe(**values)


def _finetuning(learning_rate: float) -> Phase:
    """Returns our settings for fine-tuning: the paper gives none, and these are untested.

    The learning rates are those at the end of the search, a tenth of its first rate and less, so
    that trained weights change little; ten epochs each let batch norm and weights adapt to one
    strategy. Without the KL there is no prior, so the weights get the default decay of the authors'
    flag.
    """
    return Phase("finetune", 30, learning_rate / 10, (10, 20), weight_decay=5e-4)


_SCALES = ClipSampling(32, short_edge=(256, 288, 320), crop=224, flip=True, clips_per_video=2)

# the paper's runs on its DenseNet-121, by data set, with the names of zoo.DATASETS
PUBLISHED: dict[str, Recipe] = {
    "something-something-v1": _published(90, (40, 60, 80), 0.005, 32, weight_reg=250.0),
    "something-something-v2": _published(90, (40, 60, 80), 0.005, 32, weight_reg=50.0),
    "ucf101": _published(90, (40, 60, 80), 0.005, 32, weight_reg=50.0, sampling=_SCALES),
    "kinetics400": _published(110, (40, 80), 0.01, 64, weight_reg=10.0, sampling=_SCALES),
}

RECIPES: dict[str, Recipe] = {
    **PUBLISHED,
    # not published: the known-answer tasks and small real footage, on two CPU cores
    "small": Recipe(
        network="micro",
        sampling=ClipSampling(frames=8),
        batch_size=16,
        warmup=Phase("warmup", 4, 0.05, cosine=True),
        search=Phase("search", 16, 0.05, cosine=True, gates=True),
        finetune=Phase("finetune", 2, 0.01, cosine=True),
        gate_learning_rate=0.1,
        # for any N, since weight_reg / N alone would decide the gates on few videos; larger than a
        # template's default, since a path matters less in this small network (docs/train.md)
        prior_strength=SMALL_STRENGTH,
        finetune_dropout=0.0,
    ),
}

# N of Eq. 5 in the full run of each recipe, as published; for small: the quickstart's tasks
TRAINING_VIDEOS: dict[str, int] = {
    "something-something-v1": 86_017,
    "something-something-v2": 168_913,
    "ucf101": 9_500,
    "kinetics400": 240_000,
    "small": 512,
}

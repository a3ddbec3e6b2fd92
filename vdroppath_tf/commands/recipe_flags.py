"""Builds the recipe of a training from its name and the flags that change it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from absl import flags

from vdroppath_tf import training
from vdroppath_tf.commands.choices import RECIPES, SAMPLERS, SMALL
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.files import load_text
from vdroppath_tf.names import nearest

# flag -> its text in --help; without the flag, the recipe's value applies
_TEXTS = {
    "network": "name of a network, or a JSON file of a row from zoo.save_row",
    "kl": "form of the KL: 'code' or 'paper' (Eq. 5)",
    "noise": "gate noise for each 'sample', or for each 'batch'",
    "residual_gate": "'hard' (published), or 'relaxed': one more factor while gates train",
    "precision": "of the layers: float32, mixed_bfloat16 or mixed_float16; gates stay float32",
    "modality": "'rgb', or 'flow' for folders of optical flow",
}
_NUMBERS = {
    "prior_strength": "weight of (1-p) ||w||^2 in the KL, for any N; instead of --weight_reg",
    "weight_reg": "k, which the KL divides by N, the number of training videos",
    "gate_learning_rate": "learning rate of the gates",
    "initial_drop": "initial drop probability",
    "clip_norm": "largest norm of a step's gradient, over all weights",
    "ema": "decay of running averages of the weights, e.g. .999, which are validated and kept",
}
_WHOLE = {
    "batch_size": "clips per step, over all replicas",
    "accumulate": "number of parts of a batch that are computed one after another, to save memory",
    "patience": "epochs without a better val_loss after which a phase ends",
    "seed": "seed of weights, noise, order and augmentation",
}
_SAMPLING = {
    "frames": "frames per clip",
    "stride": "video frames from one frame of a clip to the next",
    "short_edge": "pixels of the shorter side after scaling",
    "crop": "side of the square crop in pixels",
}
_SAMPLING_SWITCHES = {
    "random_stride": "draw the stride from 1 to --stride in training",
    "flip": "mirror half of the clips in training",
    "square_pixels": "scale frames with non-square pixels to their display size",
    "flip_directional": "let --flip mirror clips whose labels have a direction",
}
_AUGMENT = {
    "mixup": "alpha of mixup, 0 for none",
    "cutmix": "alpha of cutmix, 0 for none",
    "label_smoothing": "share of labels spread over all classes",
}
# lists: flag -> its text in --help, and the type of its elements
_Lists: TypeAlias = dict[str, tuple[str, Callable[[str], Any]]]
_LISTS: _Lists = {
    "branches": ("paths of the fusion layers, of S,T,ST", str),
    "temporal_strides": ("temporal strides from the stem on, e.g. 2,2,2", int),
}
_SAMPLING_LISTS: _Lists = {
    "crop_scales": ("scales of the crop in training, e.g. 1,.875,.75,.66", float),
    "crop_area": ("smallest,largest share of the area to crop in training, e.g. .08,1", float),
    "crop_ratio": ("smallest,largest ratio of width to height of that crop, e.g. .75,1.333", float),
}
_AUGMENT_LISTS: _Lists = {
    "color_jitter": ("brightness,contrast,saturation,hue, e.g. .4,.4,.4,.1", float),
    "rand_augment": ("operations,magnitude of RandAugment, e.g. 2,9", float),
}
_ALL_LISTS = {**_LISTS, **_SAMPLING_LISTS, **_AUGMENT_LISTS}
_SWITCHES = {
    "drop_layer": "D1: also put gates on whole layers",
    "gate_classifier": "also put gates on the classifier's features",
    "remat": "recompute blocks for the gradient: less memory, more time",
    "temporal_pool": "halve the temporal resolution after the stem, as in the paper's Fig. 6",
}
_EPOCHS = ("warmup", "search", "finetune")


def define_recipe(values: flags.FlagValues, fitted: Mapping[str, str] | None = None) -> None:
    """Defines the flag for the recipe, and the flags that change it.

    Args:
        values: The flags of the command.
        fitted: What the command does instead of using the recipe's value as it is, by flag.
    """

    def held(name: str, text: str) -> str:
        """Returns the text of a flag, with the value that applies without it."""
        own = f"the recipe's, {SMALL.get(name, 'none')} in small"
        chosen = (fitted or {}).get(name)
        return f"{text} (default: {own}{f'; {chosen}' if chosen else ''})"

    text = f"one of {', '.join(RECIPES)}, or the recipe.json of a run"
    define_string(values, "recipe", text, "small")
    text = "set a field of the recipe by its dotted name, e.g. search.epochs=30; applied last"
    flags.DEFINE_multi_string("set", [], text, flag_values=values)
    for name, text in _TEXTS.items():
        define_string(values, name, held(name, text))
    text = held("sampler", "how frames are chosen")
    flags.DEFINE_enum("sampler", None, SAMPLERS, text, flag_values=values)
    for name, text in {**_NUMBERS, **_AUGMENT}.items():
        flags.DEFINE_float(name, None, held(name, text), flag_values=values)
    text = "frames per second at which videos are sampled, whatever their rates; needed if these"
    flags.DEFINE_float("fps", None, held("fps", f"{text} differ"), flag_values=values)
    for name, text in {**_WHOLE, **_SAMPLING}.items():
        flags.DEFINE_integer(name, None, held(name, text), flag_values=values)
    for name, (text, _) in _ALL_LISTS.items():
        flags.DEFINE_list(name, None, held(name, text), flag_values=values)
    for phase in _EPOCHS:
        name = f"{phase}_epochs"
        flags.DEFINE_integer(name, None, held(name, f"epochs of {phase}"), flag_values=values)
    text = held("learning_rate", "learning rate of warmup and search")
    flags.DEFINE_float("learning_rate", None, text, flag_values=values)
    for name, text in {**_SWITCHES, **_SAMPLING_SWITCHES}.items():
        flags.DEFINE_boolean(name, None, text, flag_values=values)


def recipe_of_flags(values: flags.FlagValues) -> training.Recipe:
    """Returns the named recipe, changed by the flags.

    Raises:
        ValueError: If there is no such recipe, or a value is out of range.
    """
    recipe = named_recipe(values.recipe)
    changes = _given(values, *_TEXTS, *_NUMBERS, *_WHOLE, *_SWITCHES)
    changes |= _lists(values, _LISTS)
    if "network" in changes:
        changes |= _network(changes["network"])
    sampling = _given(values, "sampler", "fps", *_SAMPLING, *_SAMPLING_SWITCHES)
    sampling |= _lists(values, _SAMPLING_LISTS)
    changes["sampling"] = dataclasses.replace(recipe.sampling, **sampling)
    augment = _given(values, *_AUGMENT) | _lists(values, _AUGMENT_LISTS)
    changes["augment"] = dataclasses.replace(recipe.augment, **augment)
    if {"crop", "short_edge"} & set(sampling):
        changes["evaluation_crop"] = None  # the recipe's value fits only its own sizes
    for name in _EPOCHS:
        changes[name] = _phase(values, recipe, name)
    return training.override(recipe.replace(**changes), values["set"].value)


def named_recipe(name: str) -> training.Recipe:
    """Returns the recipe of this name, or reads it from a file that ends in ``.json``.

    Raises:
        ValueError: If there is none.
    """
    if name.endswith(".json"):
        if not os.path.lexists(name):
            raise ValueError(
                f"--recipe={name}: there is no such file. Expected one of {', '.join(RECIPES)}, or "
                "the recipe.json of a run. A dry run writes none: give its flags instead."
            )
        return load_text(name, training.Recipe.from_json)
    if name not in training.RECIPES:
        raise ValueError(
            f"--recipe: there is no recipe {name!r}. {nearest(name, training.RECIPES)}"
            f"Expected one of {', '.join(RECIPES)}, or a recipe.json."
        )
    return training.RECIPES[name]


def _network(text: str) -> dict[str, Any]:
    """Returns the fields for a network's name, or for the file of a row."""
    if not text.endswith(".json"):
        return {"network": text, "row": None}
    from vdroppath_tf.zoo.rows import load_row, values_of  # TensorFlow, not needed for --help

    row = load_row(text)
    return {"network": row.name, "row": values_of(row)}


def _phase(values: flags.FlagValues, recipe: training.Recipe, name: str) -> Any:
    phase, epochs = getattr(recipe, name), getattr(values, f"{name}_epochs")
    given = {} if epochs is None else {"epochs": epochs}
    if values.learning_rate is not None and name != "finetune":
        given["learning_rate"] = values.learning_rate
    if phase is None and given:
        raise ValueError(f"--{name}_epochs: the recipe {values.recipe!r} has no phase {name}.")
    return phase if phase is None else dataclasses.replace(phase, **given)


def _lists(values: flags.FlagValues, lists: _Lists) -> dict[str, tuple[Any, ...]]:
    return {name: _read_list(name, given) for name, given in _given(values, *lists).items()}


def _read_list(name: str, given: list[str]) -> tuple[Any, ...]:
    text, read = _ALL_LISTS[name]
    try:
        return tuple(read(element) for element in given)
    except ValueError:
        raise ValueError(f"--{name}={','.join(given)}: expected {text}.") from None


def _given(values: flags.FlagValues, *names: str) -> dict[str, Any]:
    return {name: getattr(values, name) for name in names if getattr(values, name) is not None}

"""What the sub-commands of ``vdroppath`` do: flags in, library calls, files out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import flags, logging
from tqdm import tqdm

from .analysis.evaluate import evaluate_strategies, recalibrate
from .data.catalog import Manifest, open_manifest
from .data.pipeline import evaluation_clips, training_clips
from .data.transforms import ClipSampling
from .derive import derive as derive_network
from .export import export_saved_model
from .files import read_json, write_text
from .quickstart import run_quickstart
from .serving import ServedModel, write_sampling
from .space import ProbabilitySpace
from .strategy import FusionStrategy
from .training import RECIPES, Clips, Recipe, build_derived, build_template
from .training import train as run_training

Flags = flags.FlagValues
SCORES_FORMAT = "vdroppath_tf.scores/1"
RECIPE_FILE = "recipe.json"  # beside every model that train writes


def _string(
    values: Flags, name: str, text: str, default: Any = None, *, needed: bool = False
) -> None:
    flags.DEFINE_string(name, default, text, flag_values=values)
    if needed:
        flags.mark_flag_as_required(name, flag_values=values)


def _labels(path: str | None) -> list[str] | None:
    return None if path is None else Path(path).read_text(encoding="utf-8").splitlines()


def _manifest(values: Flags, name: str) -> Manifest | None:
    """The videos that a flag names; a labels.txt beside a list names the classes."""
    source = getattr(values, name)
    if source is None:
        return None
    beside = Path(source).with_name("labels.txt")
    named = Path(source).is_file() and beside.is_file()
    return open_manifest(source, labels=_labels(str(beside)) if named else None)


def _recipe_of(model_path: str) -> Recipe:
    path = Path(model_path).with_name(RECIPE_FILE)
    if not path.is_file():
        raise ValueError(
            f"{path} is missing: it says how clips are made for {model_path}. vdroppath train writes it."
        )
    return Recipe.from_json(path.read_text())


def _load(path: str) -> keras.Model:
    if not Path(path).is_file():
        raise ValueError(f"There is no model {path}. Expected a .keras file that vdroppath wrote.")
    return keras.saving.load_model(path)


def _save(model: keras.Model, path: Path, recipe: Recipe) -> None:
    """Writes a model whole or not at all, and its recipe beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial.{path.name}")
    model.save(partial)
    partial.replace(path)
    write_text(path.with_name(RECIPE_FILE), recipe.to_json() + "\n")
    logging.info("Wrote %s", path)


def define_quickstart(values: Flags) -> None:
    _string(values, "out", "folder for clips, runs and the report", "quickstart")
    flags.DEFINE_integer("seed", 0, "of clips, weights and noise", flag_values=values)


def quickstart(values: Flags, _: Sequence[str]) -> None:
    """Motion and appearance through the whole loop, and a report."""
    run_quickstart(Path(values.out), seed=values.seed, say=logging.info)


# flag of train -> field of the recipe; each is left out where the recipe's value is to hold
_OVERRIDES: dict[str, str] = {
    "network": "row of the zoo",
    "kl": "'code' or 'paper' (Eq. 5)",
    "noise": "'sample' or 'batch'",
}
_NUMBERS: dict[str, str] = {
    "weight_reg": "k, strength of the KL's weight term",
    "gate_learning_rate": "of the gates",
    "initial_drop": "starting drop probability",
}
_WHOLE: dict[str, str] = {"batch_size": "clips a step, over all replicas", "seed": "of everything"}
_SAMPLING: dict[str, str] = {
    "frames": "frames a clip",
    "stride": "video frames from one frame of a clip to the next",
    "short_edge": "pixels of the shorter side after scaling",
    "crop": "pixels of the square cut out",
}


def define_train(values: Flags) -> None:
    _string(values, "data", "training videos: list file or class folders", needed=True)
    _string(values, "validation", "validation videos: list file or class folders")
    _string(values, "out", "folder for checkpoints, logs, model, space and recipe", needed=True)
    _string(values, "recipe", f"one of {', '.join(RECIPES)}", "small")
    _string(values, "strategy", "train this strategy's network on its own, e.g. 'S ST ...'")
    for name, text in _OVERRIDES.items():
        _string(values, name, f"{text} (default: the recipe's)")
    for name, text in _NUMBERS.items():
        flags.DEFINE_float(name, None, f"{text} (default: the recipe's)", flag_values=values)
    for name, text in {**_WHOLE, **_SAMPLING}.items():
        flags.DEFINE_integer(name, None, f"{text} (default: the recipe's)", flag_values=values)
    for phase in ("warmup", "search"):
        text = f"epochs of {phase} (default: the recipe's)"
        flags.DEFINE_integer(f"{phase}_epochs", None, text, flag_values=values)
    text = "learning rate of warmup and search (default: the recipe's)"
    flags.DEFINE_float("learning_rate", None, text, flag_values=values)
    flags.DEFINE_boolean("flip", None, "mirror half of the clips in training", flag_values=values)
    flags.DEFINE_boolean("drop_layer", None, "D1: gates on whole layers too", flag_values=values)
    flags.DEFINE_boolean(
        "mirrored", False, "train on all GPUs (MirroredStrategy)", flag_values=values
    )


def _recipe(values: Flags) -> Recipe:
    """The named recipe with the flags that were given."""
    if values.recipe not in RECIPES:
        raise ValueError(
            f"There is no recipe {values.recipe!r}. Expected one of {', '.join(RECIPES)}."
        )
    recipe = RECIPES[values.recipe]
    names = (*_OVERRIDES, *_NUMBERS, *_WHOLE, "drop_layer")
    changes = {name: getattr(values, name) for name in names if getattr(values, name) is not None}
    names = (*_SAMPLING, "flip")
    clips = {name: getattr(values, name) for name in names if getattr(values, name) is not None}
    changes["sampling"] = dataclasses.replace(recipe.sampling, **clips)
    for name in ("warmup", "search"):
        epochs, rate = getattr(values, f"{name}_epochs"), values.learning_rate
        given = {"epochs": epochs, "learning_rate": rate}
        given = {key: value for key, value in given.items() if value is not None}
        changes[name] = dataclasses.replace(getattr(recipe, name), **given)
    return recipe.replace(**changes)


def train(values: Flags, _: Sequence[str]) -> None:
    """A template, or one strategy's network, from videos to a model file."""
    recipe, out = _recipe(values), Path(values.out)
    videos = _manifest(values, "data")
    assert videos is not None
    clips = Clips(videos, _manifest(values, "validation"))
    devices = tf.distribute.MirroredStrategy() if values.mirrored else tf.distribute.get_strategy()
    with devices.scope():
        if values.strategy is None:
            model, phases = build_template(recipe, clips), recipe.template_phases()
        else:
            model = build_derived(recipe, clips, values.strategy)
            phases = recipe.alone_phases()
    logging.info("%s: %d videos of %d classes", model.name, len(videos), videos.num_classes)
    history = run_training(model, phases, recipe, clips, folder=out, verbose=1)
    write_text(out / "history.json", json.dumps(history, indent=1) + "\n")
    if values.strategy is not None:
        _save(model, out / "network.keras", recipe)
        return
    _save(model, out / "template.keras", recipe)
    ProbabilitySpace.from_model(model).save(out / "space.json")
    logging.info("Wrote %s", out / "space.json")


def define_space(values: Flags) -> None:
    _string(values, "model", "a trained template, .keras", needed=True)
    _string(values, "out", "JSON file to write the space to")


def space(values: Flags, _: Sequence[str]) -> None:
    """The space as a table: marginals of both forms, entropy, distance from the start."""
    found = ProbabilitySpace.from_model(_load(values.model))
    paper, sampling = found.marginals(), found.marginals(form="sampling")
    units = list(paper)
    entropy, distance = found.entropy(), found.distance_from_start()
    width = max(len(name) for name in found.layers)
    head = " ".join(f"{unit:>6s}" for unit in units)
    print(f"{'':{width}s}  Eq. 7: {head}   sampling: {head}   entropy  from start")
    for i, name in enumerate(found.layers):
        one = " ".join(f"{paper[unit][i]:6.3f}" for unit in units)
        two = " ".join(f"{sampling[unit][i]:6.3f}" for unit in units)
        print(
            f"{name:{width}s}         {one}             {two}   {entropy[i]:7.3f}  {distance[i]:10.3f}"
        )
    print(f"mode: {found.mode()}")
    if values.out:
        found.save(values.out)
        logging.info("Wrote %s", values.out)


def define_evaluate(values: Flags) -> None:
    _string(values, "model", "a trained template, .keras", needed=True)
    _string(values, "data", "validation videos: list file or class folders", needed=True)
    _string(values, "train_data", "training videos, for batch-norm recalibration (recommended)")
    _string(values, "out", "JSON file to write the scores to")
    text = "a strategy, e.g. 'S ST ...'; may be repeated; default: draws"
    flags.DEFINE_multi_string("strategy", [], text, flag_values=values)
    text = "strategies drawn from the space, beside its mode"
    flags.DEFINE_integer("draws", 100, text, lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "of the draws", flag_values=values)


def evaluate(values: Flags, _: Sequence[str]) -> None:
    """A table of strategies, best first."""
    model, recipe = _load(values.model), _recipe_of(values.model)
    name = model.architecture["name"]
    strategies = [FusionStrategy.parse(text, name) for text in values.strategy]
    if not strategies:
        found = ProbabilitySpace.from_model(model)
        drawn = [found.mode(), *found.sample(values.draws, seed=values.seed)]
        strategies = list(dict.fromkeys(drawn))
    videos, train_videos = _manifest(values, "data"), _manifest(values, "train_data")
    assert videos is not None
    clips = evaluation_clips(videos, recipe.sampling, batch_size=recipe.batch_size)
    with tqdm(unit=" passes", desc=f"{len(strategies)} strategies") as bar:
        scores = evaluate_strategies(
            model,
            strategies,
            clips,
            train_clips=_training(train_videos, recipe),
            on_strategy=lambda: bar.update(1),
        )
    ranked = sorted(scores, key=lambda score: -score.top1)
    for score in ranked:
        print(
            f"{score.top1:.4f} +- {score.standard_error:.4f}  top-5 {score.top5:.4f}  {score.strategy}"
        )
    if values.out:
        rows = [{**score.__dict__, "strategy": str(score.strategy)} for score in ranked]
        fields = {"format": SCORES_FORMAT, "architecture": name, "scores": rows}
        write_text(values.out, json.dumps(fields, indent=1) + "\n")
        logging.info("Wrote %s", values.out)


def _training(videos: Manifest | None, recipe: Recipe) -> Any:
    if videos is None:
        return None
    batch = min(recipe.batch_size, len(videos))
    return training_clips(videos, recipe.sampling, batch_size=batch, seed=recipe.seed)


def define_derive(values: Flags) -> None:
    _string(values, "model", "a trained template, .keras", needed=True)
    _string(values, "strategy", "the strategy, e.g. 'S ST ...'; default: the best of --scores")
    _string(values, "scores", "JSON file of vdroppath evaluate; default: the mode of the space")
    _string(values, "train_data", "training videos, for batch norm and fine-tuning")
    text = "train the derived network on, as the recipe says (needs --train_data)"
    flags.DEFINE_boolean("finetune", False, text, flag_values=values)
    _string(values, "out", "the derived network, .keras", needed=True)


def _chosen(values: Flags, model: keras.Model) -> FusionStrategy:
    name = model.architecture["name"]
    if values.strategy is not None:
        return FusionStrategy.parse(values.strategy, name)
    if values.scores is None:
        return ProbabilitySpace.from_model(model).mode()
    fields = read_json(Path(values.scores).read_text(), SCORES_FORMAT, ["architecture", "scores"])
    return FusionStrategy.parse(fields["scores"][0]["strategy"], fields["architecture"])


def derive(values: Flags, _: Sequence[str]) -> None:
    """A template and a strategy to a network."""
    model, recipe = _load(values.model), _recipe_of(values.model)
    if values.finetune and (values.train_data is None or recipe.finetune is None):
        raise ValueError("--finetune needs --train_data, and a recipe with a finetune phase.")
    dropout = recipe.finetune_dropout if values.finetune else None
    network = derive_network(model, _chosen(values, model), dropout=dropout)
    logging.info("Strategy: %s", network.architecture["strategy"])
    videos = _manifest(values, "train_data")
    if videos is not None:
        recalibrate(network, _training(videos, recipe))
    if values.finetune and videos is not None and recipe.finetune is not None:
        folder = Path(values.out).with_suffix(".run")
        phases = (recipe.finetune,)
        run_training(network, phases, recipe, Clips(videos), folder=folder, verbose=1)
    _save(network, Path(values.out), recipe)


def define_export(values: Flags) -> None:
    _string(values, "model", "a derived network, .keras", needed=True)
    _string(values, "labels", "text file, one class a line")
    _string(values, "out", "folder to write, such as served/1", needed=True)
    flags.DEFINE_boolean("overwrite", False, "replace what is there", flag_values=values)


def export(values: Flags, _: Sequence[str]) -> None:
    """A network to a SavedModel."""
    network, recipe = _load(values.model), _recipe_of(values.model)
    labels = _labels(values.labels)
    path = export_saved_model(network, values.out, labels=labels, overwrite=values.overwrite)
    sampling: ClipSampling = recipe.sampling
    if isinstance(sampling.short_edge, tuple):
        sampling = dataclasses.replace(sampling, short_edge=min(sampling.short_edge))
    write_sampling(path, sampling)
    logging.info("Wrote %s", path)


def define_predict(values: Flags) -> None:
    _string(values, "model", "a SavedModel that vdroppath export wrote", needed=True)
    flags.DEFINE_integer("top", 3, "classes to show", lower_bound=1, flag_values=values)
    flags.DEFINE_boolean("json", False, "one JSON object a video", flag_values=values)


def predict(values: Flags, videos: Sequence[str]) -> None:
    """Answers for video files."""
    if not videos:
        raise ValueError("Name at least one video file.")
    for answer in ServedModel(values.model).predict(videos):
        if values.json:
            print(json.dumps(dataclasses.asdict(answer)))
            continue
        shown = list(answer.probabilities.items())[: values.top]
        print(f"{answer.file}: " + ", ".join(f"{name} {p:.3f}" for name, p in shown))

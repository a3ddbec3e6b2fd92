"""Renders the cards of the recipes: their values, commands, the paper's numbers and the cost.

`write_zoo_records.py` writes the cards. Every number comes from the recipe, from `cost.complexity`,
or from the tables below, which are the paper's.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from vdroppath_tf.cost import UnitCosts, complexity, unit_costs
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.training import RECIPES, TRAINING_VIDEOS, Phase, Recipe
from vdroppath_tf.training.summary import describe_prior
from vdroppath_tf.zoo import DATASETS, get_model, published_strategy, published_top1

RUNS = Path(__file__).parent.parent / "zoo" / "runs"
DRAWS = 100  # section 4.1: the best of 100 draws


class Videos(NamedTuple):
    """A data set: its name, the numbers of classes and validation videos, the initial weights.

    The number of training videos is in `TRAINING_VIDEOS`.
    """

    name: str
    classes: int
    validation: int
    start: str


VIDEOS = {
    "something-something-v1": Videos("Something-Something V1", 174, 11_500, "ImageNet weights"),
    "something-something-v2": Videos("Something-Something V2", 174, 25_000, "ImageNet weights"),
    "ucf101": Videos("UCF101", 101, 3_800, "ImageNet weights"),
    "kinetics400": Videos("Kinetics-400", 400, 20_000, "random weights"),
    "small": Videos("a known-answer task of the quickstart", 4, 256, ""),
}
SMALL_CLIP = (8, 32, 32)  # shape of the quickstart's videos, which `small` reads unchanged

# data set -> (network, source, top-1 of S, ST, S+ST, best strategy), in addition to DenseNet-121
BACKBONES: dict[str, tuple[tuple[str, str, tuple[float, ...]], ...]] = {
    "something-something-v1": (
        ("resnet50", "Table 6, clip level", (33.8, 40.1, 38.9, 41.2)),
        ("resnext50", "Table 6, clip level", (35.2, 42.1, 40.7, 43.6)),
        ("resnext101", "Table 6, clip level", (36.6, 42.7, 42.3, 44.0)),
    ),
    "something-something-v2": (
        ("mobilenet_v2", "supplementary section 3", (52.9, 59.3, 59.7, 59.5)),
    ),
}

IN_STEP = ", with k (`weight_reg`) in proportion to N"
CARD = Path(__file__).with_name("recipe_card.md")  # `card` fills its fields

PUBLISHED_ABOUT = """The paper's training on {dataset} (Zhou et al., CVPR 2020, section 4.1 and
section 1 of the supplementary material), with the paper's values. Those of the fine-tuning are
ours, because the paper gives none. The paper's network starts from {start}. The commands below
start from random weights, unless you inflate the template first (docs/inflate.md)."""
SMALL_ABOUT = """This recipe is ours and was not published. It is meant for known-answer tasks and
for small collections of videos on two CPU cores. The numbers of videos are those of the quickstart,
and its clips are read unchanged."""

EXPECTED = """The paper's top-1 in percent; not measured here. The best strategy is the best of
{draws} draws, chosen on the same validation videos on which it is reported. The networks with S, ST
or S+ST in every layer were trained stand-alone (`vdroppath train --strategy=...`).

| network | from | S | ST | S+ST | best strategy |
| --- | --- | --- | --- | --- | --- |
{rows}"""
SMALL_EXPECTED = """`make quickstart` runs the recipe in full size on the known-answer tasks. The
results are in `docs/measured.md`."""

# field of the card -> (text for a published recipe, text for one of ours)
TEXTS = {
    "about": (PUBLISHED_ABOUT, SMALL_ABOUT),
    "sizes": (", as the paper rounds them", ""),
    "weight_decay": (
        "The paper gives no weight decay; the values here are this package's. It is 0 while the\n"
        "gates learn, because the KL term already contains the prior on the weights.",
        "There is no weight decay while the gates learn, because the KL term already contains the\n"
        "prior on the weights.",
    ),
    "full_size": (
        "The recipe was not run in full size, because the machine here is too small for it.",
        "`make quickstart` runs the recipe in full size.",
    ),
    "tested": (
        ", as in\nthe paper: the mean softmax over 2 clips spread over the video, centre crop",
        "",
    ),
}


def card(name: str) -> str:
    """Returns the card of one recipe as Markdown."""
    recipe, videos = RECIPES[name], VIDEOS[name]
    published = name in DATASETS
    texts = {key: paper if published else own for key, (paper, own) in TEXTS.items()}
    texts["about"] = texts["about"].format(dataset=videos.name, start=videos.start)
    return CARD.read_text(encoding="utf-8").format(
        recipe=name,
        **texts,
        dataset=videos.name,
        train=TRAINING_VIDEOS[name],
        validation=videos.validation,
        classes=videos.classes,
        network=recipe.network,
        branches=", ".join(recipe.branches),
        training_clips=_clips(recipe.sampling) + ", mirrored or not" * recipe.sampling.flip,
        evaluation_clips=_clips(recipe.evaluation),
        batch=recipe.batch_size,
        momentum=recipe.momentum,
        prior=describe_prior(recipe, TRAINING_VIDEOS[name]),
        in_step=IN_STEP * (recipe.weight_reg is not None),
        gate_rate=recipe.gate_learning_rate,
        initial=recipe.initial_drop,
        dropout=recipe.finetune_dropout,
        phases=_rows(_phase(phase, published) for phase in _phases(recipe)),
        draws=DRAWS,
        clips=recipe.evaluation.clips_per_video,
        protocol=recipe.protocol,
        expected=_expected(name) if published else SMALL_EXPECTED,
        train_shape="x".join(map(str, _shape(recipe.sampling))),
        evaluation_shape="x".join(map(str, _shape(recipe.evaluation))),
        cost=_rows(_cost(name, recipe, videos)),
        printed=(RUNS / f"{name}.txt").read_text(encoding="utf-8").rstrip(),
    )


def _rows(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _clips(sampling: ClipSampling) -> str:
    edge = sampling.short_edge
    edges = " or ".join(map(str, edge)) if isinstance(edge, tuple) else edge
    size = f"short edge {edges}, crop {sampling.crop}"
    if sampling.crop is None:
        size = "frames as in the file"
    return f"{sampling.frames} frames, stride {sampling.stride}, {size}"


def _shape(sampling: ClipSampling) -> tuple[int, int, int]:
    if sampling.crop is None:
        return SMALL_CLIP
    return (sampling.frames, *sampling.crop_size)


def _phases(recipe: Recipe) -> tuple[Phase, ...]:
    return (*recipe.template_phases(), *((recipe.finetune,) if recipe.finetune else ()))


def _phase(phase: Phase, published: bool) -> tuple[str, ...]:
    fall = f", a tenth after {', '.join(map(str, phase.drops))}" if phase.drops else ""
    rate = f"{phase.learning_rate:g}{', cosine' if phase.cosine else fall}"
    gates = "learn" if phase.gates else "none" if phase.name == "finetune" else "all on"
    origin = "the paper's" if published and phase.name != "finetune" else "ours"
    return phase.name, str(phase.epochs), rate, gates, f"{phase.weight_decay:g}", origin


def _expected(name: str) -> str:
    table2 = (RECIPES[name].network, "Table 2", tuple(published_top1(name).values()))
    rows = (
        (f"`{network}`", origin, *(f"{top1:.1f}" for top1 in found))
        for network, origin, found in (table2, *BACKBONES.get(name, ()))
    )
    return EXPECTED.format(draws=DRAWS, rows=_rows(rows))


@cache
def _template(network: str) -> Any:
    """Returns a template network; its classes hardly affect the cost (one weight per feature)."""
    return get_model(f"template_{network}", 174)


@cache
def _macs(network: str, shape: tuple[int, int, int]) -> int:
    return complexity(_template(network), shape).macs


@cache
def _unit_costs(network: str, shape: tuple[int, int, int]) -> UnitCosts:
    return unit_costs(_template(network), shape)


def _cost(name: str, recipe: Recipe, videos: Videos) -> Iterable[tuple[str, ...]]:
    """Yields a row each for training the template, for scoring, and for fine-tuning."""
    n, shape = TRAINING_VIDEOS[name], _shape(recipe.sampling)
    epochs = recipe.warmup.epochs + recipe.search.epochs
    template = _macs(recipe.network, shape)
    yield _product(f"{epochs} epochs of the template", template, n * epochs)
    scored = _macs(recipe.network, _shape(recipe.evaluation))
    yield _product(f"scores of {DRAWS} draws and the mode", scored, videos.validation * (DRAWS + 1))
    if recipe.finetune is None:
        return
    tuned, of = template, "S+ST everywhere, at most"
    if name in DATASETS:
        _, tuned = _unit_costs(recipe.network, shape).of(published_strategy(name))
        of = "the paper's best strategy"
    yield _product(
        f"{recipe.finetune.epochs} epochs of fine-tuning, {of}", tuned, n * recipe.finetune.epochs
    )


def _product(what: str, macs: int, clips: int) -> tuple[str, ...]:
    return what, _short(macs), _short(clips), _short(macs * clips)


def _short(number: float) -> str:
    """Returns a number as text with four digits and a unit, such as 247.1 G."""
    units = {"E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}
    unit = next(unit for unit, size in units.items() if number >= size)
    return f"{number / units[unit]:.4g} {unit}"

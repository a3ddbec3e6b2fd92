"""Recipes: published values, JSON both ways, and what they refuse."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.spaces.prior import PRIOR_STRENGTH
from vdroppath_tf.training import PUBLISHED, RECIPES, Phase, Recipe, few_steps, summary
from vdroppath_tf.zoo import DATASETS

# no value is a default, or the round trip could lose it unseen
ODD = Recipe(
    network="resnet50",
    sampling=ClipSampling(5, 3, True, (20, 30), (16, 18), True, 4, "dense", (1.0, 0.5), True, 1),
    batch_size=7,
    warmup=Phase("first", 3, 0.3, (1, 2), cosine=True, weight_decay=0.1),
    search=Phase("second", 4, 0.4, (3,), gates=True),
    finetune=Phase("third", 5, 0.5, weight_decay=0.2),
    branches=("S", "T", "ST"),
    temporal_strides=(2, 1),
    temporal_pool=True,
    gate_learning_rate=0.6,
    weight_reg=2.5,
    kl="paper",
    noise="batch",
    initial_drop=0.3,
    drop_layer=True,
    residual_gate="relaxed",
    gate_classifier=True,
    momentum=0.8,
    finetune_dropout=0.25,
    seed=11,
    evaluation_crop=20,
    augment=Augmentation((0.1, 0.2, 0.3, 0.4), (2, 9), 0.5, 0.6, 0.7),
    protocol="10x3",
    modality="flow",
    row={"family": "densenet", "row": {"name": "mine", "stem": 8, "growth": 4, "blocks": [2, 2]}},
    precision="mixed_bfloat16",
    accumulate=7,
    clip_norm=0.2,
    ema=0.9,
    patience=2,
    remat=True,
)


@pytest.mark.parametrize("recipe", [ODD, *RECIPES.values()], ids=["odd", *RECIPES])
def test_json_both_ways(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_recipe_from_before_augmentation_has_none() -> None:
    fields = json.loads(ODD.to_json())
    del fields["augment"]
    assert Recipe.from_json(json.dumps(fields)) == ODD.replace(augment=Augmentation())


def test_a_recipe_from_before_the_choice_has_the_relaxed_residual_gate() -> None:
    """Its run goes on by name: it describes itself as it did then."""
    text = ODD.replace(residual_gate="relaxed").to_json()
    assert "residual_gate" not in text
    assert Recipe.from_json(text).residual_gate == "relaxed"
    assert '"residual_gate": "hard"' in ODD.replace(residual_gate="hard").to_json()


def test_the_round_trip_is_of_every_field() -> None:
    usual = Recipe("micro", ClipSampling(2), 1, Phase("warmup", 0, 1.0), Phase("search", 1, 1.0))
    same = [
        f.name for f in dataclasses.fields(Recipe) if getattr(ODD, f.name) == getattr(usual, f.name)
    ]
    assert same == []


@pytest.mark.parametrize(
    ("name", "weight_reg", "epochs", "drops", "rate", "batch"),
    [
        ("something-something-v1", 250, 90, (40, 60, 80), 0.005, 32),
        ("something-something-v2", 50, 90, (40, 60, 80), 0.005, 32),
        ("ucf101", 50, 90, (40, 60, 80), 0.005, 32),
        ("kinetics400", 10, 110, (40, 80), 0.01, 64),
    ],
)
def test_published_values(
    name: str, weight_reg: float, epochs: int, drops: tuple[int, ...], rate: float, batch: int
) -> None:
    """Section 4.1 of the paper and section 1 of its supplementary material."""
    recipe = RECIPES[name]
    assert (recipe.weight_reg, recipe.kl, recipe.initial_drop) == (weight_reg, "code", 0.1)
    assert recipe.residual_gate == "hard"  # the published arithmetic
    assert (recipe.warmup.epochs, recipe.warmup.gates) == (50, False)
    assert (recipe.search.epochs, recipe.search.drops) == (epochs, drops)
    assert recipe.search.gates
    assert recipe.search.weight_decay == 0
    assert (recipe.search.learning_rate, recipe.batch_size) == (rate, batch)
    assert recipe.momentum == 0.9
    assert recipe.sampling.frames == 32
    assert recipe.sampling.flip == (not name.startswith("something"))  # directions are labels there
    evaluation = recipe.evaluation
    assert (evaluation.short_edge, evaluation.crop, evaluation.clips_per_video) == (256, 256, 2)
    assert recipe.sampling.crop == 224
    assert recipe.protocol == "paper-2clip"


def test_evaluation_takes_the_smallest_edge_and_its_own_crop() -> None:
    assert ODD.evaluation == dataclasses.replace(ODD.sampling, short_edge=20, crop=20)
    plain = ODD.replace(sampling=ClipSampling(5), evaluation_crop=None)
    assert plain.evaluation == plain.sampling


def test_gate_options_are_those_of_the_layer() -> None:
    options = ODD.gate_options
    assert options.pop("gate_classifier") is True
    assert (options["weight_reg"], options["kl"], options["noise"]) == (2.5, "paper", "batch")
    layer = VariationalDropPath(2, **options)
    assert {name: getattr(layer, name) for name in options} == options


def test_the_two_strengths_take_each_others_place() -> None:
    small, published = RECIPES["small"], RECIPES["ucf101"]
    assert (small.weight_reg, small.prior_strength) == (None, 0.02)
    assert (published.weight_reg, published.prior_strength) == (50.0, None)
    k = small.replace(weight_reg=3.0)
    assert (k.weight_reg, k.prior_strength) == (3.0, None)
    strength = published.replace(prior_strength=0.0)
    assert (strength.weight_reg, strength.prior_strength) == (None, 0.0)
    with pytest.raises(ValueError, match=r"weight_reg=1\.0 and prior_strength=2\.0"):
        small.replace(weight_reg=1.0, prior_strength=2.0)


def test_a_recipe_that_is_told_neither_has_the_default_of_templates() -> None:
    usual = Recipe("micro", ClipSampling(2), 1, Phase("warmup", 0, 1.0), Phase("search", 1, 1.0))
    assert (usual.weight_reg, usual.prior_strength) == (None, PRIOR_STRENGTH)


def test_a_recipe_of_an_older_version_keeps_its_weight_reg() -> None:
    """And is written as it was, so that its run goes on."""
    text = RECIPES["small"].replace(weight_reg=10.0).to_json()
    assert "prior_strength" not in json.loads(text)
    assert Recipe.from_json(text).weight_reg == 10.0
    assert Recipe.from_json(text).to_json() == text


def test_few_videos_are_few_steps() -> None:
    """Epochs are what a recipe counts; the published ones stay as published."""
    small = RECIPES["small"]
    assert few_steps(small, "small", 48) == (
        "48 videos make 60 steps; the recipe 'small' was designed for 640. --warmup_epochs=43 "
        "--search_epochs=171 would give as many."
    )
    assert few_steps(small, "small", 256) is None  # half as many
    longer = small.replace(search=dataclasses.replace(small.search, epochs=100))
    assert few_steps(longer, "small", 48) is None  # somebody chose these
    assert few_steps(RECIPES["ucf101"], "ucf101", 48) is None


def test_published_runs_are_of_the_papers_network_and_data() -> None:
    assert tuple(PUBLISHED) == DATASETS
    assert PUBLISHED.items() <= RECIPES.items()
    for recipe in PUBLISHED.values():
        assert recipe.network == "densenet121"
        usual = {"branches": ("S", "ST"), "temporal_strides": None, "temporal_pool": False}
        assert recipe.network_options == {**usual, "channels": 3}
        assert not recipe.gate_classifier  # the authors' code has it, the paper does not


@pytest.mark.parametrize("recipe", PUBLISHED.values(), ids=PUBLISHED)
def test_fine_tuning_is_ours(recipe: Recipe) -> None:
    """No value is the paper's: a change of one is a change of the cards."""
    phase = recipe.finetune
    assert phase is not None
    assert (phase.epochs, phase.drops, phase.gates) == (30, (10, 20), False)
    assert phase.learning_rate == pytest.approx(recipe.search.learning_rate / 10)
    assert (phase.weight_decay, recipe.finetune_dropout) == (5e-4, 0.5)


def test_phases() -> None:
    assert ODD.template_phases() == (ODD.warmup, ODD.search)
    no_warmup = ODD.replace(warmup=dataclasses.replace(ODD.warmup, epochs=0))
    assert no_warmup.template_phases() == (ODD.search,)
    (alone,) = ODD.stand_alone_phases()
    assert (alone.epochs, alone.drops, alone.gates) == (7, (6,), False)
    assert alone.learning_rate == ODD.search.learning_rate


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": -1}, "epochs must be a whole number from 0"),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be a number above 0"),
        ({"drops": (3, 2)}, r"rise.*\(3, 2\)"),
        ({"gates": True, "weight_decay": 1e-4}, "weight_decay must be 0 while gates learn"),
    ],
)
def test_bad_phases(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Phase(**{"name": "search", "epochs": 1, "learning_rate": 0.1, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 1,000,000. Received: 0"),
        ({"gate_learning_rate": -0.1}, "gate_learning_rate must be a number from 0"),
        ({"momentum": 1.0}, "momentum"),
        ({"finetune_dropout": 1.0}, "finetune_dropout"),
        ({"protocol": "paper-3clip"}, "Unknown protocol. Did you mean 'paper-2clip'"),
        ({"evaluation_crop": 31}, "crop 31 is larger than short_edge 20"),
    ],
)
def test_bad_recipes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ODD.replace(**changes)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"short_edge": None, "crop": None}, "size as in the videos"),
        ({"short_edge": 20, "crop": None}, "size of short edge 20"),
        ({"short_edge": 20, "crop": (16, 18)}, "size 16x18"),
    ],
)
def test_the_size_of_clips_in_words(changes: dict[str, Any], size: str) -> None:
    sampling = ClipSampling(5, 3, **changes)
    told = summary(ODD.replace(sampling=sampling, evaluation_crop=None))
    assert told["clips"] == f"5 frames, stride 3, {size}"


def test_a_misspelt_value_is_refused() -> None:
    """By name, with the nearest name that there is."""
    message = r"Recipe\(\) has no argument 'wieght_reg'\. Did you mean 'weight_reg'\?"
    with pytest.raises(TypeError, match=message):
        ODD.replace(wieght_reg=1.0)


def _without(name: str) -> str:
    fields = json.loads(ODD.to_json())
    del fields[name]
    return json.dumps(fields)


def _with(**changes: Any) -> str:
    return json.dumps({**json.loads(ODD.to_json()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        _without("warmup"),
        _without("network"),
        _with(sampling=3),
        _with(speed=1),
        _with(batch_size="many"),
        _with(search={"name": "search"}),
        _with(row={}),
        _with(row=["family", 3]),
        _with(row=3),
    ],
)
def test_what_is_no_recipe(text: str) -> None:
    with pytest.raises(ValueError, match="not a recipe of vdroppath_tf"):
        Recipe.from_json(text)

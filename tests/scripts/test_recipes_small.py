"""The reduced runs of recipes: what they reduce, and one of them on a shallow network."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import tiny

from vdroppath_tf.spaces.prior import acting_strength
from vdroppath_tf.training import RECIPES, TRAINING_VIDEOS, Recipe

SCRIPTS = Path(__file__).parents[2] / "scripts"
REDUCED = {"sampling", "evaluation_crop", "batch_size", "weight_reg"}


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)  # as when it is run
        yield importlib.import_module("run_recipes_small")


def changed(one: object, other: object) -> set[str]:
    names = (field.name for field in dataclasses.fields(one))  # type: ignore[arg-type]
    return {name for name in names if getattr(one, name) != getattr(other, name)}


def acting(recipe: Recipe, videos: int) -> float | None:
    strength = {name: getattr(recipe, name) for name in ("weight_reg", "prior_strength")}
    return acting_strength(**strength, num_examples=videos, form=recipe.kl)


@pytest.mark.parametrize("name", RECIPES)
def test_only_sizes_are_reduced(script: ModuleType, name: str) -> None:
    full = RECIPES[name]
    small: Recipe = script.reduced(full, TRAINING_VIDEOS[name])
    phases = {"warmup", "search", "finetune"}
    assert changed(full, small) <= REDUCED | phases
    assert changed(full.sampling, small.sampling) <= {"frames", "short_edge", "crop"}
    for phase in phases:
        assert changed(getattr(full, phase), getattr(small, phase)) == {"epochs"}
        assert getattr(small, phase).epochs == 1
    price = acting(full, TRAINING_VIDEOS[name])
    assert acting(small, script.VIDEOS[0]) == pytest.approx(price)
    said = {line.split()[0] for line in script.differences(full, small)}
    assert {name.split(".")[0] for name in said} == changed(full, small)  # nothing goes unsaid
    assert {"batch_size", "sampling.frames", "search.epochs"} <= said


@pytest.mark.slow
def test_a_reduced_run_goes_through_every_phase(script: ModuleType, tmp_path: Path) -> None:
    """As the cards show it for DenseNet-121, whose depth takes minutes to trace."""
    lines = list(script.run("ucf101", RECIPES["ucf101"].replace(network=tiny.ROW), tmp_path))
    assert lines[0].startswith("ucf101: nano, reduced: sampling.frames 32 -> 2, ")
    heads = [line.split(":")[0] for line in lines[1:]]
    trained = ["videos", "warmup", "search", "space", "scores"]
    assert heads == [*trained, "derived", "finetune", "test"]
    assert lines[-1].endswith("clips a video: 2")

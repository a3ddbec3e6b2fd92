"""Fields of a recipe by their dotted names, as `--set` takes them."""

from __future__ import annotations

from typing import Any

import pytest

from vdroppath_tf.training import RECIPES, Recipe, override
from vdroppath_tf.training.overrides import override_names

SMALL = RECIPES["small"]


@pytest.mark.parametrize(
    ("change", "read", "value"),
    [
        ("search.epochs=30", lambda r: r.search.epochs, 30),
        ("search.learning_rate=1", lambda r: r.search.learning_rate, 1.0),
        ("sampling.crop=112", lambda r: r.sampling.crop, 112),
        ("sampling.crop=[96, 112]", lambda r: r.sampling.crop, (96, 112)),
        ("sampling.flip=true", lambda r: r.sampling.flip, True),
        ("augment.mixup=.2", lambda r: r.augment.mixup, 0.2),
        ("temporal_strides=2,2,2", lambda r: r.temporal_strides, (2, 2, 2)),
        ("branches=S,T,ST", lambda r: r.branches, ("S", "T", "ST")),
        ("branches=S", lambda r: r.branches, ("S",)),
        ("network=resnet50", lambda r: r.network, "resnet50"),
        ("finetune=null", lambda r: r.finetune, None),
        ("weight_reg=10", lambda r: (r.weight_reg, r.prior_strength), (10, None)),
    ],
)
def test_a_field_is_changed(change: str, read: Any, value: Any) -> None:
    recipe = SMALL if change != "finetune=null" else SMALL.replace(finetune=None)
    found = override(recipe, [change])
    assert read(found) == value
    assert type(read(found)) is type(value)
    assert Recipe.from_json(found.to_json()) == found


def test_later_changes_count() -> None:
    assert override(SMALL, ["seed=3", "search.epochs=5", "seed=4"]).seed == 4
    assert override(SMALL, []) is SMALL


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("serch.epochs=30", r"^set=serch\.epochs: .* Did you mean 'search\.epochs'"),
        ("epochs=30", r"^set=epochs: .* Did you mean warmup\.epochs, search\.epochs or finetune"),
        ("search=30", r"^set=search: holds several fields\. Expected one: search\.name, "),
        ("search.epochs", r"^set=search\.epochs: expected name=value"),
        ("search.epochs=many", r"^set=search\.epochs=many: epochs must be a whole number"),
        ("search.epochs=-1", r"^set=search\.epochs=-1: epochs must be a whole number"),
        ("sampling.flip=yes", r"^set=sampling\.flip=yes: expected true or false"),
        ("sampling.crop=nan", r"^set=sampling\.crop=nan: crop must be a whole number or .*nan\.$"),
        ("batch_size=8.5", r"^set=batch_size=8\.5: batch_size must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(change: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        override(SMALL, [change])


def test_every_field_has_a_name() -> None:
    names = override_names(SMALL)
    assert {"network", "seed", "search.epochs", "sampling.frames", "augment.mixup"} <= {*names}
    assert len(names) == len({*names})

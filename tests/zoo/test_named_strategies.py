"""Strategies with a name, on every architecture."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from vdroppath_tf import zoo
from vdroppath_tf.models.families import fusion_groups
from vdroppath_tf.spaces.unit import NONE
from vdroppath_tf.zoo.strategies import ARCHITECTURES, AUTHORS

each_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
NAMED = (
    lambda name: zoo.uniform("ST+S", name),
    lambda name: zoo.top_heavy(2, name),
    lambda name: zoo.bottom_heavy(2, name),
    lambda name: zoo.mixed(2, name),
    *(zoo.r2plus1d, zoo.i3d, zoo.observed, zoo.observed_kinetics),
    *(lambda name, data=data: zoo.observed(name, dataset=data) for data in zoo.DATASETS),
)


def runs(strategy) -> str:
    return ", ".join(f"{len([*same])} {unit}" for unit, same in itertools.groupby(strategy))


@each_architecture
def test_all_fit_their_architecture(architecture):
    for make in NAMED:
        strategy = make(architecture)
        assert strategy.architecture == architecture
        strategy.check(sum(fusion_groups(architecture)), architecture, ("S", "ST"))
        assert NONE not in strategy


def test_uniform_is_the_unit_everywhere():
    assert runs(zoo.uniform("ST+S", "resnet50")) == "16 S+ST"
    assert zoo.i3d("densenet121") == zoo.r2plus1d("densenet121") == zoo.uniform("ST", "densenet121")


def test_heavy_ends_count_layers():
    assert runs(zoo.top_heavy(3, "resnet50")) == "13 S, 3 ST"
    assert runs(zoo.bottom_heavy(3, "resnet50")) == "3 ST, 13 S"
    assert zoo.top_heavy(np.int64(3), "resnet50") == zoo.top_heavy(3, "resnet50")
    assert zoo.top_heavy(0, "micro") == zoo.bottom_heavy(0, "micro") == zoo.uniform("S", "micro")
    assert zoo.top_heavy(6, "micro") == zoo.bottom_heavy(6, "micro") == zoo.i3d("micro")


def test_mixed_counts_the_stem_as_group_one():
    """MC3, torchvision's `mc3_18`: the stem and the first stage see time, stages 2 to 4 do not."""
    assert runs(zoo.mixed(3, "resnet50")) == "3 ST, 13 S"
    assert runs(zoo.mixed(5, "resnet50")) == "13 ST, 3 S"
    assert zoo.mixed(2, "resnet50") == zoo.uniform("S", "resnet50")
    assert runs(zoo.mixed(3, "densenet121")) == "7 ST, 54 S"  # a transition closes its group


@pytest.mark.parametrize(
    ("architecture", "dataset", "expected"),
    [
        ("resnet50", "something-something-v1", "7 S+ST, 6 ST, 3 S+ST"),
        ("resnet50", "kinetics400", "7 S+ST, 6 ST, 3 S+ST"),
        ("resnext50", "ucf101", "7 S+ST, 6 ST, 3 S+ST"),
        ("resnext101", "something-something-v2", "7 S+ST, 1 ST, 9 S+ST, 13 ST, 3 S+ST"),
        ("resnext101", "ucf101", "7 S+ST, 1 ST, 9 S+ST, 13 ST, 3 S+ST"),
        ("resnext101", "kinetics400", "7 S+ST, 5 S, 10 S+ST, 4 S, 4 ST, 3 S+ST"),
        ("mobilenet_v2", "something-something-v1", "5 S+ST, 7 ST, 4 S+ST"),
        ("mobilenet_v2", "kinetics400", "2 S+ST, 3 S, 4 S+ST, 3 S, 3 ST, 1 S+ST"),
        ("mobilenet_v2", "ucf101", "2 S+ST, 3 S, 4 S+ST, 3 S, 3 ST, 1 S+ST"),
        # no choice of the authors: the paper's hints
        ("densenet121", "something-something-v1", "30 S+ST, 28 ST, 3 S+ST"),
        ("resnet101", "ucf101", "16 S+ST, 14 ST, 3 S+ST"),
        ("micro", "something-something-v1", "6 S+ST"),
        ("micro", "kinetics400", "1 S+ST, 1 S, 1 S+ST, 1 S, 2 ST"),
    ],
)
def test_observed_is_the_authors_choice_or_the_papers_hint(architecture, dataset, expected):
    assert runs(zoo.observed(architecture, dataset=dataset)) == expected


def test_observed_on_kinetics_takes_turns_over_two_thirds():
    strategy = zoo.observed_kinetics("densenet121")
    assert strategy == zoo.observed("densenet121", dataset="kinetics400")
    assert strategy[:41] == tuple(("S+ST", "S")[n % 2] for n in range(41))
    assert set(strategy[41:]) == {"ST"}


def test_every_entry_of_the_table_has_a_default():
    assert set(AUTHORS) <= set(ARCHITECTURES)
    for made in AUTHORS.values():
        assert "" in made
        assert set(made) - {""} <= set(zoo.DATASETS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: zoo.top_heavy(17, "resnet50"), "k from 0 to 16, the number of fusion layers"),
        (lambda: zoo.bottom_heavy(-1, "resnet50"), "k from 0 to 16.*Received: -1"),
        (lambda: zoo.top_heavy(True, "resnet50"), "Received: True"),
        (lambda: zoo.mixed(1, "resnet50"), "k from 2 to 5, the number of groups"),
        (lambda: zoo.mixed(6, "resnet50"), "k from 2 to 5"),
        (lambda: zoo.i3d("resnet5"), "Unknown network. Did you mean 'resnet50'"),
        (lambda: zoo.i3d("ResNet50"), "Did you mean 'resnet50'"),
        (lambda: zoo.i3d("vit"), r"network\. Expected one of \['densenet121'"),
        (lambda: zoo.observed("micro", dataset="kinetics"), "Did you mean 'kinetics400'"),
        (lambda: zoo.uniform("X", "micro"), "Not a fusion unit"),
        (lambda: zoo.uniform("S@1", "micro"), "all inputs share"),
        (lambda: zoo.uniform("-", "densenet121"), "layers that are on no residual branch"),
    ],
)
def test_errors_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_nothing_everywhere_is_allowed_where_shortcuts_are():
    assert runs(zoo.uniform("-", "resnet50")) == "16 -"

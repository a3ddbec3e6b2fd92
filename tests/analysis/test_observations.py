"""The paper's observations on made-up spaces whose answer is known, and on the published ones."""

from __future__ import annotations

import numpy as np
import pytest

from vdroppath_tf import zoo
from vdroppath_tf.analysis.layer_halves import leads
from vdroppath_tf.analysis.observations import (
    higher_layers_want_time,
    lower_layers_fuse,
    scenes_want_space,
)
from vdroppath_tf.spaces.space import ProbabilitySpace

BOTH, TIME, FRAME = (0.01, 0.01), (0.81, 0.01), (0.01, 0.81)  # drop probabilities of S, ST
PUBLISHED = {name: zoo.published_space(name) for name in zoo.DATASETS}


def space(*layers: tuple[float, float]) -> ProbabilitySpace:
    return ProbabilitySpace(np.array(layers))


def test_the_middle_layer_is_a_higher_one():
    lower, higher = leads(space(BOTH, BOTH, TIME, TIME, BOTH), "S+ST")
    assert (lower.layers, lower.of, higher.layers, higher.of) == (2, 2, 1, 3)
    # a path is on with 1 - sqrt(.01) = .9, or 1 - sqrt(.81) = .1
    assert lower.means == pytest.approx({"S": 0.09, "S+ST": 0.81, "ST": 0.09, "-": 0.01})
    assert str(higher) == "1 of 3 layers (33\N{NO-BREAK SPACE}%)"


def test_observations_that_hold():
    found = space(BOTH, BOTH, TIME, TIME)
    assert str(lower_layers_fuse(found)).startswith(
        "I holds: S+ST has the highest marginal in 2 of 2"
    )
    assert str(higher_layers_want_time(found)).startswith(
        "II holds: ST has the highest marginal in 2"
    )
    assert str(lower_layers_fuse(found)).endswith(
        "S 0.09, S+ST 0.81, ST 0.09, - 0.01; S+ST started at 0.47."
    )


def test_observations_that_do_not():
    found = space(FRAME, TIME, BOTH, FRAME)
    assert str(lower_layers_fuse(found)).startswith("I does not hold: ")
    assert str(higher_layers_want_time(found)).startswith("II does not hold: ")


def test_nothing_holds_where_no_path_is_the_tall_bar():
    """ST leads the units with a path in every layer, S+ST none; - is .81 and more."""
    found = space(*[(0.98, 0.85)] * 4)
    said = str(higher_layers_want_time(found))
    assert said.startswith("II does not hold: ST has the highest marginal in 0 of 2 ")
    assert "- 0.91" in said
    assert higher_layers_want_time(found).margin < 0
    assert str(lower_layers_fuse(found)).startswith("I does not hold: ")


def test_a_bare_majority_is_narrow():
    assert str(lower_layers_fuse(space(*[BOTH] * 3, *[FRAME] * 2, *[TIME] * 5))).startswith(
        "I holds narrowly: S+ST has the highest marginal in 3 of 5"
    )
    # half of the layers is no majority
    assert str(lower_layers_fuse(space(BOTH, FRAME, TIME, TIME))).startswith("I does not hold")


def test_more_layers_do_not_help_where_the_mean_is_lower():
    barely = (0.245, 0.245)  # S+ST leads by 0.005 over S, and the third layer is S alone
    found = str(lower_layers_fuse(space(barely, barely, (0.0, 1.0), *[TIME] * 3)))
    assert found.startswith("I does not hold")
    assert "2 of 3 layers" in found


def test_an_untrained_space_says_little():
    untrained = str(lower_layers_fuse(space(*[(0.1, 0.1)] * 4)))
    assert untrained.startswith("I holds")
    assert "near their start (0.00 in total variation" in untrained
    assert "near their start" not in str(lower_layers_fuse(space(BOTH, BOTH, TIME, TIME)))


def test_scenes_are_compared_between_spaces():
    spaces = {"scenes": space(FRAME, BOTH), "gestures": space(TIME, BOTH)}
    assert str(scenes_want_space(spaces, ["scenes"])) == (
        "III holds: mean P(S) over all layers is, with complex scenes, scenes 0.45 (start 0.22); "
        "without, gestures 0.05 (start 0.22). The lowest of the former is 0.40 above the highest "
        "of the latter."
    )
    turned = str(scenes_want_space(spaces, ["gestures"]))
    assert turned.startswith("III does not hold")
    assert "0.40 below" in turned


def test_gates_per_input_are_read_by_their_means():
    own = ProbabilitySpace((np.array([BOTH]), np.array([TIME, TIME])))
    assert str(lower_layers_fuse(own)).startswith("I holds")
    assert str(higher_layers_want_time(own)).startswith("II holds")


@pytest.mark.parametrize(
    ("dataset", "first", "second"),
    [
        ("something-something-v1", "I holds: ", "II holds: "),
        ("something-something-v2", "I holds: ", "II holds: "),
        ("ucf101", "I holds: ", "II does not hold: "),
        ("kinetics400", "I holds narrowly: ", "II holds narrowly: "),
    ],
)
def test_the_published_spaces_say_what_the_paper_says(dataset, first, second):
    assert str(lower_layers_fuse(PUBLISHED[dataset])).startswith(first)
    assert str(higher_layers_want_time(PUBLISHED[dataset])).startswith(second)


def test_training_has_lowered_s_st_below_its_start_in_every_lower_half():
    """What docs/published.md warns of: the start favours S+ST already."""
    for found in PUBLISHED.values():
        start = ProbabilitySpace(found.initial).marginals()["S+ST"]
        assert np.all(start.round(2) == 0.47)
        assert leads(found, "S+ST")[0].means["S+ST"] < start[0]


def test_scenes_of_the_published_spaces_add_s():
    said = str(scenes_want_space(PUBLISHED, ["ucf101", "kinetics400"]))
    assert said.startswith("III holds: ")
    assert "kinetics400 0.27" in said


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda: str(lower_layers_fuse(space(BOTH))), "at least 2 layers"),
        (
            lambda: str(
                higher_layers_want_time(ProbabilitySpace(np.ones((2, 1)), branches=("S",)))
            ),
            "with the unit 'ST'. Received: one with S",
        ),
        (lambda: str(scenes_want_space(PUBLISHED, [])), "some, not all"),
        (lambda: str(scenes_want_space(PUBLISHED, PUBLISHED)), "some, not all"),
        (lambda: str(scenes_want_space(PUBLISHED, ["x"])), r"Received: \['x'\]"),
    ],
)
def test_errors_say_what_was_expected(say, message):
    with pytest.raises(ValueError, match=message):
        say()

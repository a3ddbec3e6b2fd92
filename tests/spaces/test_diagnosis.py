"""Whether the data or the prior decided: known pushes, known answers; and what a collapse is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from vdroppath_tf.spaces.diagnosis import UNKNOWN, diagnose
from vdroppath_tf.spaces.prior import weaker_prior
from vdroppath_tf.spaces.pushes import GateValues, Pushes, share_of
from vdroppath_tf.spaces.space import ProbabilitySpace

START = 0.1


def space_of(drop: Any, data: Any = None, prior: Any = None, **options: Any) -> ProbabilitySpace:
    """A space whose gates were pushed; what is None pushed nothing."""
    shape = np.shape(drop)
    values = [np.zeros(shape) if one is None else np.array(one, float) for one in (data, prior)]
    since = np.full(shape, START)
    d1 = options.get("layer_drop")
    layer = {} if d1 is None else {"layer": np.full(shape[0], START)}
    (by_data, by_prior), (last_data, last_prior) = (
        [GateValues(one / steps) for one in values] for steps in (1, 10)
    )
    began = GateValues(since, **layer)
    pushes = Pushes(by_data, by_prior, last_data, last_prior, began, 3)
    return ProbabilitySpace(drop, START, pushes=pushes, **options)


def test_who_moved_a_gate_is_who_pushed_it_that_way() -> None:
    """Dropped by either; kept against the prior; both the same way; and hardly moved."""
    cases = [  # drop, push of the data, of the prior, who it was
        (0.9, 5.0, 0.0, "data"),
        (0.9, 0.0, 5.0, "prior"),
        (0.9, -1.0, 6.0, "prior"),
        (0.9, 6.0, -1.0, "data"),
        (0.001, -7.0, 2.0, "data"),
        (0.9, 2.0, 3.0, "prior"),
        (0.9, 3.0, 2.0, "data"),
        (0.3, -2.0, 6.0, "prior"),
        (0.3, -3.0, 6.0, "data"),  # it stands where they have stopped it
        (0.12, 3.0, -2.9, "neither"),
        (0.9, 0.0, 0.0, "prior"),  # nothing is known to have pushed it: not the data's
    ]
    drop, data, prior, movers = zip(*cases, strict=True)
    found = diagnose(
        space_of(*(np.array(one)[:, None] for one in (drop, data, prior)), branches=("S",))
    )
    assert [gates for (gates,) in found.gates] == list(movers)
    assert found.moved_by == movers
    assert [found.count(what) for what in ("data", "prior", "neither")] == [5, 5, 1]


def test_a_layer_was_decided_by_the_data_where_they_moved_or_held_a_path() -> None:
    """The prior took S and nothing held ST; the data held ST; the data took ST."""
    space = space_of(
        [[0.9, 0.1], [0.9, 0.3], [0.2, 0.9]], [[0, 0], [0, -4], [0, 5]], [[5, 0], [5, 6], [2, 0]]
    )
    found = diagnose(space)
    assert found.moved_by == ("prior", "data", "data")
    assert found.gates == (("prior", "neither"), ("prior", "data"), ("prior", "data"))
    assert found.data_share == pytest.approx((0.0, 4 / 15, 5 / 7))
    assert "The prior decided in 1 of 3 layers, the data in 2; 0 hardly moved." in str(found)
    assert "In the last epoch 33 % of the gates' gradient came from the data." in str(found)
    assert "the probabilities carry no information about the data." in str(found)
    assert not found.alarming
    most = diagnose(space_of([[0.9, 0.8], [0.9, 0.1]], None, [[5, 5], [5, 0]]))
    assert most.moved_by == ("prior", "prior")
    assert most.alarming
    assert "a weaker prior, prior_strength=" in str(most)


def test_a_path_that_the_data_held_where_it_began_is_theirs() -> None:
    """The prior pushed it as it pushed those that it moved; the third it hardly pushed."""
    drop, data = [[0.9, 0.11], [0.9, 0.12], [0.9, 0.1]], [[0, -5], [0, -1], [0, -0.1]]
    space = space_of(drop, data, [[5, 5], [5, 5], [5, 0.1]])
    assert diagnose(space).gates == (("prior", "data"), ("prior", "neither"), ("prior", "neither"))
    still = space_of([[0.11, 0.1]], [[-1e-4, -1e-4]], [[1e-4, 1e-4]])
    assert diagnose(still).moved_by == ("neither",)


def test_most_inputs_of_a_layer_decide() -> None:
    """Where each input has gates of its own."""
    drop, data, prior = [[0.9]] * 3, [[5], [0], [0]], [[0], [5], [5]]
    assert diagnose(inputs_of(drop, data, prior)).moved_by == ("prior",)
    assert diagnose(inputs_of(drop, prior, data)).moved_by == ("data",)


def inputs_of(drop: Any, data: Any, prior: Any) -> ProbabilitySpace:
    """One layer of three inputs and one branch."""
    one, other = (GateValues([np.array(values, float)]) for values in (data, prior))
    began = GateValues([np.full(np.shape(drop), START)])
    pushes = Pushes(one, other, one, other, began, 1)
    return ProbabilitySpace((np.array(drop),), START, branches=("S",), pushes=pushes)


def test_where_the_data_decided_nothing_is_to_be_done() -> None:
    found = diagnose(space_of([[0.01, 0.9], [0.9, 0.01]], [[-4, 5], [5, -4]], [[1, 1], [1, 1]]))
    assert found.moved_by == ("data", "data")
    assert not found.alarming
    assert found.sentences() == [
        "The prior decided in 0 of 2 layers, the data in 2; 0 hardly moved. In the last epoch "
        "82 % of the gates' gradient came from the data."
    ]


def test_a_gate_of_the_whole_layer_counts() -> None:
    """D1 was dropped by the prior; the paths stayed."""
    options: dict[str, Any] = {"layer_drop": [0.95], "initial_layer_drop": [START]}
    space = space_of([[0.1, 0.1]], **options)
    assert space.pushes is not None
    pushed = dataclasses.replace(space.pushes, prior=GateValues([[0, 0]], [3.0]))
    found = diagnose(dataclasses.replace(space, pushes=pushed))
    assert (found.moved_by, found.gates) == (("prior",), (("neither", "neither", "prior"),))


def test_what_is_not_there_is_not_counted() -> None:
    """A branch that a layer lacks, and gates per input."""
    space = space_of([[0.9, 1.0]], [[4, 0]], [[0, 9]])
    space = dataclasses.replace(space, initial=[[START, 1.0]])
    assert diagnose(space).gates == (("data",),)
    arrays = ([[0.9, 0.1]], [[0.9, 0.1], [0.9, 0.1]])
    values = GateValues([np.array(one) for one in arrays])
    pushes = Pushes(
        values, values, values, values, GateValues([np.full(np.shape(a), START) for a in arrays]), 1
    )
    own = ProbabilitySpace(tuple(np.array(one) for one in arrays), START, pushes=pushes)
    assert [len(gates) for gates in diagnose(own).gates] == [2, 4]


@pytest.mark.parametrize(
    ("drop", "options", "kind"),
    [
        ([[0.9, 0.9], [0.8, 0.95]], {}, "empty"),
        ([[0.9, 0.9], [0.9, 0.1]], {}, ""),
        ([[0.9, 0.9], [0.9, 0.1]], {"has_residual": [True, False]}, "empty"),
        ([[0.1, 0.9], [0.9, 0.1]], {"has_residual": [False, False]}, ""),
        ([[0.02, 0.01], [0.01, 0.02]], {}, "full"),
        ([[0.1, 0.1], [0.1, 0.1]], {}, ""),
        ([[0.001, 0.999], [0.999, 0.001]], {}, "decided"),
        ([[0.1, 0.1], [0.1, 0.1]], {"layer_drop": [0.9, 0.8]}, "empty"),
    ],
)
def test_collapsed_spaces_are_told_from_others(drop: Any, options: Any, kind: str) -> None:
    found = diagnose(ProbabilitySpace(drop, START, **options))
    assert found.collapsed == kind
    assert found.alarming == bool(kind)
    assert found.sentences()[-1] == UNKNOWN
    assert found.sentences()[0].startswith("The space has collapsed") == bool(kind)


def test_a_collapse_is_named_first_and_with_what_to_do() -> None:
    by_prior = str(diagnose(space_of([[0.9, 0.9]] * 3, None, [[5, 5]] * 3)))
    assert by_prior.startswith(
        "The space has collapsed: the most probable strategy has no path (-) in 3 of 3 layers, so "
        "there is nothing to choose among. Train again for longer, on more videos, or with a "
        "weaker prior, prior_strength=0.02 (--prior_strength=0.02) "
    )
    assert by_prior.count("a weaker prior") == 1
    by_data = str(diagnose(space_of([[0.9, 0.9]] * 3, [[5, 5]] * 3)))
    assert "The data moved it there." in by_data
    assert "weaker" not in by_data
    without = str(diagnose(space_of([[0.9, 0.9]] * 3, None, [[5, 5]] * 3), strength=0.0))
    assert "choose among. Train again for longer, or on more videos. " in without
    decided = [[0.001, 0.999], [0.999, 0.001], [0.001, 0.999]]
    by_data = str(diagnose(space_of(decided, [[5, 5]] * 3)))
    assert "so there is nothing to choose among. The data moved it there." in by_data
    start = ProbabilitySpace([[0.01, 0.01]], 0.01)  # it began there, and did not collapse
    assert diagnose(start).collapsed == ""


@pytest.mark.parametrize(
    ("strength", "says"),
    [
        (8.92, "prior_strength=0.02 (--prior_strength=0.02) for a network as small as micro"),
        (8.92, "the present strength is 446 times the former"),
        (0.2, "prior_strength=0.02 (--prior_strength=0.02), a tenth of the present strength"),
        (0.02, "prior_strength=2e-3 (--prior_strength=2e-3), a tenth of the present strength"),
        (1e-3, "prior_strength=1e-4 (--prior_strength=1e-4), a tenth"),
        (None, "a tenth of the present strength if that is lower"),
    ],
)
def test_one_remedy_wherever_a_prior_is_too_strong(strength: float | None, says: str) -> None:
    """It names a strength that works, however many times too strong the present one is."""
    space = space_of([[0.9, 0.9]] * 3, None, [[5, 5]] * 3)
    found = diagnose(space, strength=strength)
    assert found.strength == strength
    assert says in weaker_prior(strength)
    assert weaker_prior(strength) in str(found)


def test_gradients_are_summed_over_the_gates_of_a_layer_whatever_their_sign() -> None:
    data, prior = GateValues([[1.0, -2.0], [0.0, 0.0]], [3.0, 0.0]), GateValues(np.zeros((2, 2)))
    pushes = Pushes(prior, prior, data, prior, prior, 1)
    assert pushes.gradients().tolist() == [[6.0, 0.0], [0.0, 0.0]]
    assert [share_of(*layer) for layer in pushes.gradients()] == [1.0, 0.0]


def test_pushes_come_back_from_json() -> None:
    space = space_of([[0.9, 0.2], [0.2, 1 / 3]], [[0, 2], [0, 5]], [[5, 0], [2, 0.1]])
    text = space.to_json()
    assert json.loads(text)["format"] == "vdroppath_tf.space/3"
    again = ProbabilitySpace.from_json(text)
    assert again.to_json() == text
    assert diagnose(again) == diagnose(space)
    plain = ProbabilitySpace(space.drop).to_json()
    assert json.loads(plain)["format"] == "vdroppath_tf.space/2"
    assert ProbabilitySpace.from_json(plain).pushes is None
    assert space.started().pushes is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.pop("prior"), "pushes with the fields"),
        (lambda p: p.update(epochs=0), "at least one epoch"),
        (lambda p: p.update(epochs=True), "at least one epoch"),
        (lambda p: p["prior"].pop("layer"), "an object of 'paths' and 'layer'"),
        (lambda p: p["prior"].update(paths=[[[1.0]], [[2.0]]]), r"shapes \[\(1, 2\), \("),
        (lambda p: p["prior"].update(layer=[1.0]), "one value per layer"),
        (lambda p: p["data"]["paths"][0][0].__setitem__(0, float("nan")), "finite"),
        (lambda p: p["since"]["paths"][0][0].__setitem__(0, 2.0), "from 0 to 1"),
        (lambda p: p["data"]["paths"][0][0].__setitem__(0, "a"), "as numbers"),
    ],
)
def test_damaged_pushes_are_refused(change: Any, message: str) -> None:
    fields = json.loads(space_of([[0.9, 0.2], [0.2, 0.3]]).to_json())
    change(fields["pushes"])
    with pytest.raises(ValueError, match=message):
        ProbabilitySpace.from_json(json.dumps(fields))

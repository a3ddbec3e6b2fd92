"""Units, strategies, triplets, text and JSON."""

from __future__ import annotations

import json
import pickle

import pytest
from drawn_units import SETTINGS, UNITS, masked_units, strategies
from hypothesis import given

from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import NONE, FusionUnit


def test_unit_reorders_branches_and_is_its_text():
    assert FusionUnit("ST+S") == "S+ST"
    assert FusionUnit("ST+T+S").branches == ("S", "T", "ST")
    assert hash(FusionUnit("ST+S")) == hash("S+ST")  # a dict of units is read by text
    assert [*map(str, map(FusionUnit, UNITS))] == [*UNITS]
    assert NONE.branches == ()


def test_unit_with_masks_reads_them_and_drops_branches_without_input():
    unit = FusionUnit("ST@011+S@101")
    assert unit == "S@101+ST@011"
    assert unit.branches == ("S", "ST")
    assert unit.inputs == {"S": (1, 0, 1), "ST": (0, 1, 1)}
    assert FusionUnit("S@000+ST@010") == "ST@010"
    assert FusionUnit("S@00") == NONE
    assert FusionUnit("S+ST").inputs == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "S+",
        "S+S",
        "S+-",
        "-@1",
        "TS",
        "S ST",
        "S@",
        "S@12",
        "S@10+ST",
        "S@1+ST@11",
        3,
        None,
    ],
)
def test_bad_unit_is_refused_with_its_text(text):
    with pytest.raises(ValueError, match="Not a fusion unit") as error:
        FusionUnit(text)
    assert repr(text) in str(error.value)


@SETTINGS
@given(masked_units())
def test_masks_build_the_unit_they_came_from(unit):
    assert FusionUnit.from_masks(unit.inputs) == unit
    assert pickle.loads(pickle.dumps(unit)) == unit


@SETTINGS
@given(strategies())
def test_text_and_json_round_trip(strategy):
    assert FusionStrategy.parse(str(strategy), strategy.architecture) == strategy
    assert FusionStrategy.from_json(strategy.to_json()) == strategy
    assert hash(FusionStrategy.from_json(strategy.to_json())) == hash(strategy)


def test_strategy_is_a_sequence_of_units():
    strategy = FusionStrategy.parse(" S  ST+S -\nST ")
    assert str(strategy) == "S S+ST - ST"
    assert len(strategy) == 4
    assert strategy[1] == "S+ST"
    assert strategy[1:3] == ("S+ST", "-")
    assert [*strategy] == ["S", "S+ST", "-", "ST"]
    assert FusionStrategy.uniform("ST+S", 3, "micro") == FusionStrategy.parse(
        "S+ST S+ST S+ST", "micro"
    )


def test_bad_strategies_name_the_layer():
    with pytest.raises(ValueError, match="Layer 2: Not a fusion unit"):
        FusionStrategy.parse("S X")
    with pytest.raises(ValueError, match="at least one unit"):
        FusionStrategy.parse("  ")
    with pytest.raises(ValueError, match=r"FusionStrategy\.parse"):
        FusionStrategy("S-")  # type: ignore[arg-type]


def test_triplets_of_shared_units():
    assert FusionStrategy.parse("S S+ST - ST").triplets() == {
        (1, (), "S"),
        (2, (1,), "S+ST"),
        (4, (1, 1, 1), "ST"),
    }


def test_triplets_per_input_group_inputs_by_unit():
    assert FusionStrategy.parse("S@1 S@101+ST@011").triplets() == {
        (1, (1,), "S"),
        (2, (1, 0, 0), "S"),
        (2, (0, 1, 0), "ST"),
        (2, (0, 0, 1), "S+ST"),
    }
    assert FusionStrategy.parse("S@0110").triplets() == {(1, (0, 1, 1, 0), "S")}


@SETTINGS
@given(strategies())
def test_triplets_say_what_every_input_gets(strategy):
    for layer, unit in enumerate(strategy, start=1):
        found = {u: v for number, v, u in strategy.triplets() if number == layer}
        assert all(sum(bits) <= 1 for bits in zip(*found.values(), strict=True))
        for branch, mask in unit.inputs.items():
            users = [v for u, v in found.items() if branch in u.branches]
            assert tuple(map(sum, zip(*users, strict=True))) == mask


def test_masks_follow_the_order_of_branches():
    strategy = FusionStrategy.parse("S S+ST - ST")
    assert strategy.masks() == ((1, 0), (1, 1), (0, 0), (0, 1))
    assert strategy.masks(("S", "T", "ST")) == ((1, 0, 0), (1, 0, 1), (0, 0, 0), (0, 0, 1))


def test_masks_refuse_what_they_cannot_say():
    with pytest.raises(ValueError, match="Layer 2 uses branch 'T'"):
        FusionStrategy.parse("S S+T").masks()
    with pytest.raises(ValueError, match="Layer 2 uses its inputs differently"):
        FusionStrategy.parse("S S@10").masks()


def test_check_names_both_sides():
    strategy = FusionStrategy.parse("S ST", "micro")
    strategy.check(2, "micro", ("S", "ST"))
    strategy.check(2, None, ("S", "ST"))
    FusionStrategy.parse("S ST").check(2, "micro", ("S", "ST"))
    with pytest.raises(ValueError, match="2 units, the network has 3"):
        strategy.check(3, "micro", ("S", "ST"))
    with pytest.raises(ValueError, match="'micro', the network is 'resnet50'"):
        strategy.check(2, "resnet50", ("S", "ST"))
    with pytest.raises(ValueError, match="Layer 2 uses branch 'ST'"):
        strategy.check(2, "micro", ("S",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "vdroppath_tf.strategy/2"}, "newer vdroppath_tf"),
        ({"format": "vdroppath_tf.space/1"}, "Expected the format 'vdroppath_tf.strategy/1'"),
        ({"format": 1}, "Expected the format"),
        ({"units": ["S"]}, "'units' to be text"),
        ({"units": "S X"}, "Layer 2"),
        ({"architecture": 3}, "'architecture' to be text or null"),
        ({"architektur": "x"}, "Expected the fields"),
    ],
)
def test_bad_json_is_refused(change, message):
    fields = json.loads(FusionStrategy.parse("S ST").to_json()) | change
    with pytest.raises(ValueError, match=message):
        FusionStrategy.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"units": "S"}', "[" * 100_000])
def test_json_of_another_kind_is_refused(text):
    with pytest.raises(ValueError, match=r"vdroppath_tf\.strategy/1"):
        FusionStrategy.from_json(text)

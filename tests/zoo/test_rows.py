"""A user's own row: in Python, in a file, by its name; what is wrong with one is named."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

import keras
import pytest
import rows

from vdroppath_tf import zoo
from vdroppath_tf.models import densenet, families, mobilenet_v2, resnet
from vdroppath_tf.models.families import FAMILIES, fusion_layers_of
from vdroppath_tf.models.row import Row, Values
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import RECIPES, Recipe
from vdroppath_tf.zoo.rows import row_from_json

ROWS = [family.row for family in FAMILIES]
OWN = resnet.Row("own", rows.TINY.stem, rows.TINY.stages, shortcut="conv", num_classes=7)


def text(**changes: Any) -> str:
    """The row as JSON, with other values; None leaves a field out."""
    values = {**OWN.values(), **changes}
    kept = {name: value for name, value in values.items() if value is not None}
    return json.dumps({"format": "vdroppath_tf.network/1", "family": "resnet", "row": kept})


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Row:
    """The row with its name in the zoo, for one test."""
    monkeypatch.setattr(families, "_ROWS", families.rows())
    zoo.add_network(OWN)
    return OWN


@pytest.mark.parametrize("row", [row for f in FAMILIES for row in f.rows], ids=lambda r: r.name)
def test_every_row_comes_back_from_its_file(row: Row, tmp_path: Path) -> None:
    zoo.save_row(row, tmp_path / "row.json")
    assert zoo.load_row(tmp_path / "row.json") == row
    assert zoo.find_row(tmp_path / "row.json") == row
    assert zoo.find_row(row.name) == row


def test_an_added_network_is_one_of_the_zoo(added: Row) -> None:
    assert "own" in zoo.list_networks()
    assert zoo.list_models("*_own") == ["derived_own", "template_own"]
    model = zoo.get_model("template_own", branches=("S", "T", "ST"))
    assert (model.name, model.output_shape) == ("template_own", (None, 7))
    assert model.get_layer("stage2_block1_shortcut_conv").strides == (1, 2, 2)
    pooled = zoo.get_model("derived_own", zoo.uniform("S", "own"), 3, shortcut="pool")
    assert pooled.get_layer("stage2_block1_shortcut_conv").strides == (1, 1, 1)
    with pytest.raises(TypeError, match=r"template_own\(\) has no argument 'shortcuts'"):
        zoo.get_model("template_own", shortcuts="pool")
    moved = zoo.transfer(zoo.published_space("ucf101"), to="own")
    assert moved.layers == tuple(layer.name for layer in fusion_layers_of(added))
    assert zoo.observed("own").architecture == "own"


def test_a_recipe_carries_the_row(tmp_path: Path) -> None:
    from vdroppath_tf.training.runs import _networks
    from vdroppath_tf.zoo.rows import values_of

    recipe = RECIPES["small"].replace(network="own", row=values_of(OWN))
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    template, _ = _networks(again)
    assert template.__name__ == "template_own"
    with pytest.raises(ValueError, match=r"row is of .own.\. Expected .micro."):
        _networks(recipe.replace(network="micro"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "a/b"}, r"name must be .*'a/b'"),
        ({"name": 3}, "name must be text. Received: 3"),
        ({"stages": []}, r"stages must be a list of 1 to 64. Received: \[\]"),
        ({"stages": [OWN.values()["stages"][0]] * 65}, "stages must be a list of 1 to 64"),
        ({"stages": 4}, "stages must be a list"),
        ({"stages": None}, "'stages' is missing"),
        ({"stages": [{**OWN.values()["stages"][0], "filters": 0}]}, r"stages\[0\]: filters must"),
        ({"stages": [{**OWN.values()["stages"][0], "groups": 3}]}, r"stages\[0\]: groups must"),
        ({"stages": [{**OWN.values()["stages"][0], "filter": 1}]}, "Did you mean 'filters'"),
        ({"stages": [{**OWN.values()["stages"][0], "blocks": 1001}]}, "1 to 1000 fusion layers"),
        ({"stem": {**OWN.values()["stem"], "size": [1, 3]}}, "stem: size must be a list of 3"),
        ({"stem": {**OWN.values()["stem"], "pool": 1}}, "stem: pool must be true or false"),
        ({"stem": {**OWN.values()["stem"], "filters": True}}, "whole number.*Received: True"),
        ({"stem": {**OWN.values()["stem"], "filters": 16385}}, "from 1 to 16384"),
        ({"shortcut": "none"}, "shortcut must be one of"),
        ({"depth": 3}, "'depth' is no field"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    path.write_text(text(**changes))
    with pytest.raises(ValueError, match=said) as caught:
        zoo.load_row(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "no 'format'"),
        (text().replace("network/1", "network/2"), "newer vdroppath_tf"),
        (text().replace('"resnet"', '"resnets"'), "Did you mean 'resnet'"),
        (text().replace('"resnet"', "[]"), "Unknown family of networks"),
        (json.dumps({**json.loads(text()), "row": 3}), "must be an object"),
        (" " * 100_001, "at most 100000 characters"),
    ],
)
def test_other_files_are_refused(content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        row_from_json(content)


def test_a_file_may_not_take_the_name_of_another_network(tmp_path: Path) -> None:
    zoo.save_row(dataclasses.replace(OWN, name="resnet50"), tmp_path / "row.json")
    with pytest.raises(ValueError, match=r"row\.json: There is another network called 'resnet50'"):
        zoo.find_row(tmp_path / "row.json")
    families_of_both = r"'resnet50', with family='resnet'\. .* Received: family='densenet'"
    with pytest.raises(ValueError, match=families_of_both):
        zoo.add_network(densenet.Row("resnet50", 6, 4, (2, 3)))


def test_a_layer_on_no_residual_branch_is_in_every_network() -> None:
    strategy = FusionStrategy.parse("S S - S S S")
    with pytest.raises(ValueError, match=r"^T1 cannot be dropped: it is on no residual branch\.$"):
        rows.built("dense", strategy=strategy)


def test_a_name_stands_for_one_network(added: Row) -> None:
    zoo.add_network(OWN)  # the same once more
    with pytest.raises(
        ValueError, match=r"called 'own', with shortcut='\w+'\. .* Received: shortcut='pool'$"
    ):
        zoo.add_network(dataclasses.replace(OWN, shortcut="pool"))
    with pytest.raises(ValueError, match=r"Did you mean 'resnet50'.* zoo.add_network must"):
        zoo.find_row("resnet5O")
    with pytest.raises(ValueError, match=r"Expected a row of a family"):
        zoo.add_network(Row("nothing"))
    name = "template_own"
    with pytest.raises(AttributeError, match=r"zoo\.get_model\('template_own', \.\.\.\)"):
        getattr(zoo, name)


def test_a_loaded_model_makes_its_name_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as process:
        process.setattr(families, "_ROWS", families.rows())
        zoo.add_network(OWN)
        model = zoo.get_model("derived_own", zoo.uniform("ST", "own"), 3)
    with pytest.raises(ValueError, match=r"zoo\.add_network\(zoo\.find_row\(model\)\)"):
        zoo.uniform("S", "own")
    monkeypatch.setattr(families, "_ROWS", families.rows())
    zoo.add_network(zoo.find_row(model))  # the line of the error
    assert zoo.find_row("own") == OWN
    assert zoo.uniform("S", "own").architecture == "own"
    assert "template_own" in zoo.list_models()
    with pytest.raises(ValueError, match="does not carry its architecture"):
        zoo.find_row(keras.Sequential([keras.Input((2,))]))


@pytest.mark.parametrize("part", [resnet.Stem, resnet.Stage, mobilenet_v2.Stage, *ROWS])
def test_every_field_of_a_row_and_its_parts_is_documented(part: type[Values]) -> None:
    documented = re.findall(
        r"^\s+(\w+): (?:int|tuple|bool|str|Stem)", part.__doc__ or "", re.MULTILINE
    )
    assert sorted(documented) == sorted(each.name for each in dataclasses.fields(part))


def test_options_of_a_family_are_fields_of_its_rows() -> None:
    for family in FAMILIES:
        names = {each.name for each in dataclasses.fields(family.row)}
        assert set(family.options) < names
        for make in (family.template, family.derived):
            assert set(family.options) <= set(inspect.signature(make).parameters)


def test_a_layer_without_residual_has_none_in_a_row_of_ones_own() -> None:
    row = densenet.Row("dense", 8, 4, (1, 2))
    found = [(layer.name, layer.group, layer.has_residual) for layer in fusion_layers_of(row)]
    assert found == [("B1.L1", 0, True), ("T1", 0, False), ("B2.L1", 1, True), ("B2.L2", 1, True)]

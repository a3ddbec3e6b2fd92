"""The zoo's constructors: names, signatures, options, and the table of what they cost."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

import keras
import pytest

from vdroppath_tf import cost, zoo
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.layers.gates import gates_of
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.families import fusion_groups
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.table import CLIP_SHAPE, RECORD, facts, markdown

RECORDS = Path(__file__).parents[2] / "zoo"
TABLE = json.loads(RECORD.read_text())
NETWORKS = sorted(TABLE)
SMALL = ("micro", "mobilenet_v2", "resnet50")
pytestmark = pytest.mark.usefixtures("zero_kernels")


def test_the_names_are_those_of_the_paper_and_micro() -> None:
    rows = "densenet121 densenet161 densenet169 densenet201 micro mobilenet_v2"
    rows += " resnet50 resnet101 resnext50 resnext101"
    kinds = [f"{kind}_{row}" for kind in ("template", "derived") for row in rows.split()]
    assert set(zoo.list_models()) >= set(kinds)
    assert set(kinds) <= set(dir(zoo))
    assert zoo.list_models("template_res*t50") == ["template_resnet50", "template_resnext50"]
    assert zoo.list_models("*resnet*101") == ["derived_resnet101", "template_resnet101"]
    assert zoo.list_models("nothing*") == []


def test_models_by_name() -> None:
    model = zoo.get_model("template_micro", num_classes=3, drop_layer=True)
    assert (model.name, model.output_shape) == ("template_micro", (None, 3))
    assert zoo.get_model("derived_micro", "S S S S S ST", 7).output_shape == (None, 7)
    with pytest.raises(ValueError, match=r"two models: 'template_resnet50' and 'derived_resnet50'"):
        zoo.get_model("resnet50")
    with pytest.raises(ValueError, match=r"Did you mean 'template_resnet50'.*'template_resnt50'"):
        zoo.get_model("template_resnt50")


@pytest.mark.parametrize("name", NETWORKS)
def test_signatures_show_every_option(name: str) -> None:
    """What a notebook completes, and `help` prints."""
    template = inspect.signature(getattr(zoo, f"template_{name}")).parameters
    derived = inspect.signature(getattr(zoo, f"derived_{name}")).parameters
    common = ["clip_shape", "channels", "temporal_strides", "temporal_pool", "branches"]
    common += ["dropout", "include_top", "multi_label", "name"]
    gates = ["num_train_examples", "weight_reg", "prior_strength", "kl", "noise", "initial_drop"]
    gates += ["temperature", "drop_layer", "residual_gate", "gate_classifier", "seed"]
    own = {"d": ["share_inputs"], "r": ["shortcut"]}.get(name[0], [])
    own = ["shortcut"] if name == "micro" else own
    trained = ["weights"] if zoo.list_weights(name) else []
    assert set(template) == {"num_classes", *common, *own, *gates, *trained}
    assert set(derived) == {"strategy", "num_classes", *common, *own}
    assert not [p for p in template.values() if p.kind is p.VAR_KEYWORD]
    assert template["branches"].default == derived["branches"].default == ("S", "ST")
    assert inspect.signature(getattr(zoo, f"template_{name}")).return_annotation is FusionModel
    for option in gates[:-2]:
        own_default = inspect.signature(VariationalDropPath).parameters[option].default
        assert template[option].default == own_default
    assert template["initial_drop"].default == 0.1
    for function, options in ((f"template_{name}", template), (f"derived_{name}", derived)):
        told = getattr(zoo, function).__doc__
        for option in set(options) - {"num_classes", "strategy"}:
            assert f"\n    {option}: " in told, option


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match=r"template_micro\(\) has no argument 'clip_shap'. Did you"):
        zoo.template_micro(clip_shap=(4, 16, 16))
    with pytest.raises(TypeError, match=r"no argument 'num_class'. Did you mean 'num_classes'"):
        zoo.template_micro(num_class=3)
    with pytest.raises(TypeError, match=r"template_micro\(\): too many positional arguments"):
        zoo.template_micro(4, (8, 32, 32))
    with pytest.raises(TypeError, match=r"derived_micro\(\): missing a required argument"):
        zoo.derived_micro(num_classes=4)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"derived_micro\(\) has no argument 'weight_reg'"):
        zoo.derived_micro("S S S S S S", weight_reg=1.0)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": ("ST", "S")}, "in that order"),
        ({"branches": ("T",)}, "S or ST among them"),
        ({"branches": ("S", "X")}, "branches must be of"),
        ({"branches": "ST"}, "branches must be a sequence"),
        ({"temporal_strides": (1, 2, 3)}, "at most 2 numbers"),
        ({"temporal_strides": (0,)}, "1 or more"),
        ({"temporal_strides": 2}, "must be a sequence"),
        ({"clip_shape": (4, 32, 32, 3)}, r"clip_shape must be \(frames, height, width\)"),
        ({"clip_shape": (4, 32)}, r"Received: \(4, 32\)"),
        ({"shortcut": "none"}, r"shortcut must be one of \('pool', 'conv'\)"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zoo.template_micro(**options)


def test_gates_are_not_for_the_network_of_a_strategy() -> None:
    with pytest.raises(ValueError, match="gates are options of a template"):
        build_network("micro", strategy="S S S S S S", gates={"seed": 1})


@pytest.mark.parametrize("name", SMALL)
def test_the_table_is_what_the_networks_cost(name: str) -> None:
    assert json.loads(json.dumps(dataclasses.asdict(facts(name)))) == TABLE[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - set(SMALL)))
def test_the_table_is_what_the_large_networks_cost(name: str) -> None:
    assert json.loads(json.dumps(dataclasses.asdict(facts(name)))) == TABLE[name]


def test_the_table_is_of_all_networks_and_shown_whole() -> None:
    public = {n.removeprefix("template_") for n in dir(zoo) if n.startswith("template_")}
    assert set(NETWORKS) == public
    shown = (RECORDS / "networks.md").read_text()
    for name in NETWORKS:
        assert sum(fusion_groups(name)) == TABLE[name]["layers"]
        assert all(f"{n:,}" in shown for n in TABLE[name]["parameters"] + TABLE[name]["macs"])
    assert markdown([]).count("\n") == 1


@pytest.mark.parametrize(
    ("name", "strategy", "parameters", "macs"),
    [
        ("densenet121", "S+ST", 21_404_526, 123_556_771_840),
        ("densenet121", "S", 7_169_838, 52_883_273_728),
        ("resnext50", "ST", 40_691_950, 135_220_260_864),
    ],
)
@pytest.mark.slow
def test_the_authors_networks_exactly(name: str, strategy: str, parameters: int, macs: int) -> None:
    """Method, section 4; the rows of ResNet-50 are in test_cost."""
    units = FusionStrategy.uniform(strategy, TABLE[name]["layers"])
    found = cost.complexity(zoo.get_model(f"derived_{name}", units), CLIP_SHAPE)
    assert (found.parameters, found.macs) == (parameters, macs)


@pytest.mark.slow
def test_temporal_strides_reach_the_cost_of_the_papers_table_1() -> None:
    """Table 1: 31.3 G for DenseNet-121 at 16 x 256 x 256, with the same parameters."""
    units = FusionStrategy.uniform("S+ST", 61)
    network = zoo.derived_densenet121(units, temporal_strides=(2, 2, 2))
    found = cost.complexity(network, (16, 256, 256))
    assert round(found.macs / 1e9, 1) == 31.3
    assert found.parameters == 21_404_526


@pytest.mark.slow
def test_the_papers_template_has_its_gates() -> None:
    """61 fusion layers; 122 gates, 123 with the classifier's, 181 with D1 on its dense layers."""
    model = zoo.template_densenet121(drop_layer=True, gate_classifier=True)
    counts = [gate.logits().shape[0] for gate in gates_of(model)]
    assert (len(counts), sum(counts)) == (62, 181)
    logits = [v for v in model.trainable_variables if v.path.split("/")[-1] == "logit"]
    assert sum(v.shape[0] for v in logits) == 123


def test_the_summary_names_the_gates(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    zoo.template_micro(drop_layer=True, gate_classifier=True).summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert f"Gates: {18 + 1}" in text
    assert "   classifier: features 0.100" in text.splitlines()
    assert "stage1_block6_fusion: S 0.100, ST 0.100, whole layer 0.100" in text
    lines.clear()
    zoo.derived_micro("S S S S S S").summary(print_fn=lines.append)
    assert "Gates" not in "\n".join(lines)
    zoo.template_micro().summary()
    assert "Gates: 12" in capsys.readouterr().out


def test_features_without_the_head() -> None:
    model = zoo.template_micro(clip_shape=(4, 32, 32), include_top=False)
    assert model.output_shape == (None, 4, 8, 8, 32)
    assert not [la for la in model.layers if isinstance(la, keras.layers.Dense)]
    network = zoo.derived_mobilenet_v2("S " * 16, clip_shape=(4, 32, 32), include_top=False)
    assert network.output_shape == (None, 2, 1, 1, 1280)  # its stem has a stride in time

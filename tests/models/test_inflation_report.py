"""What inflation tells: every weight in one list, what changed, and why something is refused."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
import safetensors.numpy
import shallow
import sources_2d as two_d

import vdroppath_tf
from vdroppath_tf.models.families import family_of
from vdroppath_tf.spaces.strategy import FusionStrategy


@pytest.fixture
def torch_file(tmp_path: Path) -> Path:
    net = two_d.Torch()
    two_d.torch_resnet(net, two_d.picture())
    safetensors.numpy.save_file(net.state, tmp_path / "resnet.safetensors")
    return tmp_path / "resnet.safetensors"


def partition(report: Any, model: Any, names: set[str]) -> None:
    ours = [*report.copied, *report.repeated, *report.new]
    theirs = [*report.used, *report.unused]
    assert sorted(ours) == sorted(v.path for v in model.weights)
    assert sorted(theirs) == sorted(names)


def test_every_weight_of_both_sides_is_in_one_list(torch_file: Path) -> None:
    model = rows.built(shallow.RESNET, 5, gates={"drop_layer": True})
    names = set(safetensors.numpy.load_file(torch_file))
    report = vdroppath_tf.inflate(model, torch_file)
    partition(report, model, names)
    st = [f"stage{s}_block{b}_fusion/spatiotemporal/kernel" for s, b in ((1, 1), (2, 1), (2, 2))]
    assert set(report.repeated) == {"stem_conv/kernel", *st}
    assert all("/drop_path/" in path or path.startswith("classifier/") for path in report.new)
    unused = {name for name in names if name.endswith("num_batches_tracked")}
    assert set(report.unused) == {*unused, "fc.weight", "fc.bias"}
    text = str(report)
    assert text.startswith(f"From {torch_file} (torchvision's ResNet or ResNeXt): 60 weights used")
    assert "59 copied, 4 repeated over time" in text
    assert "shortcut='conv'" in text
    assert "3 layers start at twice the 2D response" in text


@pytest.mark.parametrize(
    ("strategy", "left"),
    [("S - ST", "layer2.0"), ("- S+ST S", "layer1.0"), ("S ST -", "layer2.1")],
)
def test_a_layer_without_path_leaves_its_block_over(
    torch_file: Path, strategy: str, left: str
) -> None:
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.parse(strategy))
    report = vdroppath_tf.inflate(model, torch_file)
    partition(report, model, set(safetensors.numpy.load_file(torch_file)))
    convolutions = {name for name in report.unused if "conv" in name}
    assert convolutions == {f"{left}.conv{n}.weight" for n in (1, 2, 3)}
    assert not any("downsample" in name for name in report.used if name.startswith("layer1.1"))


def test_the_classifier_is_taken_over_when_asked_for(torch_file: Path) -> None:
    state = safetensors.numpy.load_file(torch_file)
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.uniform("S", 3))
    before = two_d.arrays(model)["classifier/kernel"]
    vdroppath_tf.inflate(model, torch_file)
    np.testing.assert_array_equal(two_d.arrays(model)["classifier/kernel"], before)
    report = vdroppath_tf.inflate(model, torch_file, classifier=True)
    np.testing.assert_array_equal(two_d.arrays(model)["classifier/kernel"], state["fc.weight"].T)
    np.testing.assert_array_equal(two_d.arrays(model)["classifier/bias"], state["fc.bias"])
    assert report.new == ()


def test_a_source_without_a_top() -> None:
    model = rows.built(shallow.DENSENET, 5, strategy=FusionStrategy.uniform("S", 8))
    source = two_d.keras_densenet(include_top=False)
    report = vdroppath_tf.inflate(model, source)
    assert report.unused == ()
    assert report.new == ("classifier/kernel", "classifier/bias")
    with pytest.raises(ValueError, match="missing: predictions/kernel for classifier/kernel"):
        vdroppath_tf.inflate(model, source, classifier=True)


def test_the_branch_t_is_new() -> None:
    model = rows.built(shallow.DENSENET, 5, branches=("S", "T", "ST"))
    report = vdroppath_tf.inflate(model, two_d.keras_densenet(), scaling="normalized")
    partition(report, model, set(two_d.arrays(two_d.keras_densenet())))
    temporal = [path for path in report.new if "/temporal" in path]
    assert len(temporal) == 5 * 5  # a kernel and a batch norm in each dense layer, not transition
    assert any("T paths are new" in sentence for sentence in report.changed)


def test_a_layer_of_t_alone_leaves_its_3x3_over(torch_file: Path) -> None:
    strategy = FusionStrategy.parse("S T ST")
    model = rows.built(shallow.RESNET, 5, branches=("S", "T", "ST"), strategy=strategy)
    report = vdroppath_tf.inflate(model, torch_file)
    over = {name for name in report.unused if name.endswith("weight")}
    assert over == {*(f"layer2.0.{name}.weight" for name in ("conv1", "bn1", "conv2")), "fc.weight"}
    assert "stage2_block1_conv_bn/gamma" in report.copied


CHANGED = {
    "resnet-conv": ("stride 2 of a stage", "BGR", "1.001e-05", "12 biases"),
    "resnet-pool": ("stride 2 of a stage", "average-pool", "BGR", "1.001e-05", "12 biases"),
    "densenet": ("1.001e-05",),
    "mobilenet_v2": ("below and to the right", "-1 to 1", "0.001"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_the_source_has_otherwise_is_said(name: str) -> None:
    family, _, shortcut = name.partition("-")
    model: Any
    if family == "resnet":
        strategy = FusionStrategy.uniform("S", 3)
        model = rows.built(shallow.RESNET, 5, strategy=strategy, shortcut=shortcut)
        source = two_d.keras_resnet()
    elif family == "densenet":
        model = rows.built(shallow.DENSENET, 5, strategy=FusionStrategy.uniform("S", 8))
        source = two_d.keras_densenet()
    else:
        model = rows.built(shallow.MOBILENET_V2, 5, strategy=FusionStrategy.uniform("S", 16))
        source = two_d.keras_mobilenet_v2()
    report = vdroppath_tf.inflate(model, source)
    partition(report, model, set(two_d.arrays(source)))
    assert len(report.changed) == len(CHANGED[name])
    for sentence, part in zip(report.changed, CHANGED[name], strict=True):
        assert part in sentence


def refused(model: Any, source: Any, message: str, **options: Any) -> None:
    before = two_d.arrays(model)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        vdroppath_tf.inflate(model, source, **options)
    for path, value in two_d.arrays(model).items():
        np.testing.assert_array_equal(value, before[path])


def test_the_weights_of_another_network_change_nothing(tmp_path: Path) -> None:
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.uniform("S", 3))
    refused(
        model,
        two_d.keras_densenet(),
        r"the model 'shallow': holds keras.applications' DenseNet with 2, 1, 1, 1 blocks\. "
        r"Expected for 'shallow': keras.applications' ResNet or torchvision's ResNet or ResNeXt\. "
        r"Nothing was changed\.",
    )
    refused(
        model,
        two_d.keras_resnet((2, 3)),
        r"ResNet with 2, 3 blocks, which does not fit 'shallow'.*Nothing was changed.*"
        r"left over: conv2_block2_1_conv/kernel",
    )
    refused(model, two_d.keras_resnet((1, 1)), "missing: conv3_block2_1_conv/kernel for stage2_")
    refused(
        model,
        two_d.keras_resnet(width=16),
        re.escape("conv2_block1_1_conv/kernel: (1, 1, 64, 16) does not fit (1, 1, 64, 8) of "),
    )
    net = two_d.Torch()
    two_d.torch_mobilenet_v2(net, two_d.picture())
    safetensors.numpy.save_file(net.state, tmp_path / "m.safetensors")
    refused(model, tmp_path / "m.safetensors", r"m\.safetensors.*MobileNetV2 with 17 blocks")
    safetensors.numpy.save_file({"a.weight": np.zeros(3)}, tmp_path / "a.safetensors")
    refused(model, tmp_path / "a.safetensors", r"unknown network \(a\.weight\)")


def test_names_that_a_convention_does_not_know(torch_file: Path) -> None:
    """Those of the file are left over, those of the network are missing; nothing is changed."""
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.uniform("S", 3))
    (torchvision,) = [
        one
        for one in family_of(shallow.RESNET).conventions
        if one.torch and one.title.startswith("torchvision's ResNet")
    ]
    table = tuple(pair for pair in torchvision.table if pair[0] != "stem_bn")
    own = dataclasses.replace(torchvision, title="mine", table=table)
    message = r"missing: a weight for stem_bn/gamma.*left over: bn1\."
    refused(model, torch_file, message, convention=own)


def test_more_empty_layers_do_not_make_another_network_fit() -> None:
    """A block too many in the source is not taken for that of a layer without path."""
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.parse("S - S"))
    message = "left over: conv3_block3_1_conv/kernel and 17 more of its block"
    refused(model, two_d.keras_resnet((1, 3)), message)


def test_options_out_of_range() -> None:
    source = two_d.keras_resnet()
    model = rows.built(shallow.RESNET, 7, strategy=FusionStrategy.uniform("S", 3))
    refused(model, source, "scaling must be one of.*'twice'", scaling="twice")
    refused(model, source, r"predictions/kernel: \(64, 5\) does not fit \(64, 7\)", classifier=True)
    bare = rows.built(shallow.RESNET, 7, strategy=FusionStrategy.uniform("S", 3), include_top=False)
    refused(bare, source, "include_top=False", classifier=True)
    with pytest.raises(ValueError, match="does not carry its architecture"):
        vdroppath_tf.inflate(source, source)


def test_paths_that_see_some_inputs_are_for_the_template() -> None:
    units = ["S", "S@10+ST@01", *["S"] * 6]
    strategy = FusionStrategy.parse(" ".join(units))
    model = rows.built(shallow.DENSENET, 5, share_inputs=False, strategy=strategy)
    refused(model, two_d.keras_densenet(), "S@10.*inflate the template")

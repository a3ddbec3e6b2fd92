"""Files of 2D weights: the same arrays from every format, and one clear refusal for each other."""

from __future__ import annotations

import json
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import rows
import safetensors.numpy
import shallow
import sources_2d as two_d

import vdroppath_tf
from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.inflation.sources import read_source
from vdroppath_tf.spaces.strategy import FusionStrategy


def same(read: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(read) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(read[name], value, err_msg=name)


def test_a_file_of_keras_2_has_the_names_of_the_model(tmp_path: Path) -> None:
    model = two_d.keras_resnet()
    path = two_d.write_legacy_h5(tmp_path / "resnet.h5", two_d.arrays(model))
    same(read_source(path, "resnet50").weights, two_d.arrays(model))
    with h5py.File(path) as weights, h5py.File(tmp_path / "whole.h5", "w") as whole:
        weights.copy(weights, whole, "model_weights")  # as Keras 2 saved whole models
    same(read_source(tmp_path / "whole.h5", "resnet50").weights, two_d.arrays(model))


@pytest.mark.parametrize("top", [True, False])
def test_a_file_of_keras_3_is_read_through_its_network(tmp_path: Path, top: bool) -> None:
    options = {"classes": 3} if top else {}
    model = keras.applications.MobileNetV2(weights=None, include_top=top, **options)
    two_d.randomized(model).save_weights(tmp_path / "mobile.weights.h5")
    read = read_source(tmp_path / "mobile.weights.h5", "mobilenet_v2")
    same(read.weights, two_d.arrays(model))


def test_a_whole_model_is_read_from_a_keras_file(tmp_path: Path) -> None:
    model = two_d.keras_resnet()
    model.save(tmp_path / "resnet.keras")
    same(read_source(tmp_path / "resnet.keras", "resnet50").weights, two_d.arrays(model))


# as the published files spell what keras.applications and torchvision spell otherwise today
OLDER: dict[str, tuple[Callable[[], dict[str, np.ndarray]], dict[str, str]]] = {
    "densenet.h5": (
        lambda: two_d.arrays(two_d.keras_densenet()),
        {r"^conv1_(conv|bn)/": r"conv1/\1/", "^predictions/": "fc1000/"},
    ),
    "mobilenet.h5": (
        lambda: two_d.arrays(two_d.keras_mobilenet_v2()),
        {
            r"depthwise/kernel$": "depthwise/depthwise_kernel",
            r"^expanded_conv_(\w+)_BN/": r"bn0_conv_0_bn_\1/",
            r"^expanded_conv_": "mobl0_conv_0_",
            r"^block_(\d+)_(\w+)_BN/": r"bn\1_conv_\1_bn_\2/",
            r"^block_(\d+)_": r"mobl\1_conv_\1_",
            "^predictions/": "Logits/",
        },
    ),
    "densenet.safetensors": (
        lambda: torch_state(two_d.torch_densenet),
        {r"(denselayer\d+\.(?:norm|conv))(\d)": r"\1.\2"},
    ),
}


def torch_state(network: Callable[..., Any], **options: Any) -> dict[str, np.ndarray]:
    net = two_d.Torch()
    network(net, two_d.picture(), **options)
    return net.state


@pytest.mark.parametrize("name", OLDER)
def test_older_spellings(tmp_path: Path, name: str) -> None:
    make, spelling = OLDER[name]
    weights, older = make(), {}
    for today, value in weights.items():
        was = today
        for pattern, text in spelling.items():
            was = re.sub(pattern, text, was)
        older[was] = value
    assert set(older) != set(weights)
    path = tmp_path / name
    if path.suffix == ".h5":
        two_d.write_legacy_h5(path, older)
    else:
        safetensors.numpy.save_file(older, path)
    same(read_source(path, "any").weights, weights)


def test_both_spellings_of_a_weight_in_one_file(tmp_path: Path) -> None:
    weights = torch_state(two_d.torch_densenet)
    today = next(name for name in weights if re.search(r"denselayer1\.norm1", name))
    both = {**weights, today.replace("norm1", "norm.1"): weights[today]}
    safetensors.numpy.save_file(both, tmp_path / "both.safetensors")
    with pytest.raises(ValueError, match=r"both\.safetensors: two weights stand for the same"):
        read_source(tmp_path / "both.safetensors", "any")


def test_spellings_and_networks_of_a_convention_of_the_callers(tmp_path: Path) -> None:
    def build(*, weights: None = None, include_top: bool, classes: int = 3) -> keras.Model:
        clip = keras.Input((2,))
        return keras.Model(clip, keras.layers.Dense(classes, name="old_top")(clip))

    spellings = ((r"old_", "new_"),)
    own = Convention("mine", (), mark="top", spellings=spellings, networks={"mine": build})
    build(include_top=True).save_weights(tmp_path / "x.weights.h5")
    for source in (build(include_top=True), tmp_path / "x.weights.h5"):
        read = read_source(source, "mine", own).weights
        assert set(read) == {"new_top/kernel", "new_top/bias"}


def test_safetensors_whose_first_bytes_are_those_of_a_pickle(tmp_path: Path) -> None:
    header = json.dumps({"x": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", 0x280) + header.ljust(0x280) + np.float16(3).tobytes())
    assert path.read_bytes()[:2] == b"\x80\x02"
    read = read_source(path, "any").weights["x"]
    assert read.dtype == np.float32
    assert read.tolist() == [3]


def zipped(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = [1.0]


def elsewhere(path: Path) -> None:
    (path.parent / "raw").write_bytes(b"abcd")
    two_d.write_legacy_h5(path, {"a/kernel": np.zeros(1, "float32")})
    with h5py.File(path, "a") as file:
        del file["a"]["a/kernel:0"]
        options = {"external": [(str(path.parent / "raw"), 0, 4)]}
        file["a"].create_dataset("a/kernel:0", (1,), "float32", **options)


def linked(path: Path) -> None:
    two_d.write_legacy_h5(path.parent / "all.h5", {"a/kernel": np.zeros(1, "float32")})
    with h5py.File(path, "w") as file:
        file["model_weights"] = h5py.ExternalLink(path.parent / "all.h5", "/")


def numbered(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((3, 4))


def not_finite(path: Path) -> None:
    safetensors.numpy.save_file({"conv1.weight": np.array([np.nan])}, path)


def bfloat16(path: Path) -> Path:
    header = json.dumps({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\x80\x3f")
    return path


def test_bfloat16_is_read_or_refused(tmp_path: Path) -> None:
    """Newer versions of safetensors know it; older ones do not."""
    path = bfloat16(tmp_path / "bf16.safetensors")
    try:
        value = read_source(path, "any").weights["x"]
    except ValueError as error:
        assert re.search(r"bf16\.safetensors.*numpy lacks.*float32", str(error))  # noqa: PT017
    else:
        assert (value.dtype, value.tolist()) == (np.float32, [1.0])


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "resnet50.pth": (lambda path: path.write_bytes(b""), "pickles.*not read.*safetensors.torch"),
    "resnet50.pt": (lambda path: zipped(path, "a/data.pkl"), "pickles"),
    "model.bin": (lambda path: path.write_bytes(b""), "pickles"),
    "pickled.safetensors": (lambda path: path.write_bytes(pickle.dumps([1])), "pickles"),
    "zipped.h5": (lambda path: zipped(path, "archive/data.pkl"), "pickles"),
    "zipped.keras": (lambda path: zipped(path, "config.json"), "Keras cannot load"),
    "cut.safetensors": (lambda path: path.write_bytes(b"\x10\0\0\0\0\0\0\0{"), "not a whole"),
    "empty.safetensors": (lambda path: path.write_bytes(b""), "not a whole"),
    "nan.safetensors": (not_finite, "not finite.*conv1.weight"),
    "cut.h5": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "not a whole HDF5"),
    "other.h5": (hdf5, "not of the weights of a Keras model"),
    "other.weights.h5": (numbered, "'shallow'.*not in keras.applications.*pass that"),
    "elsewhere.h5": (elsewhere, "a/kernel:0 is kept in another file"),
    "linked.h5": (linked, "another file"),
    "weights.npz": (lambda path: path.write_bytes(b""), r"\.h5, \.hdf5, \.keras, \.safetensors"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, name: str) -> None:
    write, message = FILES[name]
    write(tmp_path / name)
    model = rows.built(shallow.RESNET, 5, strategy=FusionStrategy.uniform("S", 3))
    before = two_d.arrays(model)
    with pytest.raises(ValueError, match=f"(?s){re.escape(name)}.*{message}"):
        vdroppath_tf.inflate(model, tmp_path / name)
    same(two_d.arrays(model), before)


def test_a_keras_3_file_of_another_network(tmp_path: Path) -> None:
    numbered(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match=r"a\.weights\.h5: not the weights of.*mobilenet_v2"):
        read_source(tmp_path / "a.weights.h5", "mobilenet_v2")


def test_what_is_neither_a_model_nor_a_file() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h5"):
        read_source("nowhere.h5", "resnet50")
    with pytest.raises(ValueError, match="Received: dict"):
        read_source({}, "resnet50")

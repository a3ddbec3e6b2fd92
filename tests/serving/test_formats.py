"""Every family in every format: converted, run from its file, and compared with the network."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.serving import export_formats, load_artefact
from vdroppath_tf.serving.formats.convert import PACKAGES
from vdroppath_tf.serving.formats.kinds import FORMATS

SHAPE = (4, 24, 24)
SAMPLING = ClipSampling(4, short_edge=24, crop=24)
# a tiny row of each family of the zoo, with all that conversions have failed on
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "resnet": ("next", "S+ST ST -", {"shortcut": "pool"}),
    "resnext, strided shortcut": ("next", "S ST S+ST", {"shortcut": "conv"}),
    "densenet": ("dense", "S - S+ST ST S+ST ST", {"temporal_strides": (2, 1, 2)}),
    "mobilenet_v2": ("mobile", "S ST S+ST ST", {}),
    "micro": ("even", "S - ST S+ST", {}),
}
THERE = [
    name
    for name in FORMATS
    if all(importlib.util.find_spec(one.partition(".")[0]) for one in PACKAGES.get(name, ()))
]


def network_of(family: str) -> Any:
    row, strategy, options = FAMILIES[family]
    return rows.randomized(rows.built(row, strategy=strategy, **options))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_in_every_format(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are installed; 8 bits are compared by their answers."""
    monkeypatch.setenv("CI", "ours")  # OpenVINO is kept quiet by it, and must restore it
    monkeypatch.delenv("NNCF_CI", raising=False)
    sampling = None if family == "micro" else SAMPLING
    network, clips = network_of(family), rows.clips(6, SHAPE)
    expected = tf.nn.softmax(network(clips, training=False)).numpy()
    written = export_formats(network, tmp_path / "1", THERE, sampling=sampling, clips=clips)
    assert [one.format for one in written] == THERE
    assert (os.environ["CI"], "NNCF_CI" in os.environ) == ("ours", False)
    for one in written:
        assert one.format == "openvino-int8" or one.difference.largest <= one.difference.bound
        if sampling is None:
            with pytest.raises(ValueError, match="does not describe how its clips are made"):
                load_artefact(one.path)
        served = load_artefact(one.path, sampling=None if sampling else SAMPLING)
        is_open = sampling is None and one.format == "saved_model"  # the others have one size
        sizes = (None, None, None) if is_open else SHAPE
        assert (served.format, served.clip_shape) == (one.format, (*sizes, 3))
        assert served.sampling == SAMPLING
        close = 0.5 if one.format == "openvino-int8" else 1e-4
        for count in (1, 2, 1):  # any number of clips, in any order
            found = served.answer(clips[:count])
            np.testing.assert_allclose(found, expected[:count], atol=close)
        manifest = json.loads((one.path / "assets.extra" / "manifest.json").read_text())
        assert manifest["artefact"] == one.format
        assert FORMATS[one.format].file in manifest["files"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1"]


@pytest.mark.skipif("openvino-int8" not in THERE, reason="vdroppath_tf[openvino] is missing")
def test_8_bits_convolve_frames_where_depthwise_convolutions_do(tmp_path: Path) -> None:
    """Between clips and frames, OpenVINO would convert to single precision and back."""
    mobile, micro = (_ranks_of_8_bits(name, tmp_path / name) for name in ("mobilenet_v2", "micro"))
    assert mobile.count(5) == 1  # the stem, whose kernel spans time and space
    assert mobile.count(4) == len(mobile) - 1 > 0
    assert set(micro) == {5}


def _ranks_of_8_bits(family: str, folder: Path) -> list[int]:
    """Exports a network in 8 bits, and returns the number of axes of each convolution."""
    openvino: Any = importlib.import_module("openvino")

    clips = rows.clips(2, SHAPE)
    (written,) = export_formats(
        network_of(family), folder, ["openvino-int8"], sampling=SAMPLING, clips=clips
    )
    operations = openvino.Core().read_model(str(written.path / "model.xml")).get_ops()
    kinds = ("Convolution", "GroupConvolution")
    found = [one for one in operations if one.get_type_name() in kinds]
    return [len(one.output(0).partial_shape) for one in found]


def test_what_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of("micro")
    with pytest.raises(ValueError, match=r"Unknown format\. Did you mean 'openvino'"):
        export_formats(network, tmp_path / "1", ["open_vino"])
    with pytest.raises(ValueError, match="formats is empty"):
        export_formats(network, tmp_path / "1", [])
    real = importlib.import_module

    def missing(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in ("tf2onnx", "openvino"):
            raise ImportError("no such package")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    for name, extra in (("onnx", "onnx"), ("openvino-int8", "openvino")):
        with pytest.raises(ValueError, match=rf"pip install 'vdroppath_tf\[{extra}\]'"):
            export_formats(network, tmp_path / "1", [name])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("openvino-int8" not in THERE, reason="vdroppath_tf[openvino] is missing")
def test_8_bits_need_clips(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs your clips"):
        export_formats(network_of("micro"), tmp_path / "1", ["openvino-int8"])


def test_nothing_is_left_where_a_format_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ones that were written before it are gone too."""
    from vdroppath_tf.serving.formats import onnx_files

    def write(*_: Any) -> None:
        return None

    def load(*_: Any) -> Any:
        return lambda clips: (np.full((1, rows.CLASSES), 99.0),) * 2

    monkeypatch.setattr(onnx_files, "write", write)
    monkeypatch.setattr(onnx_files, "load", load)
    monkeypatch.setattr("vdroppath_tf.serving.formats.convert.PACKAGES", {})
    clips = rows.clips(2, SHAPE)
    with pytest.raises(ValueError, match=r"as onnx: its logits differ .* Nothing was written"):
        export_formats(network_of("micro"), tmp_path / "1", ["onnx", "saved_model"], clips=clips)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("onnx" not in THERE, reason="vdroppath_tf[onnx] is missing")
def test_a_size_that_nothing_sets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"onnx is for clips of one size.*\(None, None, None, 3\)"):
        export_formats(network_of("micro"), tmp_path / "1", ["onnx"])


def test_what_is_no_exported_network(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="and no network in another format"):
        load_artefact(tmp_path)

"""A `.keras` file from anyone: refused in one line, before it takes memory or opens other files."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tiny
from abuse_memory import taken

from vdroppath_tf import zoo
from vdroppath_tf.models.keras_file import check_keras_file, count_weights
from vdroppath_tf.training import load_network

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "template.keras"
    tiny.template().save(path)
    return path


def forged(whole: Path, path: Path, name: str, content: bytes, kind: int = 0) -> Path:
    """A copy of a file with one member in place of its own, or beside them."""
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content, kind)
    return path


def config_of(whole: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    with zipfile.ZipFile(whole) as archive:
        config = json.loads(archive.read(CONFIG))
    change(config["config"]["architecture"])
    return json.dumps(config).encode()


def weights_of(whole: Path, change: Callable[[h5py.File], object]) -> bytes:
    with zipfile.ZipFile(whole) as archive:
        held = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(held, "r+") as file:
        change(file)
    return held.getvalue()


def refused(path: Path, words: str) -> None:
    with (
        taken() as memory,
        pytest.raises(ValueError, match=f"^{path}: not a model that .*{words}"),
    ):
        load_network(path)
    assert memory.kib < 200 << 10


def test_a_whole_file_is_read(whole: Path) -> None:
    model: Any
    model, labels = load_network(whole)
    assert len(labels) == model.output_shape[-1]
    held = sum(np.prod(variable.shape) for variable in model.variables)
    assert count_weights(model.architecture) == held


def test_what_is_no_network_of_this_package(whole: Path, tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"own\.keras: .*not .* that vdroppath wrote"):
        load_network(tmp_path / "own.keras")
    (tmp_path / "weights.keras").write_bytes(weights_of(whole, lambda file: None))
    with pytest.raises(ValueError, match=r"weights\.keras: is HDF5 \(perhaps weights without"):
        load_network(tmp_path / "weights.keras")


@pytest.mark.parametrize("name", ["template_micro", "template_resnet50"])
def test_weights_are_counted_without_being_made(name: str) -> None:
    architecture: Any = zoo.get_model(name).architecture
    with taken() as memory:
        assert count_weights(architecture) > 0
    assert memory.kib < 20 << 10
    fresh = keras.Variable(np.zeros(3, "float32"))  # those that were counted are never made
    assert fresh.numpy().tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_classes", 10**9),
        ("num_classes", 10**6),
        ("channels", 10**9),
        ("num_classes", -1),
        ("num_classes", "many"),
        ("strategy", "S" * 10**6),
        ("row", {}),
        ("family", "none"),
        ("branches", ["S"] * 1000),
        ("clip_shape", [10**18] * 3),
    ],
)
def test_a_network_that_the_file_does_not_hold(
    whole: Path, tmp_path: Path, field: str, value: Any
) -> None:
    config = config_of(whole, lambda architecture: architecture.update({field: value}))
    refused(forged(whole, tmp_path / "forged.keras", CONFIG, config), "")


@pytest.mark.parametrize(
    ("registered", "kind"), [(None, "Functional"), ("vdroppath_tf>FusionModel2", "FusionModel")]
)
def test_another_class_with_an_architecture(
    whole: Path, tmp_path: Path, registered: str | None, kind: str
) -> None:
    """Its layers would be built from what the file says, not from the architecture."""
    with zipfile.ZipFile(whole) as archive:
        config = json.loads(archive.read(CONFIG))
    config |= {"registered_name": registered, "class_name": kind, "module": "keras"}
    dense = keras.Sequential([keras.Input((1 << 14,)), keras.layers.Dense(1)]).get_config()
    dense["layers"][1]["config"]["units"] = 1 << 17
    config["config"] |= dense
    path = forged(whole, tmp_path / "forged.keras", CONFIG, json.dumps(config).encode())
    refused(path, "it is no vdroppath_tf>FusionModel")


def test_a_larger_row(whole: Path, tmp_path: Path) -> None:
    def grow(architecture: dict[str, Any]) -> None:
        architecture["row"]["stages"][0]["filters"] = 16384

    config = config_of(whole, grow)
    refused(forged(whole, tmp_path / "forged.keras", CONFIG, config), "weights, but the file holds")


def _compressed(file: h5py.File) -> None:
    file.create_dataset("zeros", (1 << 28,), "f4", compression="gzip", chunks=(1 << 20,))


def _empty(file: h5py.File) -> None:
    file.create_dataset("zeros", (1 << 40,), "f4")


def _elsewhere(file: h5py.File) -> None:
    file["other"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft(file: h5py.File) -> None:
    file["other"] = h5py.SoftLink("/layers")


def _outside(file: h5py.File) -> None:
    file.create_dataset("raw", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _circle(file: h5py.File) -> None:
    for name in list(file["layers"]):
        del file["layers"][name]
    file["layers/again"] = file["/"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_compressed, "does not hold them"),
        (_empty, "does not hold them"),
        (_elsewhere, "is a link to elsewhere"),
        (_soft, "is a link to elsewhere"),
        (_outside, "does not hold them"),
        (_circle, "weights, but the file holds"),
    ],
)
def test_weights_that_are_not_there(
    whole: Path, tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    content = weights_of(whole, change)
    refused(forged(whole, tmp_path / "forged.keras", WEIGHTS, content), words)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_member_that_unpacks_to_gigabytes(whole: Path, tmp_path: Path, name: str) -> None:
    content = bytes(1 << 27)
    path = forged(whole, tmp_path / "forged.keras", name, content, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    del content
    refused(path, "bytes, expected .* at most")


def test_many_members(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "forged.keras"
    shutil.copy(whole, path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(100):
            archive.writestr(f"assets/{number}", b"")
    refused(path, "expected config.json and model.weights.h5")


@pytest.mark.parametrize("text", [b"", b"[" * 100_000, b"null", b"[]", b'{"config": 1}', b"\xff"])
def test_a_configuration_that_is_none(whole: Path, tmp_path: Path, text: bytes) -> None:
    refused(forged(whole, tmp_path / "forged.keras", CONFIG, text), "")


def test_wherever_it_is_cut_or_changed(whole: Path, tmp_path: Path) -> None:
    """Bytes that are lost or flipped end in the one message, or change nothing that is read."""
    content = whole.read_bytes()
    path = tmp_path / "damaged.keras"
    rng = np.random.default_rng(0)
    for cut in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        refused(path, "")
    for place in rng.integers(len(content), size=40):
        flipped = bytearray(content)
        flipped[place] ^= 0xFF
        path.write_bytes(flipped)
        try:
            check_keras_file(str(path))
        except Exception:
            refused(path, "")

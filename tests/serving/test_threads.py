"""The threads of TensorFlow in a server of small networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import write_json
from vdroppath_tf.serving import threads
from vdroppath_tf.serving.beside import EXTRA, MANIFEST_FILE, MANIFEST_FORMAT, write_sampling
from vdroppath_tf.serving.threads import few_threads

INTRA, INTER = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
SMALL: dict[str, Any] = {
    "macs": 50_000_000,
    "macs_of_a_clip_of": [8, 56, 56],
}  # 200 million of 8x112x112


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTRA, raising=False)
    monkeypatch.delenv(INTER, raising=False)
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)


def _export(folder: Path, folded: dict[str, Any] | None, crop: int | None = 112) -> Path:
    (folder / EXTRA).mkdir(parents=True)
    write_sampling(folder, ClipSampling(8, crop=crop))
    write_json(folder / EXTRA / MANIFEST_FILE, {"format": MANIFEST_FORMAT, "folded": folded})
    return folder


def _threads(*folders: Path) -> tuple[str | None, str | None]:
    with few_threads(folders):
        return os.environ.get(INTRA), os.environ.get(INTER)


@pytest.mark.parametrize(("cores", "expected"), [(1, "1"), (2, "1"), (7, "1"), (8, "2")])
def test_small_networks_leave_cores_to_decoding(
    tmp_path: Path, cores: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: cores)
    assert _threads(_export(tmp_path / "1", SMALL)) == (expected, expected)
    assert INTRA not in os.environ
    assert INTER not in os.environ


def test_other_networks_have_all_cores(tmp_path: Path) -> None:
    small = _export(tmp_path / "small", SMALL)
    large = _export(tmp_path / "large", {**SMALL, "macs": SMALL["macs"] + 1})
    assert _threads(large) == (None, None)
    assert _threads(small, large) == (None, None)
    assert _threads(_export(tmp_path / "not folded", None)) == (None, None)
    assert _threads(_export(tmp_path / "frames of any size", SMALL, crop=None)) == (None, None)
    assert _threads(tmp_path) == (None, None)  # an older export, without a manifest
    (small / EXTRA / MANIFEST_FILE).write_text("{")  # loading it names what is wrong
    assert _threads(small) == (None, None)


def test_a_setting_that_exists_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTRA, "3")
    assert _threads(_export(tmp_path / "1", SMALL)) == ("3", None)
    assert os.environ[INTRA] == "3"

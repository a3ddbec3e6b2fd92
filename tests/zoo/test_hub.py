"""Models on the Hugging Face Hub, as docs/derive.md describes them, without a network."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.src.saving import saving_lib

from vdroppath_tf import zoo


def test_without_its_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saving_lib, "huggingface_hub", None)
    network = zoo.template_micro(weights="motion")
    with pytest.raises(ImportError, match=r"must install the `huggingface_hub` package"):
        network.save("hf://user/name")


def test_a_network_comes_back_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in keeps in a folder what Keras uploads, and gives it to whoever downloads."""

    class Api:
        def __init__(self, **about: str) -> None:
            assert about["library_name"] == "keras"

        def create_repo(self, repository: str, exist_ok: bool) -> SimpleNamespace:
            assert (repository, exist_ok) == ("user/name", True)
            return SimpleNamespace(repo_id=repository)

        def upload_folder(self, *, repo_id: str, folder_path: str, **_: str) -> None:
            shutil.copytree(folder_path, tmp_path / repo_id)

    def snapshot_download(*, repo_id: str, **_: str) -> str:
        return str(tmp_path / repo_id)

    hub = SimpleNamespace(HfApi=Api, snapshot_download=snapshot_download)
    monkeypatch.setattr(saving_lib, "huggingface_hub", hub)
    monkeypatch.setattr(saving_lib, "check_pydot", lambda: False)  # with it, graphviz is needed
    network = zoo.template_micro(weights="motion")
    network.save("hf://user/name")
    assert "Keras" in (tmp_path / "user" / "name" / "README.md").read_text()  # a card of its own
    loaded = keras.saving.load_model("hf://user/name")
    clips = np.random.default_rng(0).integers(0, 256, (2, 8, 32, 32, 3), "uint8")
    assert np.array_equal(loaded.predict(clips, verbose=0), network.predict(clips, verbose=0))

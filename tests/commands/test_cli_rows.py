"""`--network=row.json`: a network of one's own from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest
import rows
import tiny

from vdroppath_tf import zoo
from vdroppath_tf.cli import main
from vdroppath_tf.models.families import row_in
from vdroppath_tf.training import Recipe


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a row that has no name in the zoo."""
    path = tmp_path_factory.mktemp("rows") / "tiny.json"
    zoo.save_row(rows.TINY, path)
    return path


def train(network: object, motion: Any, out: Path) -> int:
    """`vdroppath train` for one epoch."""
    sizes = [f"--frames={tiny.SHAPE[0]}", f"--batch_size={tiny.BATCH}"]
    phases = ["--warmup_epochs=0", "--search_epochs=1", f"--data={motion.folder}/train.txt"]
    return main(["train", f"--network={network}", *sizes, *phases, f"--out={out}"])


def test_a_file_is_trained_and_not_needed_again(file: Path, motion: Any, tmp_path: Path) -> None:
    own = tmp_path / "mine.json"
    own.write_bytes(file.read_bytes())
    assert train(own, motion, tmp_path / "run") == 0
    own.unlink()
    assert "tiny" not in zoo.list_networks()
    model = keras.saving.load_model(tmp_path / "run" / "template.keras")
    assert row_in(model.architecture) == rows.TINY
    recipe = Recipe.from_json((tmp_path / "run" / "recipe.json").read_text())
    assert (recipe.network, recipe.row) == ("tiny", {"family": "resnet", "row": rows.TINY.values()})
    text = ["--strategy=S ST", f"--out={tmp_path}/derived.keras"]
    assert main(["derive", f"--model={tmp_path}/run/template.keras", *text]) == 0


def test_what_it_has_and_costs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", f"--name={file}", "--clip_shape=4,16,16"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["tiny", "2", "4"]


def test_a_wrong_file_is_named(
    file: Path, motion: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = json.loads(file.read_text())
    fields["row"]["stages"][1]["filters"] = -8
    (tmp_path / "bad.json").write_text(json.dumps(fields))
    assert train(tmp_path / "bad.json", motion, tmp_path / "run") != 0
    message = capsys.readouterr().err
    assert f"{tmp_path}/bad.json: stages[1]: filters must be" in message
    assert "Received: -8" in message

"""`vdroppath derive` and `vdroppath export`: the chosen strategy, and what cannot be written."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny
from command_lines import said

from vdroppath_tf.commands.export import numbers_for_names
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Recipe


def test_the_selected_strategy_was_derived(chain: Path) -> None:
    scores = json.loads((chain / "run" / "scores.json").read_text())
    assert (scores["format"], scores["architecture"]) == ("vdroppath_tf.scores/2", "nano")
    top1 = [row["top1"] for row in scores["scores"]]
    assert top1 == sorted(top1, reverse=True)
    assert 1 <= len(top1) <= 4
    told = json.loads((chain / "run" / "derived.run" / "run.json").read_text())
    chosen = scores["selection"]["strategy"]
    assert told["network"]["strategy"] == chosen
    assert chosen in scores["selection"]["not_told_apart"]
    assert (
        told["network"]["dropout"]
        == Recipe.from_json((chain / "run" / "recipe.json").read_text()).finetune_dropout
    )


def test_mode_is_what_is_derived_where_nothing_is_named(
    call: Any, chain: Path, tmp_path: Path
) -> None:
    done = call("derive", f"--model={chain}/run/template.keras", f"--out={tmp_path}/x.keras")
    assert done.code == 0
    mode = ProbabilitySpace.load(chain / "run" / "space.json").mode()
    assert f"Strategy: {mode}" in done.error
    assert FusionStrategy.parse(str(mode)).units == mode.units


@pytest.mark.newest
def test_the_other_rule_can_be_asked_for(call: Any, chain: Path, tmp_path: Path) -> None:
    """Of a file whose last strategy ties with the first, and is S everywhere."""
    scores = json.loads((chain / "run" / "scores.json").read_text())
    first = {**scores["scores"][0], "strategy": "S+ST S+ST S+ST"}
    scores["scores"] = [first, {**first, "strategy": "S S S", "top1": 0.0}]
    scores["selection"] |= {"strategy": "S S S", "not_told_apart": ["S+ST S+ST S+ST", "S S S"]}
    scores["selection"]["rows"][0]["strategy"] = "S S S"
    file = tmp_path / "scores.json"
    file.write_text(json.dumps(scores))
    line = ["derive", f"--model={chain}/run/template.keras", f"--scores={file}"]
    for rule, wanted in (("accurate", "S+ST S+ST S+ST"), ("cheapest", "S S S")):
        done = call(*line, f"--choose={rule}", f"--out={tmp_path}/{rule}.keras")
        assert f"Strategy: {wanted}\n" in done.error
    message = said(
        call(*line, "--strategy=S S S", "--choose=cheapest", f"--out={tmp_path}/x.keras")
    )
    assert "--choose and --strategy both choose a strategy" in message


@pytest.mark.newest
def test_bad_strategies(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    model = f"--model={chain}/run/template.keras"
    data = f"--data={motion.folder}/validation.txt"
    out = f"--out={tmp_path}/x.keras"
    assert re.search("2.*3|3.*2", said(call("derive", model, "--strategy=S S", out)))
    assert "'X'" in said(call("derive", model, "--strategy=S S X", out))
    done = call("evaluate", model, data, "--strategy=S S S S")
    assert re.search("4.*3|3.*4", done.error)
    assert done.code == 1
    scores = tmp_path / "scores.json"
    fields = {"format": "vdroppath_tf.scores/2", "architecture": "resnet50", "scores": []}
    fields |= {"protocol": "paper-1clip", "data": []}
    scores.write_text(json.dumps({**fields, "selection": {"strategy": "S S S"}}))
    message = said(call("derive", model, f"--scores={scores}", out))
    assert "resnet50" in message
    assert "nano" in message
    for text in ("", "[]", json.dumps({**fields, "selection": {}})):
        scores.write_text(text)
        assert "scores.json: holds no scores" in said(
            call("derive", model, f"--scores={scores}", out)
        )
    assert list(tmp_path.iterdir()) == [scores]


@pytest.mark.newest
def test_bad_calls_of_derive_and_export(
    call: Any, chain: Path, motion: Any, tmp_path: Path
) -> None:
    model = f"--model={chain}/run/template.keras"
    assert "ends in .keras" in said(call("derive", model, f"--out={tmp_path}/x.h5"))
    message = said(call("derive", model, "--finetune", f"--out={tmp_path}/x.keras"))
    assert "--finetune has no effect without --train_data" in message
    for flag in ("--columns=path,label", "--split=2", "--noallow_empty"):
        message = said(call("derive", model, flag, f"--out={tmp_path}/x.keras"))
        name = flag.partition("=")[0].replace("--no", "--")
        assert f"{name} has no effect without --train_data" in message
    train = f"--train_data={motion.folder}/train.txt"
    message = said(call("derive", model, train, "--split=nan", f"--out={tmp_path}/x.keras"))
    assert "--split=nan: only a number holds for --train_data. Pass --train_data_split" in message
    assert list(tmp_path.iterdir()) == []
    before = tiny.tree(chain)
    derived = f"--model={chain}/run/derived.keras"
    assert "is there already" in said(call("export", derived, f"--out={chain}/served/1"))
    (tmp_path / "labels.txt").write_text("one\ntwo\n")
    done = call("export", derived, f"--labels={tmp_path}/labels.txt", f"--out={tmp_path}/1")
    assert "4 classes. Received: 2 labels" in said(done)
    assert tiny.tree(chain) == before


@pytest.mark.newest
def test_what_has_no_phase_or_no_gates(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    for name in ("template.keras", "labels.txt"):
        shutil.copy(chain / "run" / name, tmp_path)
    recipe = Recipe.from_json((chain / "run" / "recipe.json").read_text()).replace(finetune=None)
    (tmp_path / "recipe.json").write_text(recipe.to_json())
    more = [
        "--finetune",
        f"--train_data={motion.folder}/train.txt",
        f"--out={tmp_path}/new/x.keras",
    ]
    message = said(call("derive", f"--model={tmp_path}/template.keras", *more))
    assert f"--finetune: the recipe of {tmp_path}/template.keras has no phase finetune." in message
    line = ["derive", f"--model={chain}/run/derived.keras", "--strategy=S S S"]
    message = said(call(*line, f"--out={tmp_path}/new/x.keras"))
    assert "has no gated fusion layers, so it is not a template" in message


def test_classes_without_names_are_exported_with_a_warning(tmp_path: Path) -> None:
    """Also where training wrote their numbers, since its list had no names."""
    model, file = str(tmp_path / "derived.keras"), tmp_path / "labels.txt"
    warning = numbers_for_names(model, ("0", "1", "2"))
    assert warning is not None
    assert f"{file} is missing, so the exported network names its classes 0 to 2." in warning
    assert "--labels" in warning
    file.write_text("0\n1\n2\n")
    warning = numbers_for_names(model, ("0", "1", "2"))
    assert warning is not None
    assert f"{file} only has the numbers of the classes, so" in warning
    assert numbers_for_names(model, ("up", "1", "2")) is None


def test_export_says_that_labels_are_missing(call: Any, chain: Path, tmp_path: Path) -> None:
    for name in ("derived.keras", "recipe.json"):
        shutil.copy(chain / "run" / name, tmp_path)
    line = ("export", f"--model={tmp_path}/derived.keras", f"--out={tmp_path}/1", "--overwrite")
    done = call(*line)
    assert done.code == 0, done.error
    assert done.error.count(f"{tmp_path}/labels.txt is missing, so") == 1
    assert "is missing" not in call(*line, f"--labels={chain}/run/labels.txt").error


@pytest.mark.skipif(not importlib.util.find_spec("tf2onnx"), reason="vdroppath_tf[onnx] is missing")
def test_export_in_another_format(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    """Compared on the videos that are named; `vdroppath test` and `predict` take it."""
    videos = f"--data={motion.folder}/test.txt"
    derived = f"--model={chain}/run/derived.keras"
    out = tmp_path / "served" / "1"
    done = call("export", derived, videos, "--clips=4", "--format=onnx", f"--out={out}")
    assert done.code == 0, done.error
    assert re.search(r"Wrote .*/1/onnx: onnx, logits within .* on 4 clips", done.error)
    manifest = json.loads((out / "onnx" / "assets.extra" / "manifest.json").read_text())
    assert manifest["difference"]["source"] == f"{motion.folder}/test.txt"
    assert manifest["space"]["file"] == "space.json"
    assert manifest["recipe"]["network"] == "nano"
    tested = []
    for model in (out, chain / "run" / "derived.keras"):
        result = tmp_path / "result.json"
        done = call("test", f"--model={model}", videos, "--protocol=paper-1clip", f"--out={result}")
        assert done.code == 0, done.error
        tested.append(json.loads(result.read_text())["top1"])
    assert tested[0] == tested[1]
    one = motion.manifest("test").entries[0].path
    assert call("predict", f"--model={out}", one).code == 0


def test_bad_formats(call: Any, chain: Path, tmp_path: Path) -> None:
    derived, out = f"--model={chain}/run/derived.keras", f"--out={tmp_path}/1"
    message = said(call("export", derived, out, "--format=saved_model,open_vino"))
    assert "Did you mean 'openvino'" in message
    message = said(call("export", derived, out, "--format=onnx", "--nofold"))
    assert "--nofold is for --format=saved_model" in message
    message = said(call("export", derived, out, "--format=openvino-int8"))
    assert re.search(r"needs your clips.*--data|vdroppath_tf\[openvino\]", message)
    assert list(tmp_path.iterdir()) == []

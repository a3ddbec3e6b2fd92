"""The `vdroppath` command: help, wrong calls, and models that are none."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from absl import flags
from command_lines import said

from vdroppath_tf.cli import COMMANDS


def example_of(name: str) -> list[str]:
    return shlex.split(COMMANDS[name].EXAMPLE)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_has_an_example_that_can_be_called(call: Any, name: str) -> None:
    done = call(name, "--help")
    assert (done.code, done.error) == (0, "")
    assert COMMANDS[name].EXAMPLE in done.out
    program, command, *rest = example_of(name)
    assert (program, command) == ("vdroppath", name)
    values = flags.FlagValues()
    COMMANDS[name].define(values)
    values([program, *rest])  # every flag exists, every value has its type
    for flag in values:
        assert f"--{flag} " in done.out
        assert values[flag].help


def test_help_lists_the_commands(call: Any) -> None:
    done = call("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in done.out
    assert call().code == 2


def test_wrong_calls(call: Any) -> None:
    assert "there is no command 'trian'" in call("trian").error
    assert call("trian").code == 2
    for line, words in (
        ("train --out=x", "train: --data is needed: training videos: list, annotation file"),
        ("train --data=x", "train: --out is needed: folder for checkpoints"),
        ("train --data=x --out=y --frames=eight", "--frames=eight: expected a whole number"),
        ("train --data=x --out=y --learning_rate=-", "--learning_rate=-: expected a number"),
        ("train --data=x --out=y --epochs=3", "epochs"),
        ("train --data=x --out=y --batch_size=many", "many"),
        ("evaluate --model=x --data=y --draws=0", "draws"),
        ("space --model=x y.keras", "takes flags only. Received: y.keras"),
        ("predict --model", "model"),
    ):
        message = said(call(*shlex.split(line)), code=2)
        assert words in message
        assert message.endswith("--help.")


def test_a_server_names_the_package_that_it_lacks(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name)
    )
    message = said(call("serve", tmp_path, "--port=0"))
    assert "A server needs uvicorn. Install it with pip install 'vdroppath_tf[serve]'." in message


def test_flags_of_the_dispatcher_and_of_its_workers(call: Any, tmp_path: Path) -> None:
    line = ["dataservice", "--dispatcher=localhost:1", f"--journal={tmp_path}/journal"]
    assert "--journal is for the dispatcher, and --dispatcher makes a worker" in said(call(*line))


def test_a_missing_recipe(call: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "plan" / "recipe.json"
    message = said(call("train", "--data=x", f"--recipe={recipe}", f"--out={tmp_path}/run"))
    assert f"--recipe={recipe}: there is no such file. Expected one of small, " in message


@pytest.mark.parametrize("line", ["--help", "models"])
def test_a_closed_pipe_ends_a_command_without_a_message(line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "vdroppath_tf", line]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_bad_models(call: Any, chain: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(b"no zip")
    export = ("export", f"--model={tmp_path}/bad.keras", f"--out={tmp_path}/served")
    assert "recipe.json is missing" in said(call(*export))
    recipe = tmp_path / "recipe.json"
    recipe.write_text("{}")
    assert "recipe.json: This is not a recipe" in said(call(*export))
    shutil.copy(chain / "run" / "recipe.json", recipe)
    message = said(call("space", f"--model={tmp_path}/bad.keras"))
    assert "bad.keras: not a model that vdroppath wrote, or damaged" in message
    whole = (chain / "run" / "template.keras").read_bytes()
    (tmp_path / "bad.keras").write_bytes(whole[: len(whole) // 2])
    assert "bad.keras: not a model" in said(call("space", f"--model={tmp_path}/bad.keras"))
    shutil.copy(chain / "run" / "template.keras", tmp_path / "good.keras")
    (tmp_path / "labels.txt").write_text("one\ntwo\n")
    message = said(call("space", f"--model={tmp_path}/good.keras"))
    assert "labels.txt: lists 2 classes" in message
    message = said(call("predict", f"--model={tmp_path}", "a.mp4"))
    assert "holds no SavedModel" in message
    for command in (["test", "--data=x"], ["space"]):
        message = said(call(*command, f"--model={chain}/run"))
        assert f"run is a folder. Pass a model in it: {chain}/run/derived.keras, " in message
    assert "Name at least one video" in said(call("predict", f"--model={chain}/served/1"))

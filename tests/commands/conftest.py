"""What the tests of commands share: a chain of commands that were called once."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_lines import Done

from vdroppath_tf.cli import main


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in this process."""

    def run(*arguments: Any) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def chain(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands were called one after another. Change nothing of it."""
    folder = tmp_path_factory.mktemp("chain")
    task, run = motion.folder, folder / "run"
    model, derived = run / "template.keras", run / "derived.keras"
    lines = [
        f"train --network=nano --frames=4 --batch_size=8 --data={task}/train.txt"
        f" --validation={task}/validation.txt --warmup_epochs=1 --search_epochs=1 --out={run}",
        f"evaluate --model={model} --data={task}/validation.txt --train_data={task}/train.txt"
        f" --draws=3 --out={run}/scores.json",
        f"derive --model={model} --scores={run}/scores.json --train_data={task}/train.txt"
        f" --finetune --out={derived}",
        f"export --model={derived} --out={folder}/served/1",
    ]
    for line in lines:
        assert main(shlex.split(line)) == 0, line
    return folder


@pytest.fixture
def task(motion: Any, tmp_path: Path) -> Path:
    """A copy of the task, to damage."""
    return Path(shutil.copytree(motion.folder, tmp_path / "task"))

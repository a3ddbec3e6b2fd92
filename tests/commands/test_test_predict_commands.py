"""`vdroppath test` and `vdroppath predict`: answers, files, and videos that cannot be read."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import DAMAGE, said


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("run/derived.keras", []),
        pytest.param(
            "run/template.keras",
            ["--strategy=S ST S+ST", "--protocol=paper-2clip"],
            marks=pytest.mark.newest,
        ),
        ("served/1", ["--protocol=paper-2clip"]),
    ],
)
def test_test(
    call: Any, chain: Path, motion: Any, tmp_path: Path, model: str, options: list[str]
) -> None:
    """A network, a template with a strategy, a SavedModel; clips are whole videos here."""
    done = call(
        "test",
        f"--model={chain}/{model}",
        f"--data={motion.folder}/test.txt",
        f"--out={tmp_path}/result.json",
        f"--scores={tmp_path}/scores.npz",
        f"--confusion={tmp_path}/confusion.csv",
        f"--per_class={tmp_path}/classes.csv",
        *options,
    )
    assert done.code == 0, done.error
    result = json.loads((tmp_path / "result.json").read_text())
    name = "paper-2clip" if options else "paper-1clip"  # the recipe's
    assert (result["format"], result["protocol"]["name"]) == ("vdroppath_tf.test/1", name)
    assert (result["data"]["listed"], result["data"]["scored"]) == (8, 8)
    derived = json.loads((chain / "run" / "scores.json").read_text())["selection"]["strategy"]
    strategies = {"template": "S ST S+ST", "derived": derived, "1": None}
    assert result["strategy"] == strategies[Path(model).stem]
    assert result.get("architecture") == (None if Path(model).stem == "1" else "nano")
    assert f"{name}: 8 of 8 videos" in done.out
    low, high = result["top1_interval"]
    assert 0.0 <= low < high <= 1.0
    assert f"top-1  {result['top1']:.4f} [{low:.4f}, {high:.4f}]" in done.out
    with np.load(tmp_path / "scores.npz", allow_pickle=False) as scores:
        right = scores["probabilities"].argmax(1) == scores["labels"]
        assert right.mean() == result["top1"]
        assert scores["videos"].tolist() == [e.path for e in motion.manifest("test")]
        pairs = list(zip(scores["labels"], scores["probabilities"].argmax(1), strict=True))
    with open(tmp_path / "confusion.csv", newline="") as file:
        (corner, *names), *lines = csv.reader(file)
    assert (corner, tuple(names)) == ("true class / answer", motion.labels)
    counts = np.array([line[1:] for line in lines], int)
    assert all(counts[pair] == pairs.count(pair) for pair in pairs)
    assert counts.sum() == 8
    with open(tmp_path / "classes.csv", newline="") as file:
        classes = list(csv.DictReader(file))
    assert [line["class"] for line in classes] == list(motion.labels)
    assert [int(line["correct"]) for line in classes] == counts.diagonal().tolist()
    assert result["answers"]["hash"] == motion.manifest("test").digest()
    again = call(
        "test",
        f"--model={chain}/{model}",
        f"--data={motion.folder}/test.txt",
        *options,
        f"--confusion={tmp_path}/confusion.csv",
        f"--per_class={tmp_path}/classes.csv",
    )
    assert again.code == 0  # its own files are replaced


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--strategy=S S S"], "--strategy: a SavedModel runs the one it was exported with."),
        (["--train_data=x"], "--train_data: a SavedModel keeps its batch-norm statistics."),
        ([], "--protocol is needed with a SavedModel: paper-1clip, "),
    ],
)
def test_what_an_exported_network_has_or_lacks(
    call: Any, chain: Path, motion: Any, flags: list[str], message: str
) -> None:
    line = ["test", f"--model={chain}/served/1", f"--data={motion.folder}/test.txt"]
    assert message in said(call(*line, *flags))


def test_predict(call: Any, chain: Path, motion: Any) -> None:
    files = [entry.path for entry in motion.manifest("test").entries[:3]]
    done = call("predict", f"--model={chain}/served/1", "--json", "--top=4", *files)
    assert done.code == 0
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["file"] for answer in answers] == files
    for answer in answers:
        assert set(answer) == {"file", "label", "probabilities", "frames"}
        assert set(answer["probabilities"]) == set(motion.labels)
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
        assert answer["frames"] == [[0, 1, 2, 3]]
        assert max(answer["probabilities"], key=answer["probabilities"].get) == answer["label"]
    shown = call("predict", f"--model={chain}/served/1", "--top=2", *files)
    for line, answer in zip(shown.out.splitlines(), answers, strict=True):
        (first, p), _ = list(answer["probabilities"].items())[:2]
        assert line.startswith(f"{answer['file']}: {first} {p:.3f}, ")
        assert line.count(", ") == 1


def test_in_a_process_of_its_own(chain: Path, motion: Any) -> None:
    """Answers on stdout and nothing else there; errors on stderr, in one line."""
    file = motion.manifest("test").entries[0].path
    command = [sys.executable, "-m", "vdroppath_tf", "predict", f"--model={chain}/served/1"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*command, "--json", file, "missing.mp4"],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["file"] == file
    said = [line for line in done.stderr.splitlines() if "vdroppath" in line]
    assert len(said) == 1
    assert said[0].startswith("vdroppath predict: ")
    assert "missing.mp4" in said[0]
    assert "Traceback" not in done.stderr


@pytest.mark.newest
def test_predict_goes_on_after_a_bad_video(call: Any, chain: Path, motion: Any) -> None:
    first, last = (entry.path for entry in motion.manifest("test").entries[:2])
    files = [first, "missing.mp4", last]
    done = call("predict", f"--model={chain}/served/1", "--json", *files)
    assert done.code == 1
    assert [json.loads(line)["file"] for line in done.out.splitlines()] == [first, last]
    each, whole = [line for line in done.error.splitlines() if "missing.mp4" in line]
    assert not each.startswith("vdroppath")
    assert whole.startswith("vdroppath predict: 1 of 3 videos have no answer")


@pytest.mark.newest
def test_what_is_no_model_is_named(call: Any, chain: Path) -> None:
    for file, kind in (("space.json", "space"), ("recipe.json", ""), ("scores.json", "scores")):
        message = said(call("space", f"--model={chain}/run/{file}"))
        assert f"{file}: is JSON{f' of vdroppath_tf.{kind}/' if kind else ''}" in message
        assert "Expected a .keras file" in message
    assert "is a SavedModel" in said(call("space", f"--model={chain}/served/1"))


@pytest.mark.newest
@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_videos_to_predict(call: Any, chain: Path, task: Path, kind: str) -> None:
    damage, message = DAMAGE[kind]
    path = task / "test" / "000003.mp4"
    damage(path)
    assert re.search(
        rf"000003\.mp4: .*({message})", said(call("predict", f"--model={chain}/served/1", path))
    )

"""`vdroppath explain`: pictures, maps, classes by name or number, and its section of the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from command_lines import said

from vdroppath_tf import analysis, cli
from vdroppath_tf.analysis import Explanation
from vdroppath_tf.commands import choices
from vdroppath_tf.commands.explain import class_of, names_of
from vdroppath_tf.report import EXPLAINED, read_explained


def test_explain(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    """A derived network and a template with a strategy; the report shows what was explained."""
    files = [entry.path for entry in motion.manifest("test").entries[:2]]
    model, out = chain / "run" / "derived.keras", tmp_path / "explained"
    done = call("explain", f"--model={model}", f"--out={out}", *files)
    assert done.code == 0, done.error
    written = json.loads((out / "explained.json").read_text())
    assert [one["video"] for one in written["videos"]] == files
    for one, file in zip(written["videos"], files, strict=True):
        assert one["class"] == one["predicted"]
        assert f"{file}: evidence for {one['class']}" in done.out
        found = Explanation.load(out / one["file"])
        assert found.clip.shape == (4, 16, 16, 3)
        picture = matplotlib.image.imread((out / one["file"]).with_suffix(".png"))
        assert picture[..., :3].std() > 0.05
    again = call("explain", f"--model={model}", f"--out={out}", "--class=1", files[0])
    assert again.code == 0, again.error  # its own folder is used again
    (entry,) = read_explained(out)
    assert entry.found.label == 1
    page = tmp_path / "page.html"
    space = f"--space={chain}/run/space.json"
    assert call("report", space, f"--explained={out}", f"--out={page}").code == 0
    assert "What each branch looks at" in page.read_text()

    template = [f"--model={chain}/run/template.keras", "--strategy=S ST -"]
    name = motion.labels[2]
    args = [f"--class={name}", "--method=hires-cam", f"--out={tmp_path}/of", files[0]]
    done = call("explain", *template, *args)
    assert done.code == 0, done.error
    shares = [line.split() for line in done.out.splitlines() if line.startswith("  ")]
    assert [words[1] for words in shares] == ["S", "ST"]
    assert len({words[0] for words in shares}) == 2
    assert f"evidence for {name}" in done.out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Name at least one video file"),
        (["--class=4", "a.mp4"], "--class=4: expected a number from 0 to 3"),
        (["--class=rihgt", "a.mp4"], "--class: Unknown class. Did you mean 'right'"),
        (["--strategy=S S S", "a.mp4"], "--strategy is for a template"),
        (["--train_data=x.txt", "a.mp4"], "--train_data is for a template; "),
        (["missing.mp4"], r"missing\.mp4"),
        (["--split=1", "a.mp4"], "--split has no effect without --train_data"),
    ],
)
def test_what_cannot_be_explained(
    call: Any, chain: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    model = f"--model={chain}/run/derived.keras"
    done = call("explain", model, f"--out={tmp_path}/out", *flags)
    assert message.replace("\\", "") in said(done)
    assert not (tmp_path / "out").exists()


def test_classes_and_names() -> None:
    assert choices.METHODS == analysis.METHODS
    assert cli.flags_of("explain")["out"].mark == EXPLAINED
    assert class_of("2", ["a", "b", "2", "c"]) == 2
    assert class_of("1", ["1", "0"]) == 0  # a class of that name comes first
    assert list(names_of(["a/x.mp4", "b/x.avi", "x-2.mp4"])) == ["x", "x-2", "x-2-2"]


def test_damaged_explanations(call: Any, chain: Path, tmp_path: Path) -> None:
    folder = tmp_path / "explained"
    folder.mkdir()
    space, out = f"--space={chain}/run/space.json", f"--out={tmp_path}/page.html"
    done = call("report", space, f"--explained={folder}", out)
    assert "explained.json: there is no such file" in said(done)
    one = {"video": "a.mp4", "file": "../a.npz"}
    fields = {"model": "m", "classes": ["a"], "videos": [one]}
    text = json.dumps({"format": "vdroppath_tf.explained_videos/1", **fields})
    (folder / "explained.json").write_text(text)
    np.savez(folder / "a.npz", clip=np.zeros(3))
    done = call("report", space, f"--explained={folder}", out)
    assert "explained/a.npz: not a file of" in said(done)  # and not the one above the folder

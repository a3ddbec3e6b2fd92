"""No command writes over its input or over what it did not make, and it says so before any work."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from absl import flags

from vdroppath_tf import cli
from vdroppath_tf.commands.flag_kinds import Text
from vdroppath_tf.commands.places import Output, check_places
from vdroppath_tf.spaces.space import ProbabilitySpace

FILES = {
    (command, flag.name): flag
    for command in cli.COMMANDS
    for flag in (cli.flags_of(command)[name] for name in cli.flags_of(command))
    if isinstance(flag, Output)
}
NAMES_OF_OUTPUTS = ("out", "figure", "figures", "pareto", "measure_latency")


def checked(command: str, *arguments: str) -> None:
    """What `vdroppath` checks of a command's outputs before it runs."""
    values = cli.flags_of(command)
    check_places(values, values(["vdroppath", *arguments])[1:])


def by_kind(*, folder: bool) -> list[tuple[str, str]]:
    return [key for key, flag in FILES.items() if flag.folder == folder]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_place_to_write_is_declared(command: str) -> None:
    for name in cli.flags_of(command):
        assert name not in NAMES_OF_OUTPUTS or (command, name) in FILES


@pytest.mark.parametrize(("command", "name"), by_kind(folder=False))
def test_a_file_of_others_stays(command: str, name: str, tmp_path: Path) -> None:
    """Whatever it holds, as long as it is not what the command writes itself."""
    file = tmp_path / "precious"
    for content in (b"", b"mine", b'{"format": "vdroppath_tf.else/1"}', b"PK\3\4", bytes(3 << 20)):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=f"--{name}={file}: is there already.*--overwrite"):
            checked(command, f"--{name}={file}")
        checked(command, f"--{name}={file}", "--overwrite")
    mark = FILES[command, name].mark
    file.write_bytes(bytes(2 << 20) + (mark or "").encode() + b"/1 and more")
    if mark is not None:
        checked(command, f"--{name}={file}")


@pytest.mark.parametrize(("command", "name"), by_kind(folder=True))
def test_a_folder_of_others_stays(command: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    checked(command, f"--{name}={folder}")
    folder.mkdir()
    checked(command, f"--{name}={folder}")
    (folder / "labels.txt").write_text("a\nb\n")
    mark = FILES[command, name].mark
    if mark is None:
        return  # export and convert know their folders themselves
    with pytest.raises(ValueError, match=f"--{name}={folder}: holds labels.txt, but no file of"):
        checked(command, f"--{name}={folder}")
    for one in mark.split("|"):
        own = folder / one.replace("*", "0")
        own.parent.mkdir(parents=True, exist_ok=True)
        own.touch()
        checked(command, f"--{name}={folder}")
        own.unlink()


@pytest.mark.parametrize(("command", "name"), FILES)
def test_places_that_cannot_be_written(command: str, name: str, tmp_path: Path) -> None:
    file, folder, loop = tmp_path / "file", tmp_path / "folder", tmp_path / "loop"
    file.touch()
    folder.mkdir()
    loop.symlink_to(loop)
    os.mkfifo(tmp_path / "pipe")
    other = file if FILES[command, name].folder else folder
    pipe = tmp_path / "pipe"
    for place in (other, file / "below", pipe, loop, "/dev/null", "/proc/self/new"):
        with pytest.raises(ValueError, match=f"--{name}={place}: "):
            checked(command, f"--{name}={place}")
    checked(command, f"--{name}={tmp_path / 'new' / 'newer' / 'one'}")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("link", [None, "symlink", "hardlink", "detour"])
def test_an_input_stays_whatever_it_is_called(link: str | None, tmp_path: Path) -> None:
    """Not even with `--overwrite`: a result never replaces what it was computed from."""
    model = tmp_path / "template.keras"
    model.write_bytes(b"weights of a week")
    name = model if link is None else tmp_path / "other.keras"
    if link == "symlink":
        name.symlink_to(model)
    elif link == "hardlink":
        name.hardlink_to(model)
    elif link == "detour":
        (tmp_path / "a").mkdir()
        name = tmp_path / "a" / ".." / model.name
    with pytest.raises(ValueError, match=f"--out={name}: is also --model"):
        checked("space", f"--model={model}", f"--out={name}", "--overwrite")
    with pytest.raises(ValueError, match=f"--out={name}: is also mine={model}"):
        checked("compare", f"mine={model}", f"--out={name}", "--overwrite")


def test_two_results_have_two_places(tmp_path: Path) -> None:
    place = tmp_path / "a.npz"
    with pytest.raises(ValueError, match=f"--scores={place}: is also --out"):
        checked("test", f"--out={place}", f"--scores={tmp_path}/./a.npz")


def test_what_lies_beside(tmp_path: Path) -> None:
    """The journal of the doctor, and the answers of an evaluation."""
    journal = tmp_path / "bad.json.journal"
    journal.write_text("dear diary\n")
    with pytest.raises(ValueError, match=f"--out={journal}: is there already"):
        checked("doctor", f"--out={tmp_path / 'bad.json'}", "--fresh")
    answers = tmp_path / "scores.chosen_on.npz"
    answers.write_bytes(b"mine")
    with pytest.raises(ValueError, match=f"--out={answers}: is there already"):
        checked("evaluate", f"--out={tmp_path / 'scores.json'}")


def test_a_command_replaces_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of file twice by the command itself: the mark is in what is written."""
    for name, drop in (("space", 0.2), ("other", 0.4)):
        ProbabilitySpace(np.full((3, 2), drop)).save(tmp_path / f"{name}.json")
    out, page = tmp_path / "made" / "compared.json", tmp_path / "report.html"
    pair = [f"a={tmp_path / 'space.json'}", f"b={tmp_path / 'other.json'}"]
    for _ in range(2):
        for suffix in ("png", "svg", "pdf"):
            figure = tmp_path / f"compared.{suffix}"
            assert cli.main(["compare", *pair, f"--out={out}", f"--figure={figure}"]) == 0
    report = [f"--space={tmp_path / 'space.json'}", f"--out={page}"]
    assert cli.main(["report", *report, f"--figures={tmp_path / 'pictures'}"]) == 0
    assert cli.main(["report", *report]) == 0
    values = cli.flags_of("report")
    check_places(values, values(["vdroppath", *report, f"--figures={tmp_path / 'pictures'}"])[1:])
    before = page.read_bytes()
    page.write_text("my own page")
    assert cli.main(["report", *report]) == 1
    assert f"--out={page}: is there already" in capsys.readouterr().err
    assert page.read_text() == "my own page"
    assert cli.main(["report", *report, "--overwrite"]) == 0
    assert page.read_bytes() == before
    assert json.loads(out.read_text())["format"] == "vdroppath_tf.comparison/1"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_nothing_is_no_name(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty flag, as a shell makes of a variable that is not set."""
    values = cli.flags_of(command)
    for name in values:
        if isinstance(values[name], Text):
            assert cli.main([command, f"--{name}="]) == 2
            assert f"--{name} is empty." in capsys.readouterr().err


def test_flags_of_text_are_of_one_kind() -> None:
    """So that no flag of text is left out of the check."""
    for command in cli.COMMANDS:
        values = cli.flags_of(command)
        for name in values:
            plain = type(values[name]) is flags.Flag and values[name].flag_type() == "string"
            assert not plain, f"{command} --{name}"

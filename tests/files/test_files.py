"""Files and folders appear whole or not at all, and formats are checked when they are read."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf import files
from vdroppath_tf.files import (
    create_or_verify,
    load_text,
    read_json,
    replacing,
    write_json,
    write_text,
)
from vdroppath_tf.files.shown import ShortTable


def _run_out_of_room(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("half")
    raise OSError("the disk is full")


@pytest.mark.parametrize("options", [{}, {"shared": False}, {"durable": False}])
def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, options: dict[str, bool]) -> None:
    path = tmp_path / "a.keras"
    write_text(path, "old")
    with replacing(path, **options) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
        assert aside.name == "a.keras"
        assert aside.parent.name.startswith(".")
    assert path.read_text() == "new"
    with pytest.raises(OSError, match="full"), replacing(path, **options) as aside:
        _run_out_of_room(aside)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.keras"]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path, shared: bool, there: bool) -> None:
    path = tmp_path / "run"
    if there:
        path.mkdir()
        (path / "old").write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path, shared=shared) as aside:
        _run_out_of_room(aside / "new")
    assert [p.name for p in path.glob("*")] == (["old"] if there else [])
    with replacing(path, shared=shared) as aside:
        (aside / "inside").mkdir(parents=True)
        (aside / "inside" / "new").write_text("new")
        assert path.exists() == there
    assert sorted(p.name for p in path.rglob("*")) == ["inside", "new"]
    assert os.listdir(tmp_path) == ["run"]


def test_what_a_killed_run_has_left_is_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with replacing(path, shared=False) as left:
        left.mkdir()
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    with replacing(path, shared=False) as again:
        assert again == left
        again.mkdir()
    assert os.listdir(tmp_path) == ["run"]
    assert not os.listdir(path)


def test_the_old_folder_stays_where_the_new_one_cannot_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two renames nothing is thrown away."""
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").write_text("old")
    rename = os.replace

    def refuse(source: Any, target: Any) -> None:
        if Path(target) == path and Path(source).name != "old":
            raise OSError("no room for the name")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no room"), replacing(path) as aside:
        aside.mkdir()
    assert (path / "old").read_text() == "old"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Not JSON"),
        ("[" * 100_000, "Not JSON"),
        ("[1]", "has no 'format'"),
        ('{"format": "vdroppath_tf.kind/3"}', "newer vdroppath_tf"),
        ('{"format": "vdroppath_tf.kind/1"}', "Expected the format 'vdroppath_tf.kind/2'"),
        ('{"format": "vdroppath_tf.kind/2", "b": 1}', r"Expected the fields \['a'\]"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"a\.json: .*{said}"):
        load_text(path, lambda text: read_json(text, "vdroppath_tf.kind/2", ["a"]))


def opened_by_hand(source: str) -> list[int]:
    """The lines that open a file for reading by Python's own function."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    modes = {
        node.lineno: [
            *(each for each in node.args[1:2] if isinstance(each, ast.Constant)),
            *(word.value for word in node.keywords if word.arg == "mode"),
        ]
        for node in calls
    }
    return [
        line
        for line, given in modes.items()
        if not given or str(getattr(given[0], "value", "r")).startswith("r")
    ]


def test_files_are_opened_for_reading_in_one_place() -> None:
    """Python's own `open` waits at a pipe until somebody writes into it."""
    assert opened_by_hand("open(path)\nopen(path, 'w')\nopen(path, mode='rb')") == [1, 3]
    package = Path(files.__file__).parents[1]
    found = {
        str(path.relative_to(package)): lines
        for path in package.rglob("*.py")
        if (lines := opened_by_hand(path.read_text())) and path.name != "whole.py"
    }
    assert found == {}


def test_a_pipe_is_said_to_be_one(tmp_path: Path) -> None:
    """To those who expect a value, and to those who expect that a file cannot be read."""
    os.mkfifo(tmp_path / "pipe")
    for error in (ValueError, OSError):
        with pytest.raises(error, match="pipe: is not a regular file"):
            files.open_regular(tmp_path / "pipe")


def test_what_is_no_text_is_named_once_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"labels\.txt: is not UTF-8 text .* Save it as UTF-8\.$"):
        load_text(path, str.splitlines)


def test_sizes_and_numbers_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"format": "vdroppath_tf.kind/2", "a": 3})
    assert load_text(path, lambda text: read_json(text, "vdroppath_tf.kind/2")) == {"a": 3}
    with pytest.raises(ValueError, match=r"a\.json: has 46 bytes\. Expected at most 10"):
        load_text(path, str, max_bytes=10)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"a": float("nan")}, allow_nan=False)
    assert "3" in path.read_text()


def test_a_folder_belongs_to_one_job(tmp_path: Path) -> None:
    mark = tmp_path / "out" / "job.json"
    fields = {"quality": 90, "size": {"edge": 32}}
    create_or_verify(mark, fields, holds="test")
    create_or_verify(mark, fields, holds="test")
    with pytest.raises(ValueError, match=r"holds another test: size\.edge 32, not 64\. Pass"):
        create_or_verify(mark, {"quality": 90, "size": {"edge": 64}}, holds="test")
    for damaged in ("{", "[" * 100_000):
        mark.write_text(damaged)
        with pytest.raises(ValueError, match="the file is damaged"):
            create_or_verify(mark, fields, holds="test")
    mark.rename(mark.with_name("other"))
    with pytest.raises(ValueError, match="is not empty and holds no test"):
        create_or_verify(mark, fields, holds="test")


def test_a_cell_without_a_value_is_empty() -> None:
    table = ShortTable("two", ["name", "top1"], [["a", None], ["b", 0.5]])
    assert table.text().splitlines() == ["two", "name  top1", "a", "b     0.500"]
    assert "<td>a</td><td></td>" in table.html()

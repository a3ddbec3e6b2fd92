"""What comes from outside a command: pipes and devices as files, errors of other libraries."""

from __future__ import annotations

import errno
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absl import flags

from vdroppath_tf import cli, files
from vdroppath_tf.commands.flag_kinds import Text
from vdroppath_tf.commands.places import Output
from vdroppath_tf.commands.status import status_of
from vdroppath_tf.data.records import parts
from vdroppath_tf.training.cluster import cluster_of_environment
from vdroppath_tf.training.loggers import logging_to


def reading() -> Iterator[tuple[str, str]]:
    """The flags that may name a file to read."""
    for command in cli.COMMANDS:
        values = cli.flags_of(command)
        for name in values:
            several = isinstance(values[name], flags.MultiFlag)
            if several or (isinstance(values[name], Text) and not isinstance(values[name], Output)):
                yield command, name


def call(command: str, *given: str) -> int:
    """The exit code; what else the command or its flags need is given, files that do not exist."""
    names = {argument.partition("=")[0].lstrip("-") for argument in given}
    values = cli.flags_of(command)
    needed = {name for name in values if getattr(values[name], "needed", False)}
    more = (names | needed) & {*values}
    while more:
        more = {other for n in more for other in getattr(values[n], "only_with", ())[:1]} - needed
        needed |= more
    return cli.main([command, *given, *(some(values[name]) for name in sorted(needed - names))])


def some(flag: flags.Flag) -> str:
    """A flag with a value: that of a text is no file."""
    if flag.boolean:
        return f"--{flag.name}"
    return f"--{flag.name}={'/nowhere/x' if isinstance(flag, Text) else 1}"


@pytest.mark.parametrize(("command", "name"), list(reading()))
def test_neither_file_nor_folder(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said at once: a pipe that nobody writes to is waited for without end."""
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for place in (str(pipe), "/dev/zero", str(loop)):
        assert call(command, f"--{name}={place}") == 1
        message = capsys.readouterr().err
        assert f"--{name}: {place} is neither a file nor a folder" in message
        assert "Traceback" not in message


@pytest.mark.parametrize("command", cli.TAKES_FILES)
def test_neither_file_nor_folder_as_argument(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert call(command, str(tmp_path / "pipe")) == 1
    assert "is neither a file nor a folder" in capsys.readouterr().err


def test_text_is_read_from_regular_files(tmp_path: Path) -> None:
    """In folders that a command was given too."""
    os.mkfifo(tmp_path / "recipe.json")
    for read in (files.read_text, files.sha256_of, lambda path: files.load_text(path, str)):
        with pytest.raises(ValueError, match=r"recipe\.json: is not a regular file"):
            read(tmp_path / "recipe.json")
    with pytest.raises(FileNotFoundError):
        files.open_regular(tmp_path / "nowhere")


DEEP = "[" * 100_000
"""Python's reader of JSON stops at it with an error of its own, not with that of a syntax."""


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("run.json", lambda folder: status_of(folder)),
        ("part", lambda folder: parts.read_parts(folder, ["part"])),
        ("TF_CONFIG", lambda _: cluster_of_environment({"TF_CONFIG": DEEP})),
        ("loggers.json", lambda folder: logging_to(["mlflow"], folder, "{}").__enter__()),
    ],
)
def test_json_that_is_nested_too_deeply_is_named(name: str, read: Any, tmp_path: Path) -> None:
    file = parts.part_file(tmp_path, name) if name == "part" else tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(DEEP)
    with pytest.raises(ValueError, match=file.name.replace(".", r"\.")):
        read(tmp_path)


def tensorflow_error() -> Exception:
    import tensorflow as tf

    return tf.errors.DataLossError(None, None, "checkpoint: data lost\nand a long graph")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("a value"), "a value"),
        (OSError(errno.ENOSPC, "No space left on device", "run/x"), "No space left.*run/x"),
        (MemoryError(), "the memory of this machine does not suffice"),
        (MemoryError("Unable to allocate 9 TiB"), "does not suffice .*9 TiB"),
        (OverflowError("too large to convert"), "too large to convert"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (EOFError(), "EOFError"),
        (zipfile.BadZipFile("File is not a zip file"), "not a zip file"),
        ("tensorflow", "TensorFlow stopped: checkpoint: data lost$"),
    ],
)
def test_errors_of_others_are_one_line(
    error: Any, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise tensorflow_error() if error == "tensorflow" else error

    monkeypatch.setattr(cli.COMMANDS["models"], "run", fail)
    assert cli.main(["models"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(f"^vdroppath models: .*{words}", line)


def test_a_terminal_obeys_no_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("clips/\x1b[2Jgone\x9b.mp4: is empty.\nA second line.")

    monkeypatch.setattr(cli.COMMANDS["models"], "run", fail)
    assert cli.main(["models"]) == 1
    said = "vdroppath models: clips/\\x1b[2Jgone\\x9b.mp4: is empty.\nA second line.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("error", [KeyError("a"), TypeError("b"), AttributeError("c")])
def test_our_own_mistakes_are_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(cli.COMMANDS["models"], "run", fail)
    with pytest.raises(type(error)):
        cli.main(["models"])

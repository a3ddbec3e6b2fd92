"""Flags that have no effect without another one: refused where that one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from absl.flags import EnumFlag, Flag
from command_lines import said

from vdroppath_tf.cli import COMMANDS, flags_of, main
from vdroppath_tf.commands.flag_checks import check_needs


def declared() -> list[tuple[str, str, tuple[str, ...]]]:
    """Each command, each flag that is declared to need others, and these."""
    flags = (
        (command, values, name)
        for command in COMMANDS
        for values in [flags_of(command)]
        for name in values
    )
    found = ((c, n, getattr(values[n], "only_with", ())) for c, values, n in flags)
    return [each for each in found if each[2]]


def some(flag: Flag) -> object:
    """A value that a flag takes: its default, or another one if it has none."""
    if flag.value is None and isinstance(flag, EnumFlag):
        return flag.parser.enum_values[0]
    return 1 if flag.value is None else flag.value


@pytest.mark.parametrize(("command", "name", "others"), declared())
def test_a_flag_without_the_one_that_it_needs(
    command: str, name: str, others: tuple[str, ...]
) -> None:
    values = flags_of(command)
    for other in others:
        values[other].value = None
    check_needs(values)
    values(["vdroppath", f"--{name}" if values[name].boolean else f"--{name}={some(values[name])}"])
    with pytest.raises(ValueError, match=f"^--{name} has no effect without --{others[0]}") as error:
        check_needs(values)
    assert all(f"--{other}" in str(error.value) for other in others)
    for other in others:
        values[other].value = 1
        check_needs(values)
        values[other].value = None


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("test", ["--nooverwrite"]),  # asks for nothing
        ("evaluate", ["--adapt_steps=0", "--adapt_learning_rate=.01"]),  # a loop over steps
        ("evaluate", ["--norace", "--margin=.01"]),
    ],
)
def test_a_flag_whose_other_one_is_given(command: str, given: list[str]) -> None:
    values = flags_of(command)
    values(["vdroppath", *given])
    check_needs(values)


def test_which_flags_need_others() -> None:
    """The folder and the part of every optional source, in every command."""
    found = {(command, name): others for command, name, others in declared()}
    for command in ("derive", "evaluate", "explain", "test", "worth"):
        assert found[command, "train_data_root"] == found[command, "train_data_split"]
        assert found[command, "train_data_root"] == ("train_data",)
    assert found["derive", "validation_root"] == ("validation",)
    assert found["evaluate", "margin"] == ("race",)
    assert found["test", "overwrite"] == ("out", "confusion", "per_class", "scores")
    for command in ("derive", "explain"):  # where all videos are optional, their formats are too
        assert found[command, "format"] == found[command, "columns"] == ("train_data",)
    assert found["derive", "video_stream"] == ("train_data",)
    assert ("explain", "video_stream") not in found  # the videos to explain have streams too
    assert ("train", "validation_root") not in found  # --data may hold that part


def test_a_part_that_data_does_not_hold(call: Any, motion: Any, tmp_path: Path) -> None:
    """It is looked for in --data first; then flags for it are refused, before any work."""
    videos = f"--data={motion.folder}/train.txt"
    for command, flag in (
        ("train", "--validation_root=x"),
        ("doctor", "--validation_split=1"),
        ("catalog", "--validation_root=x"),
        ("run", "--validation_split=1"),
        ("run", "--test_root=x"),
    ):
        out = [] if command == "catalog" else [f"--out={tmp_path}/out"]
        message = said(call(command, videos, flag, *out))
        source = flag[2:].partition("_")[0]
        assert f"{flag.partition('=')[0]} has no effect without --{source} (or a folder" in message
    message = said(call("train", videos, "--log=wandb", "--picture_every=2", f"--out={tmp_path}/o"))
    assert "--picture_every has no effect without --log=tensorboard" in message
    assert list(tmp_path.iterdir()) == []


def test_a_split_that_does_not_happen(call: Any, motion: Any, tmp_path: Path) -> None:
    """Nothing is kept together where nothing is split."""
    parts = zip(("data", "validation", "test"), ("train", "validation", "test"), strict=True)
    videos = [f"--{name}={motion.folder}/{part}.txt" for name, part in parts]
    message = said(call("run", *videos, r"--group=(.*)_\d+", f"--out={tmp_path}/out"))
    assert "--group has no effect where videos for all three parts are given" in message


def test_they_are_refused_before_inputs_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--model=nowhere.keras", "--out=nowhere/1", "--clips=3"]) == 1
    assert "--clips has no effect without --data. Pass --data too" in capsys.readouterr().err

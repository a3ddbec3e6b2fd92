"""Backups of a run: always a whole checkpoint there, and a run goes on from them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from vdroppath_tf.data.remote import files as remote
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.training import RunFolder, build_template, train
from vdroppath_tf.training.backup import Backup, SendAfterEpoch

RUN = '{"run": 1}'


def _checkpoint(folder: Path, epoch: int, text: str = "") -> None:
    name = folder / f"checkpoint-0-{epoch:05d}"
    name.mkdir(parents=True, exist_ok=True)
    for part in ("weights.index", "weights.data-00000-of-00001", "state.json"):
        (name / part).write_text(f"{part} {epoch} {text}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    _checkpoint(folder, 1)
    (folder / "run.json").write_text(RUN)
    (folder / ".hidden.tmp").write_text("half")
    return folder


def _tree(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


def _whole(folder: Path) -> set[str]:
    """Checkpoints that say they are whole; each is."""
    whole = {state.parent for state in folder.glob("*/state.json")}
    assert all(len(list(checkpoint.iterdir())) == 3 for checkpoint in whole)
    texts = [{f.read_text().split(" ", 1)[1] for f in checkpoint.iterdir()} for checkpoint in whole]
    assert all(len(text) == 1 for text in texts), "parts of two checkpoints under one state"
    return {checkpoint.name for checkpoint in whole}


def test_it_becomes_the_folder_and_comes_back(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    backup = Backup(folder, str(there))
    backup.fetch(RUN)
    backup.send()
    shutil.rmtree(folder / "checkpoint-0-00001")
    _checkpoint(folder, 2)
    (folder / "history.json").write_text("[]")
    backup.send()
    expected = {name: text for name, text in _tree(folder).items() if not name.startswith(".")}
    assert _tree(there) == expected
    Backup(tmp_path / "new", str(there)).fetch(RUN)
    assert _tree(tmp_path / "new") == expected


@pytest.mark.parametrize("stop_after", range(11))
def test_wherever_it_stops_a_whole_checkpoint_is_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    there = tmp_path / "there"
    _checkpoint(folder, 2)
    Backup(folder, str(there)).send()
    shutil.rmtree(folder / "checkpoint-0-00001")
    _checkpoint(folder, 2, "again")  # the same name, other weights
    _checkpoint(folder, 3)
    left = stop_after
    write, delete = remote.write_file, remote.delete_file

    def counted(call: Any) -> Any:
        def stopping(*arguments: Any) -> None:
            nonlocal left
            if left == 0:
                raise VideoError("the connection broke off")
            left -= 1
            call(*arguments)

        return stopping

    monkeypatch.setattr(remote, "write_file", counted(write))
    monkeypatch.setattr(remote, "delete_file", counted(delete))
    backup = Backup(folder, str(there))
    backup.fetch(RUN)
    with pytest.raises(VideoError):
        backup.send()
    assert _whole(there)
    left = 99
    backup.send()  # makes good what was left
    assert _whole(there) == {"checkpoint-0-00002", "checkpoint-0-00003"}
    assert _tree(there) == {n: t for n, t in _tree(folder).items() if not n.startswith(".")}


def test_a_folder_that_is_behind_gets_the_later_checkpoint(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(folder, there)
    for epoch in (2, 3):
        _checkpoint(there, epoch)
    (there / "checkpoint-0-00003" / "state.json").unlink()  # the copy was cut short
    backup = Backup(folder, str(there))
    backup.fetch(RUN)
    assert _whole(folder) == {"checkpoint-0-00001", "checkpoint-0-00002"}
    backup.send()
    assert "checkpoint-0-00002" in _whole(there)


def test_another_run_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(folder, there)
    with pytest.raises(ValueError, match=r"there/run\.json: the folder holds another run"):
        Backup(tmp_path / "new", str(there)).fetch('{"run": 2}')
    (there / "run.json").write_text("[]")
    with pytest.raises(ValueError, match="differs: everything: this is not a run of vdroppath_tf"):
        Backup(tmp_path / "new", str(there)).fetch(RUN)
    (there / "run.json").unlink()
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        Backup(tmp_path / "new", str(there)).fetch(RUN)
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_written_is_refused_first(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"^http://host/x\?\.\.\.: web servers are read-only"):
        Backup(folder, "http://user:word@host/x?sig=1")
    with pytest.raises(ValueError, match="expected a local path"):
        Backup(folder, "hdfs://host/x")


def test_an_epoch_whose_copy_fails_goes_on(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    SendAfterEpoch(Backup(folder, str(tmp_path / "file" / "there"))).on_epoch_end(0)
    assert "The backup is behind; training continues" in caplog.text


def test_a_run_goes_on_from_its_backup(
    whole_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = str(tmp_path / "there")
    source = tmp_path / "source"
    shutil.copytree(whole_run.folder, source)
    backup = Backup(source, there)
    backup.fetch((source / "run.json").read_text())
    backup.send()
    model = build_template(whole_run.recipe, whole_run.clips)
    folder = tmp_path / "new"
    kept = RunFolder(folder, there)
    history = train(
        model,
        whole_run.recipe.template_phases(),
        whole_run.recipe,
        whole_run.clips,
        folder=kept,
    )
    assert history == whole_run.history
    for mine, expected in zip(model.weights, whole_run.model.weights, strict=True):
        assert (mine.numpy() == expected.numpy()).all()
    sent: list[str] = []
    monkeypatch.setattr(remote, "write_file", lambda place, _: sent.append(place))
    assert kept.copy is not None
    kept.copy.send()
    assert sent == []  # what a training has sent is not sent again behind it

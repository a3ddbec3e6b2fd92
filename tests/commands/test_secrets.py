"""A URL with a password and a signature: every command takes it, and none shows or keeps either."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from web import FolderHandler, FolderServer, running

from vdroppath_tf.cli import main
from vdroppath_tf.data.remote.urls import without_secrets

SECRETS = ("pa55word", "s1gnature")
USER = "reader"


class _Handler(FolderHandler):
    """Lets in those who have the password and the signature."""

    def lets_in(self) -> bool:
        wanted = base64.b64encode(f"{USER}:{SECRETS[0]}".encode()).decode()
        signed = parse_qs(urlsplit(self.path).query).get("sig") == [SECRETS[1]]
        return signed and self.headers.get("Authorization") == f"Basic {wanted}"


@pytest.fixture(scope="module")
def url(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The address of the records of a list of the task, by the list's name."""
    home = tmp_path_factory.mktemp("store")
    for part in ("train", "validation"):
        records = home / part
        assert main(["convert", f"--data={motion.folder}/{part}.txt", f"--out={records}"]) == 0
    server = FolderServer(home, _Handler)
    at = f"{USER}:{SECRETS[0]}@127.0.0.1:{server.server_port}"
    with running(server):
        yield lambda part: f"http://{at}/{part}?sig={SECRETS[1]}"


def holding(folder: Path) -> list[str]:
    """The files whose name or content has a secret."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    known = [(str(file), str(file).encode() + file.read_bytes()) for file in files]
    return [name for name, held in known if any(s.encode() in held for s in SECRETS)]


def test_no_command_tells(call: Any, url: Any, tmp_path: Path) -> None:
    run, model = tmp_path / "run", tmp_path / "run" / "template.keras"
    train, validation = f"--data={url('train')}", f"--validation={url('validation')}"
    small = "--network=pico --frames=4 --batch_size=8 --warmup_epochs=0 --search_epochs=1"
    scored = [f"--model={model}", f"--data={url('validation')}", f"--train_data={url('train')}"]
    for command in (
        ["catalog", train, validation, "--frames", "--json"],
        ["catalog", train, validation],
        ["doctor", train, validation, f"--out={tmp_path / 'bad.json'}"],
        ["convert", train, f"--out={tmp_path / 'records'}"],
        ["train", *small.split(), train, validation, f"--out={run}"],
        ["evaluate", *scored, "--draws=2", "--uniform_draws=0", f"--out={run / 'scores.json'}"],
        ["derive", *scored[::2], f"--out={run / 'derived.keras'}", "--finetune"],
        ["test", *scored, f"--out={run / 'a.json'}", f"--scores={run / 'a.npz'}"],
        ["report", f"--run={run}", f"--result={run / 'a.json'}", f"--out={run / 'page.html'}"],
        ["worth", *scored, f"--scores={run / 'scores.json'}", f"--out={tmp_path / 'worth.json'}"],
        ["features", *scored[:2], f"--out={tmp_path / 'features.npz'}"],
        ["export", f"--model={run / 'derived.keras'}", f"--out={tmp_path / 'served' / '1'}"],
        ["predict", f"--model={tmp_path / 'served' / '1'}", scored[1]],
        ["status", run],
    ):
        done = call(*command)
        assert done.code == 0, done.error
        assert not [secret for secret in SECRETS if secret in done.out + done.error], command[0]
        assert holding(tmp_path) == [], command[0]


@pytest.mark.parametrize("command", ["catalog", "doctor", "convert", "train"])
@pytest.mark.parametrize("wrong", ["nowhere", "train\0", "train/x"])
def test_no_error_tells(call: Any, url: Any, tmp_path: Path, command: str, wrong: str) -> None:
    out = [f"--out={tmp_path}/nothing"] if command in ("convert", "train") else []
    for more in ([], ["--data_root=x"], ["--label_base=1"], ["--format=list"]):
        done = call(command, *out, f"--data={url(wrong)}", *more)
        assert done.code == (2 if "\0" in wrong else 1), done.error
        assert "Traceback" not in done.error
        assert not [secret for secret in SECRETS if secret in done.out + done.error]
        assert holding(tmp_path) == []


@pytest.mark.parametrize(
    "line",
    [
        "run {} --out={out}",
        "run --data=videos --validation={} --out={out}",
        "predict --model={}",
        "predict --model={} {}",
        "explain --model={} {} --out={out}",
        "test --model={} --data=nowhere.txt",
        "space --model={}",
        "evaluate --model={} --data={}",
        "derive --model={} --out={out}",
        "export --model={} --out={out}",
        "report --run={}",
        "train --data={} --init_from={} --warmup_epochs={} --out={out}",
        "convert --data={} --out={out} --quarantine={}",
        "doctor --data={} --out={}",
        "dataservice --dispatcher={}",
        "models --name={}",
        "status {}",
        "{}",
    ],
)
def test_no_error_tells_of_a_url_in_any_place(call: Any, tmp_path: Path, line: str) -> None:
    out = tmp_path / "out"
    url = f"http://{USER}:{SECRETS[0]}@127.0.0.1:9/x/y.keras?sig={SECRETS[1]}"
    done = call(*line.replace("{out}", str(out)).replace("{}", url).split())
    assert done.code in (1, 2)
    assert "Traceback" not in done.error
    assert not [secret for secret in SECRETS if secret in done.out + done.error], done.error
    assert holding(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:pw@h/a?k=v: is gone", "http://h/a?...: is gone"),
        ("in /here/https:/u:pw@h:80/a?k=v", "in /here/https:/h:80/a?..."),
        ("'s3://key:secret@b/c' and 's3://b/c'", "'s3://b/c' and 's3://b/c'"),
        ("at 10:30, C:/a?b=1, a:/b", "at 10:30, C:/a?b=1, a:/b"),
        ("--data=gs://b/x#t=1", "--data=gs://b/x"),
    ],
)
def test_texts_without_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_a_manifest_has_no_secrets(url: Any) -> None:
    from vdroppath_tf.data import open_manifest

    videos = open_manifest(url("train"))
    assert videos.entries[0].source.read([0]).ndim == 4
    for secret in SECRETS:
        assert secret not in repr(videos)
        assert secret not in f"{videos.source} {videos.entries[0].path} {videos.entries[0].origin}"

"""A URL with a password and a signature: every command takes it, and none shows or keeps either."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from vdroppath_tf.cli import main

SECRETS = ("pa55word", "s1gnature")
USER = "reader"


class _Handler(BaseHTTPRequestHandler):
    """Files below a folder, for those who have the password and the signature."""

    folder: Path

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        wanted = base64.b64encode(f"{USER}:{SECRETS[0]}".encode()).decode()
        known = self.headers.get("Authorization") == f"Basic {wanted}"
        if not known or parse_qs(parts.query).get("sig") != [SECRETS[1]]:
            return self.send_error(403)
        file = self.folder / parts.path.strip("/")
        if not file.is_file():
            return self.send_error(404)
        data = file.read_bytes()
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = map(int, found.groups()) if found else (0, len(data) - 1)
        self.send_response(206 if found else 200)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(len(data[first : last + 1])))
        self.end_headers()
        self.wfile.write(data[first : last + 1])
        return None

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The address of the records of a list of the task, by the list's name."""
    home = tmp_path_factory.mktemp("store")
    for part in ("train", "validation"):
        records = home / part
        assert main(["convert", f"--data={motion.folder}/{part}.txt", f"--out={records}"]) == 0
    _Handler.folder = home
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    at = f"{USER}:{SECRETS[0]}@127.0.0.1:{server.server_port}"
    yield lambda part: f"http://{at}/{part}?sig={SECRETS[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def holding(folder: Path) -> list[str]:
    """The files whose name or content has a secret."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    known = [(str(file), str(file).encode() + file.read_bytes()) for file in files]
    return [name for name, held in known if any(s.encode() in held for s in SECRETS)]


def test_no_command_tells(call: Any, url: Any, tmp_path: Path) -> None:
    run, model = tmp_path / "run", tmp_path / "run" / "template.keras"
    train, validation = f"--data={url('train')}", f"--validation={url('validation')}"
    small = "--network=nano --frames=4 --batch_size=8 --warmup_epochs=1 --search_epochs=1"
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
        assert done.code == 1, done.error
        assert "Traceback" not in done.error
        assert not [secret for secret in SECRETS if secret in done.out + done.error]
        assert holding(tmp_path) == []


def test_a_manifest_has_no_secrets(url: Any) -> None:
    from vdroppath_tf.data import open_manifest

    videos = open_manifest(url("train"))
    assert videos.entries[0].source.read([0]).ndim == 4
    for secret in SECRETS:
        assert secret not in repr(videos)
        assert secret not in f"{videos.source} {videos.entries[0].path} {videos.entries[0].origin}"

"""A server under load: full, closing, with a new version, and in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")
pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from small_server import BrightNetwork, Served, serving, write_version

from vdroppath_tf.cli import main
from vdroppath_tf.commands import choices
from vdroppath_tf.commands.choices import SERVER_LIMITS
from vdroppath_tf.serving.server import run, runtimes
from vdroppath_tf.serving.server.bodies import npy_bytes
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.pictures import pictures_of
from vdroppath_tf.serving.server.runner import Runner
from vdroppath_tf.serving.server.versions import Models
from vdroppath_tf.serving.server.within import within

GREY = npy_bytes(np.full((9, 16, 16, 3), 128, np.uint8))
NPY = "application/x-npy"


class HeldNetwork(BrightNetwork):
    """Answers when it is told to."""

    go = threading.Event()
    batches: ClassVar[list[int]] = []

    def answer(self, clips: np.ndarray) -> np.ndarray:
        if clips.any():  # not when it is tried
            self.go.wait(20)
            self.batches.append(len(clips))
        return super().answer(clips)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_version(tmp_path / "bright", 1)
    return tmp_path / "bright"


def test_a_full_server_says_so_at_once_and_answers_what_it_took(folder: Path) -> None:
    HeldNetwork.go.clear()
    HeldNetwork.batches.clear()
    with (
        serving(folder, Limits(max_waiting=3, batch_seconds=9), load=HeldNetwork) as served,
        ThreadPoolExecutor(3) as pool,
    ):
        taken = [pool.submit(served.post, GREY, NPY) for _ in range(3)]
        _until(lambda: b"vdroppath_waiting_requests 3.0" in served.request("GET", "/metrics")[1])
        status, answer = served.post(GREY, NPY)
        assert (status, answer["error"]["code"]) == (429, "busy")
        assert served.request("GET", "/readyz") == (200, b"ready\n")
        HeldNetwork.go.set()
        assert [done.result()[0] for done in taken] == [200] * 3
        metrics = served.request("GET", "/metrics")[1].decode()
        assert 'vdroppath_requests_total{model="bright",status="200"} 3.0' in metrics
        assert 'vdroppath_requests_total{model="bright",status="429"} 1.0' in metrics
        assert 'vdroppath_model_version{model="bright"} 1.0' in metrics
    assert sum(HeldNetwork.batches) == 6
    assert len(HeldNetwork.batches) <= 2  # what was decoded meanwhile went together


def test_an_answer_that_comes_too_late_is_none(folder: Path) -> None:
    HeldNetwork.go.clear()
    with serving(folder, Limits(max_seconds=0.5), load=HeldNetwork) as served:
        status, answer = served.post(GREY, NPY)
        HeldNetwork.go.set()
        assert (status, answer["error"]["code"]) == (504, "too_late")
        assert served.post(GREY, NPY)[0] == 200


def test_what_was_taken_is_answered_before_the_server_ends(folder: Path) -> None:
    HeldNetwork.go.clear()
    with ThreadPoolExecutor(1) as pool:
        with serving(folder, Limits(), load=HeldNetwork) as served:
            taken = pool.submit(served.post, GREY, NPY)
            _until(
                lambda: b"vdroppath_waiting_requests 1.0" in served.request("GET", "/metrics")[1]
            )
            served.server.should_exit = True
            time.sleep(0.3)
            assert not taken.done()
            HeldNetwork.go.set()
        assert taken.result()[0] == 200


def test_a_new_version_takes_over_and_no_request_fails(folder: Path) -> None:
    stop, found = threading.Event(), []

    def ask(served: Served) -> None:
        while not stop.is_set():
            status, answer = served.post(GREY, NPY)
            found.append((status, answer.get("version")))

    with serving(folder, Limits()) as served, ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(ask, served)
        for number in (2, 3):
            write_version(folder, number)
            _until(lambda n=number: served.models.get().number == n)
        _until(lambda: (200, 3) in found)
        write_version(folder, 4, "broken")
        time.sleep(0.3)
        stop.set()
    assert {status for status, _ in found} == {200}
    versions = [version for _, version in found]
    assert set(versions) >= {1, 3}
    assert served.models.get().number == 3  # what is broken is not taken


def test_models_and_versions(folder: Path) -> None:
    write_version(folder, 2)
    models = Models({"bright": folder, "other": folder / "1"}, BrightNetwork, keep=2)
    assert models.names == ("bright", "other")
    assert [version.number for version in models.versions("bright")] == [2, 1]
    assert models.get("bright", 1).number == 1
    assert models.refresh() == []
    write_version(folder, 3)
    assert models.refresh() == [
        f"bright: serves version 3 of {folder}/3",
        "bright: no longer serves version 1",
    ]
    write_version(folder, 4, "broken")
    assert models.refresh() == ["bright: version 4 cannot be used: this version is broken"]
    assert models.refresh() == []  # said once
    before = models.get("bright", 3)
    shutil.rmtree(folder / "3")
    write_version(folder, 3, "broken")  # in place of one that is served
    assert models.refresh() == ["bright: version 3 cannot be used: this version is broken"]
    assert models.refresh() == []
    assert models.get("bright", 3) is before
    for number in (1, 2, 3, 4):
        (folder / str(number) / "model").unlink()
        (folder / str(number)).rmdir()
    models.refresh()
    assert models.get().number == 3  # what is served stays until there is something else
    with pytest.raises(RefusedError, match=r"no model 'brihgt'.*'bright'"):
        models.get("brihgt")
    with pytest.raises(ValueError, match=r"keep must be at least 1\. Received: 0"):
        Models({"x": folder}, BrightNetwork, keep=0)
    with pytest.raises(ValueError, match=r"nothing: holds no model"):
        Models({"x": folder / "nothing"}, BrightNetwork)


def test_an_answer_that_nobody_waits_for_is_not_computed(folder: Path) -> None:
    begun, go, sizes = threading.Event(), threading.Event(), list[int]()

    class Held(BrightNetwork):
        def answer(self, clips: np.ndarray) -> np.ndarray:
            begun.set()
            assert go.wait(9)
            sizes.append(len(clips))
            return super().answer(clips)

    network, runner = Held(folder / "1"), Runner(1)
    clips, end = np.zeros((1, 4, 16, 16, 3), np.uint8), time.monotonic() + 9
    first = runner.submit(network, clips, end)
    assert begun.wait(9)
    gone, last = (runner.submit(network, clips, end) for _ in range(2))
    assert gone.cancel()
    go.set()
    runner.close()
    assert [each.result().argmax() for each in (first, last)] == [0, 0]
    assert sizes == [1, 1]  # of more clips, one batch takes no more than one


def test_a_wait_that_is_cancelled_is_not_late() -> None:
    async def wait(seconds: float) -> None:
        async with within(time.monotonic() + seconds):
            await asyncio.sleep(9)

    async def cancelled() -> None:
        task = asyncio.ensure_future(wait(9))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    with pytest.raises(TimeoutError):
        asyncio.run(wait(0.01))


def test_pictures_of_an_answer() -> None:
    """A few, evenly spaced; of optical flow there are none."""
    assert len(pictures_of(np.zeros((20, 8, 8, 3), np.uint8), most=3)) == 3
    assert pictures_of(np.zeros((20, 8, 8, 2), np.uint8)) == []


def test_one_bad_request_spoils_no_batch(folder: Path) -> None:
    class Picky(BrightNetwork):
        def answer(self, clips: np.ndarray) -> np.ndarray:
            if (clips == 7).any():
                raise ValueError("seven")
            return super().answer(clips)

    network, runner = Picky(folder / "1"), Runner(8)
    clips = [np.full((1, 4, 16, 16, 3), k, np.uint8) for k in (0, 7, 255)]
    end = time.monotonic() + 9
    futures = [runner.submit(network, each, end) for each in clips]
    late = runner.submit(network, clips[0], time.monotonic() - 1)
    runner.close()
    assert [futures[k].result().argmax() for k in (0, 2)] == [0, 2]
    with pytest.raises(ValueError, match="seven"):
        futures[1].result()
    with pytest.raises(RefusedError, match="The deadline has passed"):
        late.result()
    with pytest.raises(RefusedError, match="shutting down"):
        runner.submit(network, clips[0], end)


def test_a_head_that_never_ends_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first request on a connection, and of a later one."""
    monkeypatch.setattr(run, "HEAD_SECONDS", 0.3)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(folder, Limits()) as served:
        for first in (b"", whole):
            with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sent:
                sent.sendall(first)
                answered = b"" if first else b"alive\n"
                while not answered.endswith(b"alive\n"):
                    answered += sent.recv(4096)
                sent.sendall(b"GET / HTTP/1.1\r\nHost: loc")
                begun = time.monotonic()
                assert sent.recv(4096) == b""  # closed
                assert time.monotonic() - begun < 9
        assert served.post(GREY, NPY)[0] == 200


def test_a_client_that_offers_http_2_keeps_its_body(folder: Path) -> None:
    """Java's client offers it by default; a parser that accepts the offer loses the body."""
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABk",
    }
    with serving(folder, Limits()) as served:
        headers = {"Content-Type": NPY, **offer}
        status, answer = served.request("POST", "/predict", GREY, headers)
    assert (status, answer["label"]) == (200, "grey")


def test_no_answer_waits_for_an_acknowledgement() -> None:
    with (
        contextlib.closing(run.listen("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        contextlib.closing(listening.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_flags_are_the_limits() -> None:
    defaults = {name: default for name, (default, _) in SERVER_LIMITS.items()}
    assert dataclasses.asdict(Limits()) == {**defaults, "workers": None}
    assert choices.RUNTIMES == runtimes.RUNTIMES


def test_openvino_is_served_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it is damaged, or not installed, the SavedModel."""
    loaded: list[Path] = []

    def load(path: Path) -> Any:
        if (path / "damaged").exists():
            raise ValueError("damaged")
        loaded.append(path)

    monkeypatch.setattr(runtimes, "load_version", load)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed)
    there = tmp_path / "openvino"
    installed: Any = True
    runtimes.loader()(tmp_path)
    there.mkdir()
    runtimes.loader()(tmp_path)
    runtimes.loader("saved_model")(tmp_path)
    runtimes.loader("openvino-int8")(tmp_path)
    runtimes.loader("openvino")(there)
    installed = None
    runtimes.loader()(tmp_path)
    installed = True
    (there / "damaged").mkdir()
    runtimes.loader()(tmp_path)
    int8 = tmp_path / "openvino-int8"
    assert loaded == [tmp_path, there, tmp_path, int8, there, tmp_path, tmp_path]
    with pytest.raises(ValueError, match="Did you mean 'openvino'"):
        runtimes.loader("opnvino")


@pytest.mark.parametrize(("host", "said"), [("127.0.0.1", "in use"), ("no.such.host.", "")])
def test_an_address_that_cannot_be_listened_at_is_named(host: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"listen at host={host}, port={port} \(.*{said}"):
            run.run_server(None, Limits(), host=host, port=port)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Pass at least one model"),
        (["nowhere"], "there is no folder nowhere"),
        (["a=.", "a=."], "a second model 'a'"),
        (["a b=."], "is not a valid name"),
        (["empty=."], r"(?s)Loading 1 model: empty \.\.\.\n.*holds no (model|SavedModel)"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_what_is_no_model_is_said_before_anything_is_served(
    command: str,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "--port=0", *arguments]) == 1
    assert re.search(message, capfd.readouterr().err)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Any]:
    """`vdroppath serve` with a real network, and its address."""
    from vdroppath_tf import zoo
    from vdroppath_tf.data.clips.transforms import ClipSampling
    from vdroppath_tf.serving import export_saved_model, write_sampling

    network = zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    path = export_saved_model(network, tmp_path / "served" / "7", labels=["a", "b", "c", "d"])
    write_sampling(path, ClipSampling(8, short_edge=32, crop=32, clips_per_video=2))
    command = [sys.executable, "-m", "vdroppath_tf", "serve", f"micro={tmp_path}/served"]
    process = subprocess.Popen(
        [*command, "--port=0", "--poll_seconds=0.2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip(), path
    finally:
        process.kill()
        process.communicate()


def test_in_a_process_of_its_own(process: Any) -> None:
    """It answers as the artefact does, also a new version, and ends cleanly.

    There, weights of convolutions are taken for constants: those of each version for its own.
    """
    from vdroppath_tf import zoo
    from vdroppath_tf.serving import export_saved_model, load_artefact, read_sampling

    running, address, path = process
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address), running.stderr.read()

    def asked(clips: np.ndarray) -> Any:
        request = Request(f"{address}/predict?top=4", npy_bytes(clips), {"Content-Type": NPY})
        with urlopen(request, timeout=60) as response:
            return json.load(response)

    clips = np.random.default_rng(0).integers(0, 256, (3, 8, 32, 32, 3), np.uint8)
    new = zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    for version in (7, 8):
        _until(lambda: asked(clips[:1])["version"] == version)  # noqa: B023  used at once
        for count in (2, 1, 3):
            found = asked(clips[:count])
            assert (found["model"], found["version"]) == ("micro", version)
            expected = load_artefact(path).answer(clips[:count]).mean(0)
            scores = {each["label"]: each["score"] for each in found["top"]}
            np.testing.assert_allclose([scores[name] for name in "abcd"], expected, atol=1e-5)
        sampling = read_sampling(path)
        path = path.with_name("8")
        if version == 7:
            export_saved_model(new, path, labels=["a", "b", "c", "d"], sampling=sampling)
    with urlopen(f"{address}/", timeout=60) as response:
        text = response.read().decode()
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)  # works offline
    with urlopen(f"{address}/v1/models/micro", timeout=60) as response:
        assert json.load(response)["labels"] == ["a", "b", "c", "d"]
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) in (0, -signal.SIGTERM, 143)


def _until(true: Any) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")

"""More than forty kinds of bad requests to a real server: each is refused, and it goes on."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")
pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from small_server import Served, serving, write_version

from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.serving.server.bodies import npy_bytes
from vdroppath_tf.serving.server.limits import Limits
from vdroppath_tf.serving.server.pictures import pictures_of

LIMITS = Limits(
    max_bytes=1 << 20, max_pixels=640 * 480, max_frames=60, max_seconds=3.0, max_windows=5
)
BOUNDARY = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("bright")
    write_version(folder, 1)
    with serving(folder, LIMITS) as found:
        yield found


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Grey, 3 seconds."""
    return encoded(tmp_path_factory.mktemp("film") / "a.mp4", 30)


def encoded(path: Path, frames: int, size: int = 32) -> bytes:
    write_video(path, np.full((frames, size, size, 3), 128, np.uint8), fps=10)
    return path.read_bytes()


def sound() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return held.getvalue()


def form(*parts: tuple[str, bytes]) -> bytes:
    lines = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n\r\n%s\r\n'
        % (name.encode(), data)
        for name, data in parts
    )
    return lines + b"--b--\r\n"


def picture(size: int = 32) -> bytes:
    (uri,) = pictures_of(np.zeros((1, size, size, 3), np.uint8))
    return base64.b64decode(uri.partition(",")[2])


def frames_json(*pictures: bytes) -> bytes:
    return json.dumps({"frames": [base64.b64encode(p).decode() for p in pictures]}).encode()


def test_what_is_right_is_answered(served: Served, film: bytes, tmp_path: Path) -> None:
    """In every form in which a video can be sent."""
    grey = np.full((30, 32, 32, 3), 128, np.uint8)
    clips = np.full((2, 4, 16, 16, 3), 128, np.uint8)
    one = encoded(tmp_path / "one.mp4", 1)
    for body, kind in (
        (film, "video/mp4"),
        (film, "application/octet-stream"),
        (form(("video", film)), BOUNDARY),
        (json.dumps({"video": base64.b64encode(film).decode()}).encode(), "application/json"),
        (npy_bytes(grey), "application/x-npy"),
        (npy_bytes(clips), "application/x-npy"),
        (json.dumps({"clips": clips.tolist()}).encode(), "application/json"),
        (one, "video/mp4"),  # its frame repeats, as in every protocol
    ):
        status, found = served.post(body, kind)
        assert (status, found["label"]) == (200, "grey"), found
        assert (found["model"], found["version"]) == ("bright", 1)
    for body, kind in (
        (frames_json(*[picture()] * 9), "application/json"),
        (form(*[("frames", picture())] * 9), BOUNDARY),
    ):
        status, found = served.post(body, kind)
        assert (status, found["label"]) == (200, "dark"), found
        assert found["video"] == {"frames": 9, "height": 32, "width": 32}
    _, found = served.post(film, path="/predict?top=2&pictures=1")
    assert found["top"][0]["label"] == "grey"
    assert len(found["top"]) == 2
    assert found["frames"] == [[0, 2, 4, 6], [22, 24, 26, 28]]
    np.testing.assert_allclose(found["seconds"], np.array(found["frames"]) / 10, atol=1e-6)
    assert all(each.startswith("data:image/jpeg;base64,/9j/") for each in found["pictures"])
    _, found = served.post(film, path="/v1/models/bright/versions/1:predict?window=2&hop=1")
    spans = [(window["start"], window["end"]) for window in found["windows"]]
    np.testing.assert_allclose(spans, [(0, 2), (1, 3)])


def unfinished(served: Served) -> tuple[int, Any]:
    """A client that goes away in the middle."""
    with socket.create_connection(("127.0.0.1", served.port)) as sent:
        sent.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nx")
    return 0, {}


def slow(served: Served) -> tuple[int, Any]:
    """A byte now and then."""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sent:
        sent.sendall(head)
        for _ in range(12):
            time.sleep(0.3)
            sent.sendall(b"x")
        return parsed(sent.recv(65536))


def gigabyte(served: Served) -> tuple[int, Any]:
    """Announced; nothing of it needs to be sent to be refused."""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n"
    return parsed(served.raw(head))


def parsed(found: bytes) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    return int(found.split()[1]), json.loads(found.partition(b"\r\n\r\n")[2])


def endless(served: Served) -> tuple[int, Any]:
    """Chunks that nobody announced the sum of."""
    chunks = (bytes(65536) for _ in range(40))
    return served.request("POST", "/predict", chunks)


def body(data: bytes | Callable[[bytes], bytes], kind: str = "video/mp4", query: str = "") -> Any:
    def send(served: Served, film: bytes) -> tuple[int, Any]:
        sent = data(film) if callable(data) else data
        return served.post(sent, kind, f"/predict{query}")

    return send


def address(method: str, path: str) -> Any:
    return lambda served, film: served.request(method, path, film)


def raw(data: bytes) -> Any:
    def send(served: Served, film: bytes) -> tuple[int, Any]:
        found = served.raw(data)
        status = int(found.split()[1]) if found.startswith(b"HTTP/1.1 ") else 0
        return status, found

    return send


def nested(depth: int) -> bytes:
    return b'{"clips": ' + b"[" * depth + b"]" * depth + b"}"


def clips(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


JSON, NPY = "application/json", "application/x-npy"
GREY = np.zeros((9, 32, 32, 3), np.uint8)
KINDS: dict[str, tuple[Any, int, str]] = {
    "nothing": (body(b""), 400, "empty"),
    "garbage": (body(b"not a video " * 99), 422, "bad_video"),
    "cut short": (body(lambda film: film[: len(film) // 2]), 422, "bad_video"),
    "one byte": (body(b"\0"), 422, "bad_video"),
    "zeros": (body(bytes(5000)), 422, "bad_video"),
    "sound only": (body(sound()), 422, "bad_video"),
    "10,000 x 10,000": (
        body(b"YUV4MPEG2 W10000 H10000 F25:1 C420jpeg\nFRAME\n"),
        413,
        "too_large",
    ),
    "10,000 x 10,000 gif": (body(b"GIF89a\x10\x27\x10\x27\0\0\0,\0;"), 0, ""),
    "a playlist": (body(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), 422, "bad_video"),
    "a playlist by its type": (
        body(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "video/x-mpegurl"),
        422,
        "bad_video",
    ),
    "a concat script": (
        body(b"ffconcat version 1.0\nfile '/etc/passwd'\nduration 1\n"),
        422,
        "bad_video",
    ),
    "a pattern of names": (body(b"/tmp/%05d.jpg"), 422, "bad_video"),
    "an address": (body(b"http://127.0.0.1:1/a.mp4"), 422, "bad_video"),
    "a manifest of DASH": (
        body(b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/</BaseURL></MPD>'),
        422,
        "bad_video",
    ),
    "a zip": (body(b"PK\x03\x04" + bytes(99)), 422, "bad_video"),
    "too many frames": (None, 413, "too_large"),
    "too large frames": (None, 413, "too_large"),
    "floats": (body(npy_bytes(GREY / 255), NPY), 422, "bad_video"),
    "one frame without time": (body(npy_bytes(GREY[0]), NPY), 422, "bad_video"),
    "no frame": (body(npy_bytes(GREY[:0]), NPY), 422, "bad_video"),
    "four channels": (body(npy_bytes(np.zeros((9, 8, 8, 4), np.uint8)), NPY), 422, "bad_video"),
    "clips of floats": (body(npy_bytes(np.zeros((1, 4, 16, 16, 3))), NPY), 422, "clips"),
    "clips of five frames": (
        body(npy_bytes(np.zeros((1, 5, 16, 16, 3), np.uint8)), NPY),
        422,
        "clips",
    ),
    "no array": (body(b"\x93NUMPY\x01\x00v\x00{'descr': garbage", NPY), 400, "bad_npy"),
    "an array cut short": (body(npy_bytes(GREY)[:-99], NPY), 400, "bad_npy"),
    "an array that claims a terabyte": (
        body(npy_bytes(GREY).replace(b"(9, 32, 32, 3), }      ", b"(999999999, 9, 9, 3), }"), NPY),
        400,
        "bad_npy",
    ),
    "broken JSON": (body(b'{"clips": [', JSON), 400, "bad_json"),
    "JSON of no object": (body(b"[1, 2]", JSON), 400, "bad_json"),
    "JSON with a path": (body(clips(path="/etc/passwd"), JSON), 400, "bad_json"),
    "JSON with a video by name": (body(clips(video="/etc/passwd"), JSON), 400, "bad_base64"),
    "JSON with an address": (body(clips(video="http://x/a.mp4"), JSON), 400, "bad_base64"),
    "JSON with a number for a video": (body(clips(video=3), JSON), 400, "bad_json"),
    "JSON, a hundred thousand deep": (body(nested(100_000), JSON), 400, "bad_json"),
    "JSON, deep": (body(nested(200), JSON), 422, "clips"),
    "ragged clips": (body(clips(clips=[[[1, 2], [3]]]), JSON), 422, "clips"),
    "numbers out of range": (body(clips(clips=[[[[[256, 0, 0]]]]]), JSON), 422, "clips"),
    "pictures that are none": (body(frames_json(b"no picture"), JSON), 422, "bad_video"),
    "pictures of two sizes": (
        body(frames_json(*[picture(32), picture(16)] * 4), JSON),
        422,
        "bad_video",
    ),
    "no pictures": (body(clips(frames=[]), JSON), 400, "bad_json"),
    "a form without a file": (body(form(), BOUNDARY), 400, "bad_form"),
    "a form with another file": (body(form(("film", b"x")), BOUNDARY), 400, "bad_form"),
    "a form with two videos": (
        body(lambda film: form(("video", film), ("video", film)), BOUNDARY),
        400,
        "bad_form",
    ),
    "a form without a boundary": (body(form(), "multipart/form-data"), 400, "bad_form"),
    "a broken form": (body(b"--b\r\nnonsense", BOUNDARY), 400, "bad_form"),
    "another media type": (body(b"<a/>", "text/xml"), 415, "media_type"),
    "an unknown option": (body(b"x", query="?topp=5"), 400, "option"),
    "top=0": (body(b"x", query="?top=0"), 400, "option"),
    "top=many": (body(b"x", query="?top=many"), 400, "option"),
    "window=nan": (body(b"x", query="?window=nan"), 400, "option"),
    "a hop without a window": (body(b"x", query="?hop=1"), 400, "option"),
    "too many windows": (body(lambda film: film, query="?window=.2"), 413, "too_many_windows"),
    "windows without times": (body(npy_bytes(GREY), NPY, "?window=1"), 422, "bad_video"),
    "another method": (address("GET", "/predict"), 405, "address"),
    "another address": (address("POST", "/etc/passwd"), 404, "address"),
    "another model": (address("POST", "/v1/models/brihgt:predict"), 404, "no_model"),
    "another version": (address("POST", "/v1/models/bright/versions/7:predict"), 404, "no_version"),
    "a version that is no number": (
        address("POST", "/v1/models/bright/versions/x:predict"),
        404,
        "address",
    ),
    "a way out of the models": (address("POST", "/v1/models/..%2f..%2fetc:predict"), 404, ""),
    "gRPC": (raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), 400, ""),
    "TLS": (raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)), 400, ""),
    "no HTTP": (raw(b"hello\r\n\r\n"), 400, ""),
    "a head without an end": (raw(b"GET / HTTP/1.1\r\nA: " + b"a" * 200_000), 400, ""),
    "two lengths": (
        raw(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Content-Length: 6\r\n\r\nabcdef"
        ),
        400,
        "",
    ),
    "a foreign host": (raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 400, ""),
    "a body of 1 GB": (lambda served, film: gigabyte(served), 413, "too_large"),
    "an endless body": (lambda served, film: endless(served), 413, "too_large"),
    "a slow client": (lambda served, film: slow(served), 408, "too_slow"),
    "a client that goes away": (lambda served, film: unfinished(served), 0, ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_request_is_refused_and_the_server_goes_on(
    served: Served, film: bytes, tmp_path: Path, kind: str
) -> None:
    send, status, code = KINDS[kind]
    if kind == "too many frames":
        send = body(encoded(tmp_path / "long.mp4", 61))
    elif kind == "too large frames":
        send = body(encoded(tmp_path / "large.mp4", 2, 642))
    found, answer = send(served, film)
    if status:
        assert found == status, answer
    else:
        assert found < 500
    if code:
        assert answer["error"]["code"] == code, answer
        assert set(answer) == {"error"}
    if isinstance(answer, dict) and answer:
        said = answer["error"]["message"]
        assert "/tmp" not in said.replace("/tmp/%05d", "")
        assert "root:" not in said
        assert "Traceback" not in said
    assert served.request("GET", "/healthz") == (200, b"alive\n")
    if kind in ("a slow client", "cut short", "a client that goes away", "gRPC"):
        assert served.post(film)[1]["label"] == "grey"

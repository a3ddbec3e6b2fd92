"""Files by path or URL: exact bytes or one clear error, and no secret in it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from web import DATA, Web, web_server

from vdroppath_tf.data.remote import files as remote
from vdroppath_tf.data.remote import http as remote_http
from vdroppath_tf.data.remote import stores as remote_stores
from vdroppath_tf.data.remote.fsspec_store import FsspecStore
from vdroppath_tf.data.remote.gfile_store import GfileStore
from vdroppath_tf.data.sources.container import VideoError

SECRET = "hunter2"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(remote_http, "_PAUSE", 0.0)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with web_server() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    return str(path)


@given(st.integers(0, len(DATA) + 9), st.integers(0, len(DATA) + 9))
def test_ranges_of_a_file_are_its_slices(
    tmp_path_factory: pytest.TempPathFactory, offset: int, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "slices"
    if not path.exists():
        path.write_bytes(DATA)
    if length and offset + length > len(DATA):
        with pytest.raises(VideoError, match=f"{path}: is cut short"):
            remote.read_range(str(path), offset, length)
    else:
        assert remote.read_range(str(path), offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (0, 10240), (1000, 77), (10239, 1)])
def test_ranges_of_a_url_are_slices(web: Web, offset: int, length: int) -> None:
    assert remote.read_range(web.url("a"), offset, length) == DATA[offset : offset + length]
    assert web.asked[0][1]["Range"] == f"bytes={offset}-{offset + length - 1}"


def test_threads_share_connections(web: Web) -> None:
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(lambda k: remote.read_range(web.url("a"), 256 * k, 256), range(40))
    assert b"".join(parts) == DATA


@pytest.mark.parametrize(("offset", "length"), [(10200, 41), (10240, 1), (99999, 5)])
def test_short_reads_are_errors(web: Web, file: str, offset: int, length: int) -> None:
    for path in (web.url("a"), file):
        with pytest.raises(VideoError, match=f"{path}: is cut short: .* from byte {offset} on"):
            remote.read_range(path, offset, length)


def test_bad_ranges_are_refused_before_anything_is_read(file: str) -> None:
    for offset, length in ((-1, 5), (0, -1), (0, 1 << 40)):
        with pytest.raises(VideoError, match="expected an offset from 0"):
            remote.read_range(file, offset, length)


def test_whole_files_are_bounded(web: Web, file: str) -> None:
    for path in (web.url("a"), file):
        assert remote.read_file(path, limit=len(DATA)) == DATA
        with pytest.raises(VideoError, match=f"{path}: is larger than the limit of 10239 bytes"):
            remote.read_file(path, limit=len(DATA) - 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-ranges", "the server ignores Range requests"),
        ("wrong-range", "the server ignores Range requests"),
        ("gzip", "sends it compressed"),
        ("404", "does not exist"),
        ("403", "may not be read"),
        ("401", "asks for a user and password"),
        ("always-busy", "the server answers 500, 4 times in a row"),
    ],
)
def test_a_server_that_does_not_do_it(web: Web, name: str, message: str) -> None:
    with pytest.raises(VideoError, match=f"{web.url(name)}: .*{message}"):
        remote.read_range(web.url(name), 5, 9)
    assert len(web.asked) == (4 if name == "always-busy" else 1)


@pytest.mark.parametrize(("name", "asked"), [("busy", 3), ("breaks", 2)])
def test_what_passes_is_tried_again(web: Web, name: str, asked: int) -> None:
    assert remote.read_file(web.url(name), limit=len(DATA)) == DATA
    assert len(web.asked) == asked


def test_no_server(web: Web) -> None:
    url = web.url("a")
    web.server_close()
    with pytest.raises(VideoError, match=f"{url}: the connection failed or broke off, 4 times"):
        remote.read_file(url, limit=9)


def test_redirects_go_to_the_web_only(web: Web, file: str) -> None:
    web.targets = {"to/a": web.url("a"), "to/file": f"file://{file}", "to/ftp": "ftp://127.0.0.1/a"}
    web.targets["to/itself"] = web.url("to/itself")
    assert remote.read_range(web.url("to/a"), 5, 9) == DATA[5:14]
    for name, message in (
        ("to/file", "redirects to a file:// address"),
        ("to/ftp", "redirects to a ftp:// address"),
        ("to/itself", "redirects too many times"),
    ):
        with pytest.raises(VideoError, match=message):
            remote.read_file(web.url(name), limit=1 << 20)


@pytest.mark.parametrize("file", ["file", "drip"])
def test_an_answer_has_an_end(web: Web, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps every other limit in time from being reached."""
    monkeypatch.setattr(remote_http, "PATIENCE", 0.3)
    monkeypatch.setattr(remote_http, "SLOWEST", 1 << 30)
    if file == "file":
        assert remote.read_file(web.url(file), limit=1 << 20) == DATA
        return
    with pytest.raises(VideoError, match=r"drip: is sent too slowly: \d+ bytes came in 0 s"):
        remote.read_file(web.url(file), limit=1 << 20)
    assert len(web.asked) == 1


def test_no_redirect_leads_into_a_network(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an address that anyone may write into a list could ask the services of this network."""
    web.targets["to/inside"] = web.url("file").replace("127.0.0.1", "localhost")
    assert remote.read_file(web.url("to/inside"), limit=1 << 20) == DATA  # it begins inside
    monkeypatch.setattr(remote_http, "_is_inside", lambda url: "localhost" in url)
    with pytest.raises(VideoError, match=r"redirects into a private network, to .*/file"):
        remote.read_file(web.url("to/inside"), limit=1 << 20)


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("169.254.169.254", True),
        ("[::1]", True),
        ("[fd00::1]", True),
        ("0.0.0.0", True),
        ("2130706433", True),  # 127.0.0.1 as one number
        ("8.8.8.8", False),
        ("[2001:4860:4860::8888]", False),
        ("no such host", False),
    ],
)
def test_what_lies_in_a_private_network(host: str, inside: bool) -> None:
    assert remote_http._is_inside(f"http://user@{host}:80/latest?x=1") is inside


def test_no_secret_is_shown(web: Web) -> None:
    web.targets = {"to/file": f"file:///etc/{SECRET}?sig={SECRET}"}
    urls = [
        web.url(f"404?sig={SECRET}"),
        web.url(f"404#{SECRET}"),
        web.url("404").replace("//", f"//user:{SECRET}@"),
        web.url(f"to/file?sig={SECRET}"),
        web.url(f"no-ranges?X-Amz-Signature={SECRET}"),
        f"http://127.0.0.1:1/a?sig={SECRET}",
        f"http://[{SECRET}/a?sig={SECRET}",
        f"s3://user:{SECRET}@bucket/a?sig={SECRET}",
        f"smb://user:{SECRET}@server/a",
    ]
    for url in urls[:-2]:
        with pytest.raises(VideoError) as raised:
            remote.read_range(url, 0, 5)
        assert SECRET not in str(raised.value).replace(f"[{SECRET}", "")
        assert raised.value.__cause__ is None
    for url in urls:
        assert SECRET not in remote.shown(url).replace(f"[{SECRET}", "")
    assert remote.shown(urls[0]) == web.url("404?...")


def test_user_and_password_of_a_url_are_used(web: Web) -> None:
    remote.read_file(web.url("a").replace("//", "//user:word@"), limit=len(DATA))
    assert web.asked[0][1]["Authorization"] == "Basic dXNlcjp3b3Jk"


@pytest.mark.parametrize(
    ("folder", "name", "expected"),
    [
        ("/clips", "a/b 1.tfrecord", "/clips/a/b 1.tfrecord"),
        ("s3://bucket/x/", "a b?", "s3://bucket/x/a b?"),
        ("https://h/x/?sig=1", "a b", "https://h/x/a%20b?sig=1"),
        ("http://h", "a", "http://h/a"),
    ],
)
def test_join(folder: str, name: str, expected: str) -> None:
    assert remote.join(folder, name) == expected
    assert remote.is_remote(expected) == (not folder.startswith("/"))


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a\\b", ".", "a\0"]
)
def test_names_do_not_leave_their_folder(name: str) -> None:
    for folder in ("/clips", "s3://bucket", "https://host/x"):
        with pytest.raises(ValueError, match="holds no file"):
            remote.join(folder, name)


def test_local_files_are_written_whole_listed_and_deleted(tmp_path: Path) -> None:
    folder = str(tmp_path / "new")
    assert remote.list_files(folder) == []
    for name in ("b", "a/c"):
        remote.write_file(remote.join(folder, name), name.encode())
    assert remote.list_files(folder) == ["a/c", "b"]
    remote.delete_file(remote.join(folder, "b"))
    remote.delete_file(remote.join(folder, "b"))
    assert remote.list_files(folder) == ["a/c"]
    with pytest.raises(VideoError, match="b: does not exist"):
        remote.read_file(remote.join(folder, "b"), limit=9)
    with pytest.raises(VideoError, match=r"a: cannot be used \(Is a directory\)"):
        remote.read_file(remote.join(folder, "a"), limit=9)


@pytest.mark.parametrize(("scheme", "extra"), [("s3", "remote"), ("az", "remote-az")])
def test_what_is_missing_is_named(scheme: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where neither extra is installed; nothing of it may reach the network."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(remote_stores, "native_io", lambda: False)
    monkeypatch.setattr(remote_stores, "store_of", remote_stores.store_of.__wrapped__)
    monkeypatch.setattr(remote, "store_of", remote_stores.store_of)
    with pytest.raises(ValueError, match=f"^{scheme}:// cannot be used here.*TensorFlow") as raised:
        remote.read_range(f"{scheme}://bucket/a", 0, 5)
    assert not isinstance(raised.value, VideoError)  # no video is to blame
    assert f"the extra '{extra}' ({remote_stores.FSSPEC[scheme]}, any " in str(raised.value)
    assert tf.__version__ in str(raised.value)
    assert remote.probe()[scheme] == ""


@pytest.mark.parametrize("url", ["ftp://host/a", "file:///etc/passwd", "ram://a", "hdfs://a/b"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected a local path, http://"):
        remote.read_file(url, limit=9)
    with pytest.raises(ValueError, match="expected a local path, http://"):
        remote.write_file("https://host/a", b"")


def test_probe_is_what_works() -> None:
    found = remote.probe()
    assert found["http"] == "requests"
    native = tf.__version__ < "2.18" and importlib.util.find_spec("tensorflow_io") is not None
    for scheme, otherwise in (("gs", "tensorflow"), ("az", "tensorflow-io" if native else "")):
        package = remote_stores.FSSPEC[scheme]
        here = importlib.util.find_spec(package) is not None
        assert found[scheme] == (package if here else otherwise)


def test_leave_keeps_the_exit_code_and_what_was_printed() -> None:
    code = "from vdroppath_tf.data.remote.files import leave; print('said'); leave(3)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "said\n")


def test_tensorflow_io_is_preferred_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_stores, "native_io", lambda: True)
    assert remote_stores.store_name("s3") == "tensorflow-io"
    assert isinstance(remote_stores.store_of.__wrapped__("s3"), GfileStore)


def test_the_store_of_tensorflow(tmp_path: Path) -> None:
    """It reads local folders as it reads buckets."""
    store, folder = GfileStore(), str(tmp_path)
    (tmp_path / "a").mkdir()
    for name in ("b", "a/c"):
        store.write(f"{folder}/{name}", name.encode())
    assert sorted(store.files(folder)) == ["a/c", "b"]
    assert [store.read(f"{folder}/a/c", *part) for part in ((0, 2), (1, 9), (9, 2))] == [
        *(b"a/", b"/c", b""),
    ]
    for _ in range(2):
        store.delete(f"{folder}/b")
    assert list(store.files(folder)) == ["a/c"]
    with pytest.raises(tf.errors.NotFoundError):
        store.read(f"{folder}/b", 0, 1)


@pytest.mark.parametrize(
    ("code", "module", "expected"),
    [
        (416, "gcsfs.retry", b""),
        (403, "gcsfs.retry", PermissionError),
        (404, "azure.core", FileNotFoundError),
        (None, "botocore.errorfactory", OSError),
        (404, "elsewhere", RuntimeError),
    ],
)
def test_errors_of_packages_are_those_of_files(
    code: int | None, module: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package's own exceptions, by their module; all others are mistakes of a program."""
    pytest.importorskip("fsspec")

    def refuse(**options: Any) -> Any:
        kind = type("HttpError", (RuntimeError,), {"__module__": module, "code": code})
        raise kind(f"https://host/a?signature={SECRET}")

    store = FsspecStore("memory")
    monkeypatch.setattr(store, "_class", refuse)
    if expected == b"":
        assert store.read("memory://a", 9, 2) == b""
        return
    with pytest.raises(expected) as raised:
        store.read("memory://a", 9, 2)
    assert module == "elsewhere" or SECRET not in str(raised.value)


def test_access_that_is_denied() -> None:
    for error in (PermissionError(13, SECRET), tf.errors.UnauthenticatedError(None, None, SECRET)):
        said = remote_stores.as_video_error("s3://bucket/a", error)
        assert str(said) == "s3://bucket/a: access is denied. Check permissions and credentials."

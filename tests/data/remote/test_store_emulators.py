"""az:// and gs:// for real, through adlfs and gcsfs, against emulators on 127.0.0.1.

Azurite, Microsoft's own, comes from npm, as in `.ci/run`: `npm install --prefix .azurite azurite`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from web import web_server

import vdroppath_tf
from vdroppath_tf.data.remote import stores as remote_stores

HERE = Path(__file__).parents[1]
AZURITE = shutil.which(
    "azurite-blob",
    path=f"{os.environ.get('PATH')}:{HERE.parents[1]}/.azurite/node_modules/.bin",
)
# Azurite's only account, with the key that its documentation gives to everyone
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def _server(command: list[str]) -> Iterator[str]:
    """Starts a server, and gives the address that it prints."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stdout)
            yield next(match[0] for match in found if match)
        finally:
            server.kill()


def _needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not here: extras remote-az, remote-gs and test-stores")


@contextmanager
def azurite(folder: Path) -> Iterator[dict[str, str]]:
    """Variables that lead to an Azurite with an empty container."""
    if AZURITE is None:
        pytest.skip("Azurite is not here: npm install --prefix .azurite azurite")
    options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck"]
    with _server([AZURITE, *options, "--location", str(folder)]) as address:
        connection = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": _ACCOUNT,
            "AccountKey": _KEY,
            "BlobEndpoint": f"{address}/{_ACCOUNT}",
        }
        text = ";".join(f"{name}={value}" for name, value in connection.items())
        import adlfs

        adlfs.AzureBlobFileSystem(connection_string=text).mkdir("bucket")
        yield {"AZURE_STORAGE_CONNECTION_STRING": text}


@contextmanager
def cloud_storage(folder: Path) -> Iterator[dict[str, str]]:
    """Variables that lead to an emulator with an empty bucket."""
    _needs("gcp_storage_emulator")
    with _server([sys.executable, "-W", "ignore", str(HERE / "gcs_server.py")]) as address:
        yield {"STORAGE_EMULATOR_HOST": address}


@pytest.mark.parametrize(("scheme", "emulator"), [("az", azurite), ("gs", cloud_storage)])
def test_reads_and_writes(scheme: str, emulator: object, tmp_path: Path) -> None:
    package = remote_stores.FSSPEC[scheme]
    _needs(package)
    with emulator(tmp_path) as variables, web_server() as web:  # type: ignore[operator]
        plain = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        paths = [Path(vdroppath_tf.__file__).parents[1], HERE, HERE.parent]
        python_path = os.pathsep.join([*map(str, paths), *sys.path])
        done = subprocess.run(
            [sys.executable, str(HERE / "store_job.py"), scheme, web.url("a")],
            capture_output=True,
            text=True,
            check=False,
            env=plain | variables | {"PYTHONPATH": python_path},
            timeout=300,
        )
    assert done.returncode == 7, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    url = f"{scheme}://bucket/part one/data"
    for name, there, place in (("short", 5, 10235), ("beyond", 0, 10245)):
        expected = f"{url}: is cut short: {there} of the 9 bytes from byte {place} on are there"
        assert answer.pop(name).startswith(expected)
    assert answer == {
        "reader": package,
        "ranges": True,
        "whole": True,
        "listed": ["b/c"],
        "nothing": [],
        "large": f"{url}: is larger than the limit of 99 bytes.",
        "missing": f"{scheme}://bucket/none?...: does not exist. Check the path.",
    }

"""s3:// for real, against a server on 127.0.0.1: tensorflow-io where it works, else s3fs.

Each job is a process of its own: after s3:// through tensorflow-io an ordinary exit aborts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tiny
from web import web_server

import vdroppath_tf

HERE = Path(__file__).parents[1]
NATIVE = tf.__version__ < "2.18" and importlib.util.find_spec("tensorflow_io") is not None

pytestmark = [
    pytest.mark.skipif(
        not NATIVE and importlib.util.find_spec("s3fs") is None,
        reason="neither tensorflow-io (TensorFlow below 2.18) nor s3fs is here: extra io or remote",
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("moto") is None, reason="no S3 server here: extra test-s3"
    ),
]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """An empty bucket, as boto3 sees it, and in the environment of the jobs."""
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(HERE / "s3_server.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.communicate()


def _run(script: str, endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    variables |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,  # of s3fs
        "S3_ENDPOINT": endpoint,  # of tensorflow-io
        "S3_USE_HTTPS": "0",
        "S3_VERIFY_SSL": "0",
        "PYTHONPATH": os.pathsep.join(
            [str(Path(vdroppath_tf.__file__).parents[1]), str(HERE), str(HERE.parent)]
        ),
    }
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=variables, timeout=600
    )


def test_a_process_reads_and_writes_and_leaves_in_order(bucket: str) -> None:
    with web_server() as web:
        done = _run("store_job.py", bucket, "s3", web.url("a"))
    assert done.returncode == 7, done.stderr  # an ordinary exit would be an abort, 134
    assert "hunter2" not in done.stdout + done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer.pop("reader") == ("tensorflow-io" if NATIVE else "s3fs")
    short = "s3://bucket/part one/data: is cut short: {} of the 9 bytes from byte {} on are there"
    assert answer.pop("short").startswith(short.format(5, 10235))
    assert answer.pop("beyond").startswith(short.format(0, 10245))
    assert answer.pop("large") == "s3://bucket/part one/data: is larger than the limit of 99 bytes."
    assert answer.pop("missing") == "s3://bucket/none?...: does not exist. Check the path."
    expected: dict[str, Any] = {"ranges": True, "whole": True, "listed": ["b/c"], "nothing": []}
    if NATIVE:
        expected |= {"records": True, "weights": [1.0, 2.0], "http": True}
    assert answer == expected


@pytest.mark.newest
def test_a_run_is_kept_in_a_bucket_and_goes_on_from_it(
    bucket: str, motion: Any, tmp_path: Path
) -> None:
    def train(out: str) -> subprocess.CompletedProcess[str]:
        return _run(
            "s3_train.py",
            bucket,
            "train",
            f"--network={tiny.ONE_LAYER}",
            f"--frames={tiny.SHAPE[0]}",
            f"--batch_size={tiny.BATCH}",
            "--warmup_epochs=0",
            "--search_epochs=1",
            f"--data={motion.folder}/train.txt",
            f"--out={tmp_path / out}",
            "--backup=s3://bucket/runs/one",
        )

    first = train("first")
    assert first.returncode == 0, first.stderr
    assert "Copied to s3://bucket/runs/one" in first.stderr
    second = train("second")  # on another machine, say: nothing is trained again
    assert second.returncode == 0, second.stderr
    assert "files from s3://bucket/runs/one" in second.stderr
    assert "Epoch" not in second.stdout
    for name in ("history.json", "space.json", "run.json"):
        assert (tmp_path / "second" / name).read_text() == (tmp_path / "first" / name).read_text()
    names = [str(f.relative_to(tmp_path / "first")) for f in (tmp_path / "first").rglob("*")]
    assert any("events.out" in name for name in names)
    assert {name for name in names if (tmp_path / "first" / name).is_file()} <= {
        str(f.relative_to(tmp_path / "second")) for f in (tmp_path / "second").rglob("*")
    }

"""Records behind a web server that answers ranges."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import record_files

from vdroppath_tf.data.catalog import open_manifest
from vdroppath_tf.data.records import video as record_video
from vdroppath_tf.data.records.reader import check_shards
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.container import VideoError


class Handler(BaseHTTPRequestHandler):
    folder: Path
    asked: list[tuple[str, int]]

    def do_GET(self) -> None:
        name = self.path.strip("/")
        if not (self.folder / name).is_file():
            self.send_error(404)
            return
        data = whole = (self.folder / name).read_bytes()
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(found[1]), min(int(found[2]), len(whole) - 1)
            data = whole[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
        else:
            self.send_response(200)
        self.asked.append((name, len(data)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("web")
    write_records(home / "train", record_files.write_list(home / "videos"), shards=2)
    Handler.folder, Handler.asked = home / "train", []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("at_once", [0, 1 << 20])
def test_the_same_frames(url: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_video, "_AT_ONCE", at_once)
    here = open_manifest(Handler.folder)
    for local, entry in zip(here, open_manifest(url), strict=True):
        assert entry.path == local.path.replace(str(Handler.folder), url)
        Handler.asked.clear()
        np.testing.assert_array_equal(entry.source.read([9, 2]), local.source.read([9, 2]))
        assert len(Handler.asked) == (1 if at_once else 2)
        entry.source.validate()
    check_shards(url)


def test_a_shard_is_missing(url: str) -> None:
    source = open_manifest(url).entries[0].source
    shard = Handler.folder / "train-00000-of-00002.tfrecord"
    shard.rename(shard.with_suffix(".away"))
    with pytest.raises(VideoError, match=r"train-00000-of-00002\.tfrecord.*record 'video 0\.mp4'"):
        source.read([0])
    with pytest.raises(VideoError, match=r"missing or other than .*: train-00000"):
        check_shards(url)
    shard.with_suffix(".away").rename(shard)

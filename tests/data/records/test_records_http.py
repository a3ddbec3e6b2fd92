"""Records behind a web server that answers ranges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import record_files
from web import FolderServer, running

from vdroppath_tf.data.catalog import open_manifest
from vdroppath_tf.data.records import video as record_video
from vdroppath_tf.data.records.reader import check_shards
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.container import VideoError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FolderServer]:
    home = tmp_path_factory.mktemp("web")
    write_records(home / "train", record_files.write_list(home / "videos"), shards=2)
    found = FolderServer(home / "train")
    with running(found):
        yield found


@pytest.fixture(scope="module")
def url(server: FolderServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("at_once", [0, 1 << 20])
def test_the_same_frames(
    server: FolderServer, url: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_video, "_AT_ONCE", at_once)
    here = open_manifest(server.folder)
    for local, entry in zip(here, open_manifest(url), strict=True):
        assert entry.path == local.path.replace(str(server.folder), url)
        server.asked.clear()
        np.testing.assert_array_equal(entry.source.read([9, 2]), local.source.read([9, 2]))
        assert len(server.asked) == (1 if at_once else 2)
        entry.source.validate()
    check_shards(url)


def test_a_shard_is_missing(server: FolderServer, url: str) -> None:
    source = open_manifest(url).entries[0].source
    shard = server.folder / "train-00000-of-00002.tfrecord"
    shard.rename(shard.with_suffix(".away"))
    with pytest.raises(VideoError, match=r"train-00000-of-00002\.tfrecord.*record 'video 0\.mp4'"):
        source.read([0])
    with pytest.raises(VideoError, match=r"missing, or different from .*: train-00000"):
        check_shards(url)
    shard.with_suffix(".away").rename(shard)

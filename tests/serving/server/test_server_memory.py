"""Answers and refusals leave no memory behind in the server."""

from __future__ import annotations

from pathlib import Path

import barcode
import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")
pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from held_memory import held_after
from small_server import serving, write_version

from vdroppath_tf.serving.server.limits import Limits

MOST = 80.0  # bytes; a packet that FFmpeg keeps is 160, with what the allocator adds


@pytest.mark.parametrize("kind", ["answered", "cut", "empty"])
def test_requests(tmp_path: Path, kind: str) -> None:
    write_version(tmp_path / "bright", 1)
    data = barcode.write(tmp_path / "a.mp4", 20).read_bytes()
    body, status = {
        "answered": (data, 200),
        "cut": (data[: len(data) // 2], 422),
        "empty": (b"", 400),
    }[kind]
    with serving(tmp_path / "bright", Limits()) as served:

        def ask() -> None:
            assert served.post(body)[0] == status

        assert held_after(ask, calls=400) < MOST

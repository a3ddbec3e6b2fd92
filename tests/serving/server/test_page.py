"""The page of a server in a real browser: a video, its frames, a timeline, a camera, an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="needs vdroppath_tf[serve]")
pytest.importorskip("starlette", reason="needs vdroppath_tf[serve]")

from browser import CHROMIUM, browser
from small_server import serving, write_version

from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.serving.server.limits import Limits


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")
def test_a_person_drops_a_video(tmp_path: Path) -> None:
    write_version(tmp_path / "bright", 1)
    long = np.concatenate([np.full((40, 64, 96, 3), k, np.uint8) for k in (5, 128, 250)])
    write_video(tmp_path / "long.mp4", long, fps=10)
    write_video(tmp_path / "short.mp4", long[:8], fps=10)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with serving(tmp_path / "bright", Limits()) as served, browser(tmp_path) as page:
        address = f"http://127.0.0.1:{served.port}/"
        page.open(address)
        page.choose("#file", tmp_path / "long.mp4")
        page.until("!document.getElementById('time').hidden")
        said = page.until("document.getElementById('said').textContent")
        assert said == "bright, version 1: 120 frames of 96 x 64."
        answers = page.run("[...document.querySelectorAll('.answer')].map(n => n.innerText)")
        assert len(answers) == 3
        pictures = "[...document.querySelectorAll('#frames img')]"
        assert page.until(f"{pictures}.every(i => i.complete && i.naturalWidth)")
        captions = page.run(f"{pictures}.map(i => i.nextSibling.textContent)")
        assert captions == [f"frame {k}, {k / 10:.2f} s" for k in (0, 2, 4, 6)]
        bars = page.run("[...document.querySelectorAll('#bars button')].map(n => n.title)")
        assert [bar.split(": ")[1].split(",")[0] for bar in (bars[0], bars[-1])] == [
            "dark",
            "light",
        ]
        legend = page.run("document.getElementById('legend').innerText")
        assert all(name in legend for name in ("dark", "grey", "light"))
        page.run("document.querySelector('#bars button:last-child').click()")
        assert page.run("document.getElementById('title').textContent").startswith("From ")
        assert "light" in page.run("document.querySelector('.answer').innerText")
        page.screenshot(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 10_000

        page.choose("#file", tmp_path / "bad.mp4")
        page.until("document.getElementById('said').className === 'bad'")
        assert "damaged or not a video" in page.run("document.getElementById('said').textContent")
        assert page.run("document.getElementById('used').hidden")

        page.open(address, width=400)
        page.choose("#file", tmp_path / "short.mp4")
        page.until("document.getElementById('said').textContent.includes('8 frames')")
        assert page.run("document.getElementById('time').hidden")
        root = "document.documentElement"
        assert page.run(f"{root}.scrollWidth - {root}.clientWidth") == 0  # on a telephone

        page.run("document.getElementById('camera').click()")
        page.until("document.getElementById('said').textContent.startsWith('Recording')")
        page.until("document.getElementById('said').textContent.startsWith('bright')")
        assert all(url.startswith((address, "blob:", "data:")) for url in page.requests), (
            page.requests
        )
        # the one request that was refused, and nothing that a policy forbade
        assert [each for each in page.complaints if "422" not in each] == []

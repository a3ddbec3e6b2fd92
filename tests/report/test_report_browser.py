"""The report in a real browser: nothing sticks out, every picture is there."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from browser import CHROMIUM, FLAGS
from report_pages import page, row, task

from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.spaces.space import ProbabilitySpace


@pytest.fixture(scope="module")
def wide_page() -> str:
    """A page of two tasks, one of them of many layers, with its pictures."""
    long = ProbabilitySpace(np.full((61, 2), 0.3))
    many = TaskReport("wide", "x", long, [row("m", str(long.mode()), 0.5)], long.mode(), 2, 9)
    return page(task(), many)


def in_browser(folder: Path, harness: str, *flags: str) -> str:
    """What a headless browser makes of a page: its document, after scripts ran."""
    (folder / "harness.html").write_text(harness, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    page = (folder / "harness.html").as_uri()
    command = [str(CHROMIUM), *FLAGS, "--virtual-time-budget=5000", profile, *flags, page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


@pytest.mark.newest
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")
@pytest.mark.parametrize("width", [400, 1200])
def test_a_real_browser_shows_it_without_sideways_scrolling(tmp_path, width, wide_page):
    """The page in a frame of that width; the harness around it says what was laid out.

    Nothing reaches out of the page, every picture is there, the narrow form of it is shown on the
    narrow page only, and at a size at which its text can be read; and a screenshot has the colours.
    """
    harness = (
        f'<body style="margin:0"><iframe id="f" style="width:{width}px;height:4000px;border:0" '
        f'srcdoc="{html.escape(wide_page)}"></iframe><script>'
        "onload = () => { const d = document.getElementById('f').contentDocument;"
        "const broken = [...d.images].filter(i => !i.naturalWidth).length;"
        "const page = d.documentElement, drawn = [...d.querySelectorAll('picture img')];"
        "const narrow = drawn.filter(i => i.currentSrc !== i.src).length;"
        "const scale = Math.min(...drawn.map(i => i.clientWidth / i.naturalWidth));"
        "document.title = [page.scrollWidth - page.clientWidth, broken, d.images.length, narrow,"
        "getComputedStyle(d.querySelector('h1')).color, scale].join('|'); }</script>"
    )
    title = re.search(r"<title>(.*?)</title>", in_browser(tmp_path, harness, "--dump-dom"))
    assert title
    *laid_out, scale = title[1].split("|")
    count = 9  # pictures in two tasks; beside them the frames of an answer
    narrow = count if width == 400 else 0
    assert laid_out == ["0", "0", str(count + 1), str(narrow), "rgb(31, 41, 51)"]
    assert float(scale) > 0.85
    shot = tmp_path / "shot.png"
    in_browser(tmp_path, harness, f"--screenshot={shot}", "--window-size=1200,4000")
    pixels = (matplotlib.image.imread(shot)[..., :3] * 255).round().astype(int)
    assert pixels.shape == (4000, 1200, 3)
    assert (pixels[:, width:] == 255).all()  # beside the frame
    for unit in ("S", "ST", "S+ST"):
        color = np.round(np.array(matplotlib.colors.to_rgb(COLORS[unit])) * 255)
        assert (pixels == color).all(-1).sum() > 1000, unit

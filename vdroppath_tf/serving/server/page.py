"""The page that a server shows to people, in one file, so that it works offline."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def page() -> str:
    """Returns the page as HTML."""
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")

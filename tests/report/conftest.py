"""Pictures of reports, which most tests do without."""

from __future__ import annotations

import pytest

from vdroppath_tf.report import sections as report_sections


@pytest.fixture
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn, but written only where a test asks for `real_pictures`: it takes long."""
    if "real_pictures" not in request.fixturenames:
        nothing = "data:image/svg+xml;base64,PHN2Zy8+"
        monkeypatch.setattr(report_sections, "svg_uri", lambda figure: nothing)


@pytest.fixture
def real_pictures() -> None:
    """Pictures are written into the pages."""

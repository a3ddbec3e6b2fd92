"""The common style of figures: colours, fonts, widths, plain text, and encoding."""

from __future__ import annotations

import base64
import io
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.units import INK
from vdroppath_tf.names import named

SOFT, ACCENT, GRID = "#616E7C", "#B23A48", "#E4E7EB"

# What moved a layer: words, bar colour, hatching; distinct in grey and for colour-blind readers.
MOVERS: dict[str, tuple[str, str, str]] = {
    "data": ("by the data", "#486581", ""),
    "prior": ("by the prior", "#F0B4A8", "////"),
    "neither": ("hardly moved", "#E4E7EB", ""),
}


@named
class Sheet(NamedTuple):
    """The format of a figure: the number of layers side by side, and its width in inches."""

    per_row: int
    least: float
    most: float


WIDE, NARROW = Sheet(32, 4.6, 10.5), Sheet(16, 3.8, 3.8)
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "vdroppath_tf",
}


@named
def magnitude(value: float) -> tuple[float, str]:
    """Returns scale and prefix with which `value` has one to three digits before the point."""
    steps = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
    return next(((scale, unit) for scale, unit in steps if value >= scale), (1.0, ""))


@named
def plain(text: str) -> str:
    """Escapes `$`, which names of users may contain, against matplotlib's mathematics."""
    return text.replace("$", r"\$")


@named
def shortened(text: str, most: int) -> str:
    """Shortens a name to at most `most` letters, as plain text."""
    return plain(text if len(text) <= most else text[: most - 1] + "…")


@named
def reach(value: float, low: float, high: float) -> np.ndarray:
    """Returns the distances of an interval's ends from its value, `(2, 1)`, for `errorbar`."""
    return np.maximum([[value - low], [high - value]], 0)


@named
def svg_bytes(figure: Figure) -> bytes:
    """Encodes a figure as SVG, deterministically."""
    with mpl.rc_context(STYLE):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue().encode()


@named
def png_bytes(figure: Figure, dots: int = 200) -> bytes:
    """Encodes a figure as PNG, with `dots` pixels per inch."""
    with mpl.rc_context(STYLE):
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dots, metadata={"Software": None})
    return file.getvalue()


@named
def svg_uri(figure: Figure) -> str:
    """Encodes a figure as a `data:` URI of SVG."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode()

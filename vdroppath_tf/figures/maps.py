"""The figure of an explained clip: its frames, and a row of maps for each branch."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.analysis.branch_maps import BranchMap, Explanation
from vdroppath_tf.figures.style import NARROW, STYLE, plain
from vdroppath_tf.figures.units import COLORS, INK
from vdroppath_tf.names import named

MOST_LAYERS = 6
_HEAT = mpl.colormaps["inferno"]
_STRENGTH = 0.75  # the opacity where a map is 1
_NAME = 20  # the largest length of a layer's name


@named
def figure_maps(
    found: Explanation, title: str = "", *, frames: int = 6, narrow: bool = False
) -> Figure:
    """Draws frames of a clip, and below them a row of maps for each branch.

    Brighter means more evidence for the class, on one scale for all branches of a layer; the
    branch's share of the evidence is in brackets. Names have the colour of their branch in other
    figures.

    Args:
        found: `Explanation`, from `explain_clip`; its method `some_layers` selects rows.
        title: str, the title above the frames. Defaults to `""`.
        frames: int, the largest number of frames, evenly spaced in time. Defaults to `6`.
        narrow: bool, whether the figure is for a small screen, with half the frames. Defaults to
            `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If `frames` is below 1.

    Example:
    ```python
    found = vdroppath_tf.analysis.explain_clip(network, clip)
    figure_maps(found.some_layers(3), "a clip").savefig("maps.png")
    ```
    """
    if frames < 1:
        raise ValueError(f"frames must be at least 1. Received: {frames}")
    count = min(max(1, frames // 2) if narrow else frames, len(found.clip))
    times = np.linspace(0, len(found.clip) - 1, count).round().astype(int)
    pictures = shown_frames(found.clip)
    rows = [("frames", INK, strip(pictures[times]))]
    rows += [
        (_label(one), COLORS[one.branch], strip(overlay(pictures, one)[times]))
        for one in found.maps
    ]
    height, width, _ = rows[0][2].shape
    with mpl.rc_context(STYLE):
        across = NARROW.most if narrow else 8.6
        name = 1.15 if narrow else 1.5
        each = (across - name) * height / width
        figure = Figure(figsize=(across, len(rows) * (each + 0.05) + 0.35 * bool(title)))
        top = 1 - 0.35 * bool(title) / figure.get_figheight()
        step = top / len(rows)
        for n, (text, color, picture) in enumerate(rows):
            left = name / across
            axes = figure.add_axes(
                (left, top - (n + 1) * step, 1 - left, step * each / (each + 0.05))
            )
            axes.imshow(picture, interpolation="nearest", aspect="auto")
            axes.set_axis_off()
            style = {"fontsize": 6.5 if narrow else 8, "fontweight": "bold", "color": color}
            figure.text(0.005, top - (n + 0.5) * step, text, va="center", **style)
        if title:
            figure.text(0.005, 1 - 0.14 / figure.get_figheight(), plain(title), va="center")
    return figure


@named
def shown_frames(clip: np.ndarray) -> np.ndarray:
    """Converts a clip to grey images with little colour, `(time, height, width, 3)` 0 to 1.

    For optical flow, the brightness is the speed of motion.
    """
    values = np.asarray(clip, "float64") / 255
    if values.shape[-1] != 3:
        moving = np.linalg.norm(values - 0.5, axis=-1, keepdims=True)
        return np.repeat(moving / (moving.max() or 1.0), 3, -1)
    grey = values.mean(-1, keepdims=True)
    return np.clip(0.6 * grey + 0.4 * values, 0, 1)


@named
def overlay(pictures: np.ndarray, one: BranchMap) -> np.ndarray:
    """Overlays a map on the frames of its clip: brighter means more evidence for the class."""
    time, height, width, _ = pictures.shape
    heat = one.resized((time, height, width)).clip(0, 1)
    strength = _STRENGTH * heat[..., None]
    return 0.8 * pictures * (1 - strength) + _HEAT(heat)[..., :3] * strength


@named
def strip(frames: np.ndarray) -> np.ndarray:
    """Joins frames side by side, with white gaps."""
    gap = np.ones((frames.shape[1], max(1, frames.shape[2] // 32), 3))
    columns = [column for frame in frames for column in (frame, gap)][:-1]
    return np.concatenate(columns, axis=1)


def _label(one: BranchMap) -> str:
    name = one.layer.removesuffix("_fusion")
    name = name if len(name) <= _NAME else f"{name[:8]}…{name[-(_NAME - 9) :]}"
    return f"{plain(name)}\n{one.branch} ({one.share:.0%})"

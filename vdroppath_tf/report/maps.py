"""The pictures of explained clips: where each branch finds evidence."""

from __future__ import annotations

from functools import partial

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.figures.maps import MOST_LAYERS, figure_maps
from vdroppath_tf.names import named
from vdroppath_tf.report.explained import Explained
from vdroppath_tf.report.pictures import Picture
from vdroppath_tf.report.records import TaskReport


@named
def map_pictures(task: TaskReport) -> list[Picture]:
    """Returns a picture for each explained clip."""
    return [_picture(one, number) for number, one in enumerate(task.explained, 1)]


def _picture(one: Explained, number: int) -> Picture:
    few = one.found.some_layers(MOST_LAYERS)
    shares = ", ".join(f"{m.layer} {m.branch} {percent(m.share, 0)}" for m in few.maps)
    kind = "Grad-CAM" if one.found.method == "grad-cam" else "HiResCAM"
    caption = (
        f"{one.video}: {one.title}. Frames from the first to the last, and below them where "
        f"each branch finds evidence ({kind} of its output, before the sum): brighter is more "
        "evidence for the class, on one scale for the branches of a layer; in brackets the share "
        "of the branch."
    )
    if len(few.layers) < len(one.found.layers):
        caption += f" {len(few.layers)} of {len(one.found.layers)} layers are shown."
    draw, alt = partial(figure_maps, few), f"{caption} {shares}"
    return Picture(f"explained-{number}", caption, alt, draw, whole=True)

"""Writes a report as one HTML file with pictures, tables, answers and explanations.

The file is self-contained: it needs no network and no scripts, and embeds pictures as SVG and PNG.
The templates are in `templates/`; they escape all names from users (files, labels, tasks).
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from vdroppath_tf.analysis.numbers import percent, points
from vdroppath_tf.files import write_text
from vdroppath_tf.names import named
from vdroppath_tf.report.contents import with_anchors
from vdroppath_tf.report.formats import score, short, unit_runs, whole
from vdroppath_tf.report.headline import headlines
from vdroppath_tf.report.overview import contrast, overview
from vdroppath_tf.report.records import Report
from vdroppath_tf.report.sections import sections

if TYPE_CHECKING:
    import jinja2

_FILTERS = {
    "percent": percent,
    "points": points,
    "score": score,
    "short": short,
    "unit_runs": unit_runs,
    "whole": whole,
}


@named
def write_report(path: str | os.PathLike[str], report: Report) -> None:
    """Writes a report as one HTML file, atomically.

    Args:
        path: str or path of the file; its folder must exist.
        report: `Report`, the report.

    Raises:
        OSError: If the file cannot be written; an existing one is then left unchanged.

    Example:
    ```python
    task = vdroppath_tf.report.task_of(space, "motion")
    write_report("report.html", vdroppath_tf.report.Report("Motion", "2026-11-30", [task]))
    ```
    """
    write_text(path, render_report(report))


@named
def render_report(report: Report) -> str:
    """Renders the HTML text of a report.

    Example:
    ```python
    html = render_report(Report("Motion", "2026-11-30, 2 cores", [task_of(space, "motion")]))
    ```
    """
    template = environment().get_template
    body = template("body.html").render(
        overview=overview(report),
        contrast=contrast(report.tasks),
        has_t=any("T" in task.space.branches for task in report.tasks),
        sections=[sections(task) for task in report.tasks],
    )
    body, contents = with_anchors(body)
    first = template("page.html")
    return first.render(report=report, headlines=headlines(report), body=body, contents=contents)


@functools.cache
def environment() -> jinja2.Environment:
    """Returns the templates, with escaping; Jinja2 is imported when the first report is written."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vdroppath_tf.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= _FILTERS
    return environment

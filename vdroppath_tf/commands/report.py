"""Write one HTML page about a run or a space, and its figures and tables as files."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from absl import flags, logging

from vdroppath_tf import report
from vdroppath_tf.commands.flag_kinds import check_suffix, define_string, only_with
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.report_task import name_of, task

EXAMPLE = (
    "vdroppath report --run=run --scores=run/scores.json --result=run/result.json "
    "--out=run/report.html --figures=run/figures"
)
_MARK = '<meta name="generator" content="vdroppath_tf report">'
_SHOWN = (
    "run",
    "space",
    "model",
    "scores",
    "trials",
    "worth",
    "explained",
    "other",
    "complex_scenes",
    "clip_shape",
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "run", "folder of vdroppath train: space, template, recipe, history")
    text = "space.json, or published:NAME; default: that of --run"
    define_string(values, "space", text)
    text = "template of the space, .keras, for parameters and MACs; default: that of --run"
    define_string(values, "model", text)
    define_string(values, "scores", "JSON file of vdroppath evaluate")
    define_string(values, "trials", "trials.json of vdroppath trials")
    define_string(values, "worth", "JSON file of vdroppath worth")
    define_string(values, "explained", "folder of vdroppath explain")
    text = "JSON file of vdroppath test; may be repeated"
    flags.DEFINE_multi_string("result", [], text, flag_values=values)
    text = "a second space to compare with, space.json or published:NAME"
    define_string(values, "other", text)
    text = "which of the two data sets has the more complex scenes: asks observation III"
    flags.DEFINE_enum("complex_scenes", None, ["this", "other"], text, flag_values=values)
    only_with(values, "complex_scenes", "other")
    text = "frames, height and width for the MACs; default: those of --scores or the recipe"
    define_string(values, "clip_shape", text)
    define_string(values, "name", "name of the data; default: the name of the folder or file")
    define_string(values, "about", "description of the clips and the label, for the reader")
    define_string(values, "title", "title of the page; default: from the name")
    define_output(values, "out", "the page, .html", mark=_MARK, needed=True)
    text = "folder for the figures (PNG, SVG), the tables (CSV) and the content (JSON)"
    define_output(values, "figures", text, mark="report.json", folder=True)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes the page and, if requested, its figures and tables."""
    check_suffix(values, "out", ".html")
    out, shown = Path(values.out), task(values)

    import tensorflow as tf

    page = report.Report(
        values.title or f"Space and time in {name_of(values)}",
        f"{time.strftime('%Y-%m-%d')}, TensorFlow {tf.__version__}",
        [shown],
        _called(values),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    report.write_report(out, page)
    logging.info("Wrote %s", out)
    if values.figures is not None:
        files = report.write_figures(values.figures, page)
        logging.info("Wrote %d files to %s", len(files), values.figures)


def _called(values: flags.FlagValues) -> str:
    """Returns the command line."""
    given = [f"--{name}={values[name].value}" for name in _SHOWN if values[name].value]
    given += [f"--result={path}" for path in values.result]
    return " ".join(["vdroppath report", *map(shlex.quote, given)])

"""Flags of the commands that hold spaces against each other, and the files they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import flags, logging
from matplotlib.figure import Figure

from vdroppath_tf.commands.files import define_string
from vdroppath_tf.files import write_json


def define_outputs(values: flags.FlagValues, what: str, numbers: str) -> None:
    """The form of the probabilities in question, a picture, and a JSON file of the numbers."""
    text = f"of the {what}: paper (Eq. 7) or sampling"
    flags.DEFINE_enum("form", "paper", ["paper", "sampling"], text, flag_values=values)
    define_string(values, "figure", "picture to write: .png, .svg or .pdf")
    define_string(values, "out", f"JSON file to write the {numbers} to")


def check_figure(path: str | None) -> None:
    """ValueError where ``--figure`` names a file of a kind that cannot be drawn."""
    if path and Path(path).suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"--figure={path}: expected a file ending in .png, .svg or .pdf.")


def write_outputs(
    values: flags.FlagValues, draw: Callable[[], Figure], fields: dict[str, Any]
) -> None:
    """What was asked for of picture and JSON."""
    if values.figure:
        draw().savefig(values.figure, dpi=150)
        logging.info("Wrote %s", values.figure)
    if values.out:
        write_json(values.out, fields)
        logging.info("Wrote %s", values.out)

"""Reads spaces for commands, and writes the results of comparing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from vdroppath_tf import spaces
from vdroppath_tf.commands.flag_kinds import check_suffix
from vdroppath_tf.commands.places import PICTURE, define_output
from vdroppath_tf.files import replacing, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = "published:"


def open_space(source: str) -> spaces.ProbabilitySpace:
    """Opens a space from a file, or ``published:NAME``; raises a ValueError if it is missing."""
    if source.startswith(PUBLISHED):
        from vdroppath_tf.zoo.published import published_space

        return published_space(source.removeprefix(PUBLISHED))
    if not Path(source).is_file():
        from vdroppath_tf.zoo.published import DATASETS

        raise ValueError(
            f"{source}: there is no such file. Expected a space that vdroppath wrote "
            f"(space.json), or {PUBLISHED}NAME with one of {', '.join(DATASETS)}."
        )
    return spaces.ProbabilitySpace.load(source)


def define_outputs(values: flags.FlagValues, what: str, numbers: str, format: str) -> None:
    """Defines the flags for the form of the probabilities, a picture, and a JSON file."""
    text = f"form of the {what}: paper (Eq. 7) or sampling"
    flags.DEFINE_enum("form", "paper", ["paper", "sampling"], text, flag_values=values)
    text = "picture to write: .png, .svg or .pdf"
    define_output(values, "figure", text, mark=PICTURE)
    define_output(values, "out", f"JSON file for the {numbers}", mark=format)


def check_figure(values: flags.FlagValues) -> None:
    """Raises a ValueError if ``--figure`` has a suffix that cannot be drawn."""
    if values.figure:
        check_suffix(values, "figure", ".png", ".svg", ".pdf")


def write_outputs(
    values: flags.FlagValues, draw: Callable[[], Figure], fields: dict[str, Any]
) -> None:
    """Writes the requested picture and JSON file."""
    if values.figure:
        write_picture(Path(values.figure), draw())
        logging.info("Wrote %s", values.figure)
    if values.out:
        write_json(values.out, fields)
        logging.info("Wrote %s", values.out)


def write_picture(path: Path, figure: Figure) -> None:
    """Writes a picture atomically, with the name of this program in its metadata."""
    maker = "Software" if path.suffix == ".png" else "Creator"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as new:
        figure.savefig(new, dpi=150, metadata={maker: PICTURE})

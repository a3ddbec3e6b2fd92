"""Flags that say where videos are and how to read them: the same for every command."""

from __future__ import annotations

from typing import Any

from absl import flags

from vdroppath_tf.commands.files import define_string, open_videos
from vdroppath_tf.data.catalog import FORMATS, Manifest, find_format, options_of

KINDS = "list, annotation file or folder"


def define_source(values: flags.FlagValues, name: str, text: str, *, needed: bool = False) -> None:
    """A flag for videos, and one for the folder they lie in."""
    define_string(values, name, f"{text}: {KINDS}", needed=needed)
    other = "" if name == "data" else " (default: --data_root, if there is one)"
    define_string(values, _root(name), f"folder that the videos of --{name} lie in{other}")


def define_formats(values: flags.FlagValues) -> None:
    """Flags for what `define_source` declared, whichever there are."""
    text = "of all videos named here; default: found out"
    flags.DEFINE_enum("format", None, list(FORMATS), text, flag_values=values)
    text = "pictures in folders and zip files of frames, e.g. {:05d}.jpg (default: found out)"
    define_string(values, "frame_template", text)
    flags.DEFINE_integer("first_frame", 1, "number of the first picture", 0, flag_values=values)
    text = "number of the first class in a list (default: 0)"
    flags.DEFINE_integer("label_base", None, text, 0, 1, flag_values=values)
    text = "which split of HMDB51 (default: 1)"
    flags.DEFINE_integer("split", None, text, 1, 3, flag_values=values)
    text = "leave out videos that are listed and not there (default: for Kinetics only)"
    flags.DEFINE_boolean("allow_missing", None, text, flag_values=values)


def open_source(
    values: flags.FlagValues,
    name: str,
    labels: tuple[str, ...] | None = None,
    *,
    part: str,
    **more: Any,
) -> Manifest:
    """The videos of a flag.

    Args:
        values: with the flags of `define_source` and `define_formats`.
        name: the flag.
        labels: see `open_videos`.
        part: "train" or "test": what is wanted of a data set whose files hold both.
        **more: others of `open_videos`.

    Raises:
        ManifestError, ValueError: see `open_videos`.
    """
    source = values[name].value
    format = values.format or find_format(source)
    taken = options_of(format)
    root = values[_root(name)].value
    if root is None and "root" in taken and _root("data") in values:
        root = values[_root("data")].value
    return open_videos(
        source,
        labels,
        format=format,
        root=root,
        template=values.frame_template,
        first_frame=values.first_frame,
        label_base=values.label_base,
        part=part if "part" in taken else None,
        split=values.split,
        allow_missing=values.allow_missing,
        quarantine=values.quarantine if "quarantine" in values else None,
        **more,
    )


def _root(name: str) -> str:
    return f"{name}_root"

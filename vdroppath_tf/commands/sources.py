"""Flags that say where videos are and how to read them: the same for every command."""

from __future__ import annotations

from pathlib import Path

from absl import flags, logging

from vdroppath_tf import data, training
from vdroppath_tf.commands.choices import FORMATS, MAX_BAD_FRACTION, SEPARATORS
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.names import named
from vdroppath_tf.ranges import MAX_FPS

KINDS = "list, annotation file or folder"


@named
def define_source(values: flags.FlagValues, name: str, text: str, *, needed: bool = False) -> None:
    """A flag for videos, one for the folder they lie in, and one for their part of a data set."""
    define_string(values, name, f"{text}: {KINDS}", needed=needed)
    other = "" if name == "data" else " (default: --data_root, if there is one)"
    define_string(values, _root(name), f"folder that the videos of --{name} lie in{other}")
    if name != "data":
        text = f"as --split, for --{name} (default: a number is --split's)"
        define_string(values, _split(name), text)


def define_formats(values: flags.FlagValues) -> None:
    """Flags for what `define_source` declared, whichever there are."""
    text = "format of all videos named here; default: detected"
    flags.DEFINE_enum("format", None, FORMATS, text, flag_values=values)
    text = (
        "what the columns of a list hold, e.g. path,num_frames,label or path,-,class_name, where - "
        "is not read (default: detected)"
    )
    define_string(values, "columns", text)
    text = "what separates the columns of a list (default: detected)"
    flags.DEFINE_enum("separator", None, SEPARATORS, text, flag_values=values)
    text = "encoding of a list, e.g. cp1252 (default: UTF-8 or UTF-16, detected)"
    define_string(values, "encoding", text)
    text = (
        "pictures in folders and zip files of frames, e.g. {:05d}.jpg, or {:f}.jpg if the number "
        "is a time (default: detected)"
    )
    define_string(values, "frame_template", text)
    text = "number of the first picture (default: 0 or 1, detected)"
    flags.DEFINE_integer("first_frame", None, text, 0, flag_values=values)
    text = "number of the first class in a list (default: 0)"
    flags.DEFINE_integer("label_base", None, text, 0, 1, flag_values=values)
    text = "split 1, 2 or 3 of HMDB51 (default: 1), or the part of a file that lists several: train"
    define_string(values, "split", text)
    text = "folder that links among the videos may lead into, besides their root; may be repeated"
    flags.DEFINE_multi_string("allow_links_to", [], text, flag_values=values)
    text = "keep class folders without a video as classes, with a note (--noallow_empty: an error)"
    flags.DEFINE_boolean("allow_empty", True, text, flag_values=values)
    text = "which folder above a video is its class, 1 for the outermost (default: detected)"
    flags.DEFINE_integer("class_level", None, text, 1, flag_values=values)
    define_video_stream(values)
    define_open_end(values)
    define_source_fps(values)
    text = "leave out videos that are listed but missing (default: for Kinetics, ActivityNet)"
    flags.DEFINE_boolean("allow_missing", None, text, flag_values=values)
    text = "keep videos that are listed with two labels, once with each"
    flags.DEFINE_boolean("allow_two_labels", False, text, flag_values=values)


def define_part(values: flags.FlagValues) -> None:
    """The flag that says which part of a data set --data is."""
    text = "the part of --data to read, for HMDB51 and for folders train, val and test"
    kinds = ["train", "validation", "test"]
    flags.DEFINE_enum("part", "train", kinds, text, flag_values=values)


def define_video_stream(values: flags.FlagValues) -> None:
    """The flag that chooses one of several video streams of a file."""
    text = "number of the video stream of each file, from 0 (default: the one that a player shows)"
    flags.DEFINE_integer("video_stream", None, text, 0, flag_values=values)


def define_open_end(values: flags.FlagValues) -> None:
    """The flag that takes recordings that are not finished."""
    text = "read recordings that end inside a frame, as they are still being written or "
    text += "were cut short, up to their last whole frame"
    flags.DEFINE_boolean("allow_open_end", False, text, flag_values=values)


def define_source_fps(values: flags.FlagValues) -> None:
    """The flag that gives a rate to pictures."""
    text = "frames a second of folders, archives and records of pictures, where clips are taken by "
    text += "time (--fps)"
    flags.DEFINE_float("source_fps", None, text, 1e-6, MAX_FPS, flag_values=values)


def define_faults(values: flags.FlagValues) -> None:
    """Flags that say what becomes of videos that cannot be read."""
    text = "JSON file of vdroppath doctor or train: leaves out the videos it names"
    define_string(values, "quarantine", text)
    text = "largest share of bad videos; more are an error (0: the first one is)"
    flags.DEFINE_float("max_bad_fraction", MAX_BAD_FRACTION, text, 0.0, 1.0, flag_values=values)


@named
def open_source(
    values: flags.FlagValues,
    name: str,
    labels: tuple[str, ...] | None = None,
    *,
    part: str,
    modality: str = "rgb",
    log_notes: bool = True,
) -> data.Manifest:
    """The videos of a flag; a labels.txt beside a list names its classes.

    Args:
        values: With the flags of ``define_source`` and ``define_formats``.
        name: The flag: a list, a folder or a data set.
        labels: Classes of the model these videos are for: a folder's classes must be among them.
        part: ``"train"``, ``"validation"`` or ``"test"``: what is wanted of a data set that holds
            several.
        modality: Of the recipe; for ``"flow"``, what is listed are folders of it.
        log_notes: Whether to log ``Manifest.notes``. ``catalog`` prints them in its table.

    Raises:
        ManifestError: Naming the file, the line and the value.
        ValueError: If the classes are not those of the model.
    """
    source = values[name].value
    layout = _layout_of(values)
    format = values.format or ("table" if layout else data.find_format(source))
    taken = data.options_of(format)
    root = values[_root(name)].value
    if root is None and "root" in taken and _root("data") in values:
        root = values[_root("data")].value
    videos = data.open_manifest(
        source,
        labels=_labels_for(source, labels),
        format=layout or format,
        root=root,
        lookup=data.Lookup(
            template=values.frame_template,
            first_frame=values.first_frame,
            allow_missing=values.allow_missing,
            allow_links_to=tuple(values.allow_links_to),
            allow_empty=values.allow_empty,
            class_level=values.class_level,
            video_stream=values.video_stream,
            allow_two_labels=values.allow_two_labels,
            allow_open_end=values.allow_open_end,
        ),
        label_base=values.label_base,
        part=_part(source, format, part) if "part" in taken else None,
        split=_split_of(values, name),
    )
    for note in videos.notes if log_notes else ():
        logging.info("%s: %s", source, note)
    if modality == "flow":
        videos = data.lists.flow_manifest(videos)
    if values.source_fps is not None:
        videos = videos.at_rate(values.source_fps)
    quarantine = values.quarantine if "quarantine" in values else None
    return videos if quarantine is None else _leave_out(videos, quarantine)


def find_validation(values: flags.FlagValues) -> None:
    """Takes --data for --validation too, where it is a folder that holds both parts."""
    if values.validation is None:
        parts = parts_in(values.data, values.format or data.find_format(values.data))
        if "train" in parts and len(parts) > 1:
            values.validation = values.data


def parts_in(source: str, format: str) -> dict[str, str]:
    """The parts of a data set in a folder, and what they are called there."""
    if format == "sequence-examples":
        return data.records.parts_of_records(source)
    return data.lists.parts_of(source) if format.startswith("folders") else {}


def say_not_recalibrated() -> None:
    """Warns that a template is scored as it was trained, as nobody gave training videos."""
    logging.warning(
        "No --train_data: batch norm keeps the statistics of all paths mixed, and single "
        "strategies score below what they can."
    )


def _layout_of(values: flags.FlagValues) -> data.Layout | None:
    """What the flags say of the layout of lists; None if they say nothing.

    Raises:
        ValueError: If they do not go with ``--format``, or name no layout.
    """
    given = (values.columns, values.separator, values.encoding)
    if given == (None, None, None):
        return None
    if values.format not in (None, "table"):
        raise ValueError(
            f"--columns, --separator and --encoding are of lists whose layout is found out, but "
            f"--format is {values.format}. Leave it out, or pass --format=table."
        )
    columns = None if values.columns is None else tuple(values.columns.split(","))
    return data.Layout(columns=columns, separator=values.separator, encoding=values.encoding)


def _part(source: str, format: str, part: str) -> str | None:
    """The part to ask a format for: folders may have none, and HMDB51 has two."""
    if format == "hmdb51":
        return "test" if part == "validation" else part
    return part if parts_in(source, format) else None


def _root(name: str) -> str:
    return f"{name}_root"


def _split(name: str) -> str:
    return "split" if name == "data" else f"{name}_split"


def _split_of(values: flags.FlagValues, name: str) -> int | str | None:
    """The number or name of a split: training videos and validation have no name in common."""
    given, general = values[_split(name)].value, values["split"].value
    if given is None and str(general).isdecimal():
        given = general
    return int(given) if str(given).isdecimal() else given


def _labels_for(source: str, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The model's classes, or those of a file beside the list, which must be the same."""
    beside = Path(source).with_name(training.LABELS_FILE)
    own = training.read_labels(beside) if Path(source).is_file() and beside.is_file() else None
    if labels is not None and own is not None and own != labels:
        raise ValueError(
            f"{beside}: other classes than the model's. Expected {list(labels)[:9]}, one a line. "
            f"Found {list(own)[:9]}."
        )
    return own if labels is None else labels


def _leave_out(videos: data.Manifest, quarantine: str) -> data.Manifest:
    named = data.read_quarantine(quarantine)
    kept = data.faults.without(videos, named)
    left_out = len(videos) - len(kept)
    logging.info(
        "%s: leaves out %d of the %d videos of %s", quarantine, left_out, len(videos), videos.source
    )
    if named.faults and not left_out:  # no error: a quarantine may be another split's
        logging.warning(
            "%s: names %d videos, none of them in %s. Is its root right?",
            quarantine,
            len(named.faults),
            videos.source,
        )
    return kept

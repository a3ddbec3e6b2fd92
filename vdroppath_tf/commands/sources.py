"""Flags for where videos are and how to read them, the same for every command."""

from __future__ import annotations

import os
from pathlib import Path

from absl import flags, logging

from vdroppath_tf import data, training
from vdroppath_tf.commands.choices import FORMATS, MAX_BAD_FRACTION, SEPARATORS
from vdroppath_tf.commands.flag_kinds import define_string, no_effect, only_with
from vdroppath_tf.names import named
from vdroppath_tf.ranges import MAX_FPS

KINDS = "list, annotation file or folder"
OF_FILES = ("video_stream", "allow_open_end", "source_fps")
"""The flags of ``define_formats`` that apply to single video files too."""


@named
def define_source(
    values: flags.FlagValues,
    name: str,
    text: str,
    *,
    needed: bool = False,
    in_data: bool = False,
) -> None:
    """Defines flags for videos, their folder, and their part of a data set.

    Args:
        values: The flags of the command.
        name: The name of the flag for the videos.
        text: What the videos are for.
        needed: Whether the flag is required. Defaults to False.
        in_data: Whether a folder of ``--data`` may hold them too. Defaults to False.
    """
    define_string(values, name, f"{text}: {KINDS}", needed=needed)
    other = "" if name == "data" else " (default: --data_root, if there is one)"
    define_string(values, _root(name), f"folder of the videos of --{name}{other}")
    if name != "data":
        text = f"the same as --split, for --{name} (default: --split, if it is a number)"
        define_string(values, _split(name), text)
        if not in_data:
            only_with(values, _root(name), name)
            only_with(values, _split(name), name)


def define_formats(values: flags.FlagValues, source: str | None = None) -> None:
    """Defines the flags for the formats of all sources of `define_source`.

    Args:
        values: The flags of the command.
        source: The only source of the command, if it is optional: without it the flags for lists
            and folders have no effect. Defaults to None.
    """
    earlier = {*values}
    text = "format of all sources; default: detected"
    flags.DEFINE_enum("format", None, FORMATS, text, flag_values=values)
    text = (
        "columns of a list, e.g. path,num_frames,label or path,-,class_name; columns named - are "
        "not read (default: detected)"
    )
    define_string(values, "columns", text)
    text = "separator of the columns of a list (default: detected)"
    flags.DEFINE_enum("separator", None, SEPARATORS, text, flag_values=values)
    text = "encoding of a list, e.g. cp1252 (default: UTF-8 or UTF-16, detected)"
    define_string(values, "encoding", text)
    text = (
        "names of pictures in folders and zip files of frames, e.g. {:05d}.jpg, or {:f}.jpg if the "
        "number is a time (default: detected)"
    )
    define_string(values, "frame_template", text)
    text = "number of the first picture (default: 0 or 1, detected)"
    flags.DEFINE_integer("first_frame", None, text, 0, flag_values=values)
    text = "number of the first class in a list (default: 0)"
    flags.DEFINE_integer("label_base", None, text, 0, 1, flag_values=values)
    text = "split 1, 2 or 3 of HMDB51 (default: 1), or a part of a file with several, e.g. train"
    define_string(values, "split", text)
    text = "folder, besides the videos' root, to which links may lead; may be repeated"
    flags.DEFINE_multi_string("allow_links_to", [], text, flag_values=values)
    text = "keep class folders without videos as classes, with a note (--noallow_empty: an error)"
    flags.DEFINE_boolean("allow_empty", True, text, flag_values=values)
    text = "level of the folders that are classes, 1 for the outermost (default: detected)"
    flags.DEFINE_integer("class_level", None, text, 1, flag_values=values)
    define_video_stream(values)
    define_open_end(values)
    define_source_fps(values)
    text = "leave out videos that are listed but missing (default: for Kinetics, ActivityNet)"
    flags.DEFINE_boolean("allow_missing", None, text, flag_values=values)
    text = "keep videos that are listed with two labels, once for each"
    flags.DEFINE_boolean("allow_two_labels", False, text, flag_values=values)
    if source is not None:
        for name in {*values} - {*OF_FILES} - earlier:
            only_with(values, name, source)


def define_part(values: flags.FlagValues) -> None:
    """Defines the flag for the part of a data set that --data is."""
    text = "the part of --data to read, for HMDB51 and for folders train, val and test"
    kinds = ["train", "validation", "test"]
    flags.DEFINE_enum("part", "train", kinds, text, flag_values=values)


def define_video_stream(values: flags.FlagValues) -> None:
    """Defines the flag that selects one of several video streams of a file."""
    text = "number of the video stream of each file, from 0 (default: the one that players show)"
    flags.DEFINE_integer("video_stream", None, text, 0, flag_values=values)


def define_open_end(values: flags.FlagValues) -> None:
    """Defines the flag that accepts incomplete recordings."""
    text = "read recordings that end inside a frame, because they are still being written or "
    text += "are truncated, up to their last complete frame"
    flags.DEFINE_boolean("allow_open_end", False, text, flag_values=values)


def define_source_fps(values: flags.FlagValues) -> None:
    """Defines the flag for the frame rate of pictures."""
    text = "frames per second of folders, archives and records of pictures, if clips are sampled "
    text += "by time (--fps)"
    flags.DEFINE_float("source_fps", None, text, 1e-6, MAX_FPS, flag_values=values)


def define_faults(values: flags.FlagValues) -> None:
    """Defines the flags for videos that cannot be read."""
    text = "JSON file of vdroppath doctor or train, with videos to leave out"
    define_string(values, "quarantine", text)
    text = "largest share of bad videos; more are an error (0: any bad video is)"
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
    """Opens the videos of a flag; a labels.txt next to a list names its classes.

    Args:
        values: The flags, including those of ``define_source`` and ``define_formats``.
        name: The flag that names a list, a folder or a data set.
        labels: The classes of the model for which the videos are; a folder's classes must be among
            them.
        part: ``"train"``, ``"validation"`` or ``"test"``: the part of a data set that holds
            several.
        modality: The recipe's modality; for ``"flow"``, the list holds folders of optical flow.
        log_notes: Whether to log ``Manifest.notes``; ``catalog`` prints them in its table instead.

    Raises:
        ManifestError: If a list is invalid; the message names the file, the line and the value.
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
    """Uses --data for --validation too, if it is a folder that holds both parts."""
    if values.validation is None:
        parts = parts_in(values.data, values.format or data.find_format(values.data))
        if "train" in parts and len(parts) > 1:
            values.validation = values.data
    check_found(values, "validation")


def check_found(values: flags.FlagValues, name: str) -> None:
    """Refuses the flags for the place of a source's videos if there are none.

    Args:
        values: The flags, after ``--data`` was searched for the source.
        name: The source, defined with ``in_data``.

    Raises:
        ValueError: Naming the flag and the source.
    """
    given = [flag for flag in (_root(name), _split(name)) if values[flag].present]
    if given and values[name].value is None:
        note = "or a folder as --data that holds these videos too"
        raise no_effect(given[0], name, note=note)


def parts_in(source: str, format: str) -> dict[str, str]:
    """Returns the parts of a data set in a folder, with their names there."""
    if format == "sequence-examples":
        return data.records.parts_of_records(source)
    return data.lists.parts_of(source) if format.startswith("folders") else {}


def say_not_recalibrated() -> None:
    """Warns that a template is scored without recalibration, for lack of training videos."""
    logging.warning(
        "No --train_data: batch norm keeps its statistics over all paths, so single strategies "
        "score lower than with recalibration."
    )


@named
def say_trained_on(name: str, reported: data.Manifest, train: data.Manifest | None) -> int:
    """Warns if accuracies are reported on training videos, and returns on how many.

    Args:
        name: The flag of the videos of the report.
        reported: Those videos.
        train: The videos of ``--train_data``; None without them.
    """
    many = 0 if train is None else len(data.lists.shared_videos(train, reported, segments=True))
    if many:
        logging.warning(
            "%s of the %s videos of --%s that are reported on are among those of --train_data: "
            "their accuracy is that on training videos, not on new ones. Pass other videos, --%s.",
            f"{many:,}",
            f"{len(reported):,}",
            name,
            name,
        )
    return many


@named
def has_own_part(values: flags.FlagValues, part: str) -> bool:
    """Returns whether the data set of ``--data`` holds such a part, as HMDB51 does."""
    format = values.format or data.find_format(values.data)
    return _part(values.data, format, part) is not None


def _layout_of(values: flags.FlagValues) -> data.Layout | None:
    """Returns the layout of lists in the flags; None if they set none.

    Raises:
        ValueError: If they do not fit ``--format``, or the layout is invalid.
    """
    given = (values.columns, values.separator, values.encoding)
    if given == (None, None, None):
        return None
    if values.format not in (None, "table"):
        raise ValueError(
            f"--columns, --separator and --encoding are for lists with a detected layout, but "
            f"--format is {values.format}. Leave it out, or pass --format=table."
        )
    columns = None if values.columns is None else tuple(values.columns.split(","))
    return data.Layout(columns=columns, separator=values.separator, encoding=values.encoding)


def _part(source: str, format: str, part: str) -> str | None:
    """Returns the part to request from a format: folders may have none, HMDB51 has two."""
    if format == "hmdb51":
        return "test" if part == "validation" else part
    return part if parts_in(source, format) else None


def _root(name: str) -> str:
    return f"{name}_root"


def _split(name: str) -> str:
    return "split" if name == "data" else f"{name}_split"


def _split_of(values: flags.FlagValues, name: str) -> int | str | None:
    """Returns the number or name of a split, whose names differ for training and validation."""
    given, general = values[_split(name)].value, values["split"].value
    if general is not None and not str(general).isdecimal() and "data" not in values:
        raise ValueError(
            f"--split={general}: only a number holds for --{name}. Pass --{_split(name)} for the "
            "name of a part."
        )
    if given is None and str(general).isdecimal():
        given = general
    return int(given) if str(given).isdecimal() else given


def _labels_for(source: str, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Returns the model's classes, or those of a file next to the list; both must be equal."""
    beside = Path(source).with_name(training.LABELS_FILE)
    found = Path(source).is_file() and os.path.lexists(beside)
    own = training.read_labels(beside) if found else None
    if labels is not None and own is not None and own != labels:
        raise ValueError(
            f"{beside}: other classes than the model's. Expected {list(labels)[:9]}, one per line. "
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
    if named.faults and not left_out:  # not an error: it may be for another split
        logging.warning(
            "%s: names %d videos, none of them in %s. Is its root right?",
            quarantine,
            len(named.faults),
            videos.source,
        )
    return kept

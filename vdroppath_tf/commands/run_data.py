"""Finds, checks, splits and records the videos of ``vdroppath run``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.run_plan import FOLDER
from vdroppath_tf.commands.sources import check_found, find_validation, open_source, parts_in
from vdroppath_tf.names import named

PARTS = ("train", "validation", "test")


@named
def open_parts(values: flags.FlagValues, modality: str, seed: int) -> dict[str, data.Manifest]:
    """Opens the three parts, splitting those that were not given.

    Raises:
        ManifestError: If a list cannot be read, or a class would be missing from a part.
        ValueError: If a flag has no effect on these parts.
    """
    find_validation(values)
    _find_test(values)
    train = open_source(values, "data", part="train", modality=modality)
    found = {"train": train}
    for part in PARTS[1:]:
        if values[part].value is not None:
            found[part] = open_source(values, part, train.labels, part=part, modality=modality)
    group = values.group
    if group is not None and len(found) == len(PARTS):
        raise ValueError(
            "--group has no effect where videos for all three parts are given: it keeps videos "
            "together while they are split. Leave out --group, or one of --validation and --test."
        )
    if "validation" in found and "test" not in found:
        halves = {"validation": 0.5, "test": 0.5}
        found |= data.split_videos(found["validation"], shares=halves, group=group, seed=seed)
    elif len(found) == 1:
        found = data.split_videos(train, group=group, seed=seed)
    elif "validation" not in found:
        halves = {part: data.SHARES[part] for part in ("train", "validation")}
        found |= data.split_videos(train, shares=halves, group=group, seed=seed)
    for part, videos in found.items():
        _check_classes(part, videos)
    return {part: found[part] for part in PARTS}


def _find_test(values: flags.FlagValues) -> None:
    """Uses --data for --test too, if it is a folder that also holds that part."""
    if values.test is None:
        parts = parts_in(values.data, values.format or data.find_format(values.data))
        if len(parts) == len(PARTS):
            values.test = values.data
    check_found(values, "test")


def _check_classes(part: str, videos: data.Manifest) -> None:
    there = {label for entry in videos for label in entry.labels}
    absent = [name for k, name in enumerate(videos.labels) if k not in there]
    if absent and part == "train":
        raise data.ManifestError(
            f"{videos.source}: the training videos lack the class {absent[0]!r}"
            f"{f' and {len(absent) - 1} more' if absent[1:] else ''}. Add videos of it, or take it "
            "off the list of classes."
        )
    if absent:
        logging.warning("%s: no %s video of %s", videos.source, part, ", ".join(absent[:5]))


@named
def root_of(values: flags.FlagValues) -> str | None:
    """Returns the folder to which the names of the videos are relative."""
    if values.data_root is not None:
        return os.path.abspath(values.data_root)
    source = Path(values.data)
    return os.path.abspath(source if source.is_dir() else source.parent)


@named
def write_parts(out: Path, parts: dict[str, data.Manifest], root: str | None) -> None:
    """Writes the split as manifests, and reads them back for verification.

    Raises:
        ValueError: If the format of the videos cannot be written as a manifest.
    """
    for part, videos in parts.items():
        file = out / FOLDER / f"{part}.manifest"
        data.write_manifest(videos, file)
        try:
            found = [e.path for e in data.open_manifest(file, root=root, labels=videos.labels)]
        except data.ManifestError as error:
            found, why = [], f": {error}"
        else:
            why = ""
        if found != [entry.path for entry in videos]:
            file.unlink()
            raise ValueError(
                f"{videos.source}: its {part} videos are not in {root}{why}. Pass the folder "
                "that they are in, data_root= (--data_root), or use the single commands."
            )


@named
def look_over(
    values: flags.FlagValues, parts: dict[str, data.Manifest]
) -> dict[str, data.Manifest]:
    """Returns the parts without unreadable videos; decodes their ends and their middle.

    Raises:
        ValueError: If too many are bad; the message names the first ones.
    """
    out = Path(values.out)
    quarantine, journal = out / FOLDER / "doctor.json", out / FOLDER / "doctor.journal"
    total = sum(map(len, parts.values()))
    with bar("look over", "videos", total) as shown:
        found = data.diagnose(
            list(parts.items()), journal, quick=True, on_video=lambda _: shown.update(1)
        )
    data.write_quarantine(quarantine, found.faults, list(parts.values()))
    if len(found.faults) > values.max_bad_fraction * total:
        said = "; ".join(fault.reason for fault in found.faults[:3])
        raise ValueError(
            f"{len(found.faults)} of {total} videos cannot be read ({said}). {quarantine} lists "
            "all of them. Repair or remove them, or allow more: --max_bad_fraction."
        )
    if found.faults:
        logging.warning(
            "%d of %d videos cannot be read and are left out: see %s",
            len(found.faults),
            total,
            quarantine,
        )
    known = data.read_quarantine(quarantine)
    return {part: data.faults.without(videos, known) for part, videos in parts.items()}


@named
def described(parts: dict[str, data.Manifest]) -> dict[str, Any]:
    """Describes the videos."""
    first = parts["train"]
    return {
        "source": Path(first.source).name,
        "classes": list(first.labels),
        **{p: {"videos": len(videos), "digest": videos.digest()} for p, videos in parts.items()},
    }

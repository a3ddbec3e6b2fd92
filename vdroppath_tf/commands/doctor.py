"""Decode every video to its last frame, and list the bad ones in a quarantine file."""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence
from pathlib import Path

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.next_step import say_next, source_flags
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    define_formats,
    define_source,
    find_validation,
    open_source,
    parts_in,
)

_NAMED = 10  # the number of bad videos that are printed
EXAMPLE = (
    "vdroppath doctor --data=clips/train.txt --validation=clips/validation.txt --out=doctor.json"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_source(values, "data", "training videos", needed=True)
    define_source(values, "validation", "validation videos", in_data=True)
    define_formats(values)
    text = "quarantine file to write; a journal is kept next to it"
    mark, lines = "vdroppath_tf.quarantine/", "vdroppath_tf.doctor_journal/"
    journals = [(f"{{name}}.{kind}", lines) for kind in ("journal", "quick.journal")]
    define_output(values, "out", text, "doctor.json", mark=mark, beside=journals)
    text = "decode only the first, middle and last frame of each video"
    flags.DEFINE_boolean("quick", False, text, flag_values=values)
    text = "decode everything again, ignoring the journal"
    flags.DEFINE_boolean("fresh", False, text, flag_values=values)
    flags.DEFINE_integer(
        "workers", None, "threads (default: one per core)", lower_bound=1, flag_values=values
    )


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Decodes every video; ends with an error if one is bad."""
    find_validation(values)
    videos = [("train", open_source(values, "data", part="train"))]
    labels = videos[0][1].labels
    for part in _parts(values):
        videos.append((part, open_source(values, "validation", labels, part=part)))
    journal = Path(values.out + (".quick.journal" if values.quick else ".journal"))
    if values.fresh:
        journal.unlink(missing_ok=True)
    total = sum(len(manifest) for _, manifest in videos)
    with bar("doctor", "videos", total) as shown:
        found = data.diagnose(
            videos,
            journal,
            workers=values.workers,
            on_video=lambda _: shown.update(1),
            quick=values.quick,
        )
    data.write_quarantine(values.out, found.faults, [manifest for _, manifest in videos])
    _report(found, videos)
    logging.info("Wrote %s", values.out)
    sources = source_flags(values, "data", "data") | source_flags(
        values, "validation", "validation"
    )
    say_next("train", **sources, quarantine=values.out if found.faults else None, out="run")
    if found.faults:
        raise ValueError(
            f"{len(found.faults):,} of {total:,} videos are bad, see {values.out}. Repair them, or "
            f"leave them out with --quarantine={values.out}."
        )


def _parts(values: flags.FlagValues) -> list[str]:
    """Returns the parts other than training: all that a folder of parts holds."""
    if values.validation is None:
        return []
    source = values.validation
    parts = parts_in(source, values.format or data.find_format(source))
    return [part for part in parts if part != "train"] or ["validation"]


def _report(found: data.faults.Diagnosis, videos: list[tuple[str, data.Manifest]]) -> None:
    rate = found.decoded / max(found.seconds, 1e-9)
    print(f"{found.decoded:,} frames decoded in {found.seconds:.1f} s ({rate:,.0f} frames/s)")
    if found.known:
        print(f"{found.known:,} videos unchanged since the journal, not decoded again (--fresh)")
    for split, manifest in videos:
        bad = sum(fault.split == split for fault in found.faults)
        print(f"{split}: {len(manifest) - bad:,} of {len(manifest):,} videos are good")
    sizes = found.sizes()
    listed = ", ".join(f"{size} ({count:,})" for size, count in sizes[:5])
    more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
    note = "; train crops clips of one size from them (--short_edge, --crop)"
    note = note if len(sizes) > 1 else ""
    print(f"frame sizes: {listed or 'none'}{more}{note}")
    if cut := found.cut():
        frames = sum(finding.dropped for finding in cut)
        print(
            f"{len(cut):,} videos begin with frames that depend on missing ones: {frames:,} "
            "frames are left out, and the first that can be decoded is frame 0"
        )
        for finding in cut[:_NAMED]:
            print(f"cut: {finding.path}: {finding.dropped:,} frames left out")
        if len(cut) > _NAMED:
            print(f"... and {len(cut) - _NAMED:,} more")
    for fault in found.faults[:_NAMED]:
        print(f"bad: {fault.reason}")
    if len(found.faults) > _NAMED:
        print(f"... and {len(found.faults) - _NAMED:,} more; by reason, N for numbers:")
    for reason, count in collections.Counter(_kind(f.path, f.reason) for f in found.faults).items():
        print(f"{count:6,} x {reason}")


def _kind(path: str, reason: str) -> str:
    """Returns a reason without details of the video, so that reasons can be counted."""
    return re.sub(r"\d+", "N", reason.removeprefix(f"{path}: ").split(". ")[0])

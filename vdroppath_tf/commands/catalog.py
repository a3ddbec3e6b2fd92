"""Show the videos of a source: classes, sizes, and overlap of training and validation."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    check_found,
    define_formats,
    define_part,
    define_source,
    find_validation,
    open_source,
)
from vdroppath_tf.names import named

EXAMPLE = "vdroppath catalog --data=clips/train.txt --validation=clips/validation.txt --frames"
CATALOG_FORMAT = "vdroppath_tf.catalog/1"
_SHOWN, _BAR = 5, 40
_MIXED = 1.1  # the ratio of frame rates from which on a warning is shown; not for 24 and 25


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_source(values, "data", "videos", needed=True)
    define_source(
        values, "validation", "videos that must not be among those of --data", in_data=True
    )
    define_formats(values)
    define_part(values)
    text = "open every video: show frames, sizes, damage, and copies under other names"
    flags.DEFINE_boolean("frames", False, text, flag_values=values)
    text = "show every class, not only the rarest and the most frequent"
    flags.DEFINE_boolean("all_classes", False, text, flag_values=values)
    flags.DEFINE_boolean("json", False, "print one JSON object", flag_values=values)
    text = "manifest file to write, e.g. train.jsonl, which --data opens faster than the source"
    define_output(values, "out", text, mark="vdroppath_tf.manifest/")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints a table of the videos; ends with an error if some cannot be used."""
    if values.part == "train":
        find_validation(values)
    check_found(values, "validation")
    videos = open_source(values, "data", part=values.part, log_notes=False)
    summary: dict[str, Any] = {"data_format": values.format or data.find_format(values.data)}
    summary |= _summary(videos)
    bad: list[str] = []
    if values.frames:
        with bar("catalog", "videos", len(videos)) as done:
            found = data.lists.read_facts(videos, on_video=lambda: done.update(1))
        summary["notes"] += data.lists.describe_facts(videos, found)
        videos = data.lists.with_frame_counts(videos, found)
        bad = [str(facts) for facts in found if isinstance(facts, data.VideoError)]
        summary |= _contents([f for f in found if isinstance(f, data.lists.VideoFacts)], bad)
    if values.validation is not None:
        others = open_source(
            values, "validation", videos.labels, part="validation", log_notes=False
        )
        pairs = data.lists.shared_videos(videos, others, contents=values.frames)
        summary["validation"] = _summary(others)
        summary["shared"] = [[one.path, other.path] for one, other in pairs]
    if values.json:
        print(json.dumps({"format": CATALOG_FORMAT, **summary}, indent=1))
    else:
        _print(summary, every=values.all_classes)
    if values.out is not None:
        data.write_manifest(videos, values.out)
        logging.info("Wrote %s. Its paths have the same root as those of --data.", values.out)
    _warn_of_rates(list(map(float, summary.get("rates", []))))
    _complain(bad, summary.get("shared", []))


def _summary(videos: data.Manifest) -> dict[str, Any]:
    return {
        "source": videos.source,
        "digest": videos.digest(),
        "videos": len(videos),
        "missing": list(videos.missing),
        "notes": list(videos.notes),
        "directional": videos.directional,
        "classes": dict(zip(videos.labels, data.lists.count_classes(videos), strict=True)),
    }


def _contents(found: list[data.lists.VideoFacts], bad: list[str]) -> dict[str, Any]:
    sizes = Counter(f"{facts.width}x{facts.height}" for facts in found)
    return {
        "frames": _spread([facts.num_frames for facts in found]),
        "seconds": _spread([facts.seconds for facts in found if facts.seconds is not None]),
        "sizes": dict(sizes.most_common()),
        "rates": dict(_rates(found).most_common()),
        "bad": bad,
    }


def _rates(found: list[data.lists.VideoFacts]) -> Counter[str]:
    """Counts the frame rates, as texts, of the videos that have times."""
    return Counter(f"{facts.fps:.3g}" for facts in found if facts.fps is not None)


def _spread(numbers: Sequence[float]) -> dict[str, float] | None:
    if not numbers:
        return None
    middle = statistics.median(numbers)
    return {"min": min(numbers), "median": middle, "max": max(numbers), "total": sum(numbers)}


def _print(summary: dict[str, Any], *, every: bool) -> None:
    _print_part(summary)
    print(f"format: {summary['data_format']} (--format=... to read it as another)")
    _print_classes(summary["classes"], every=every)
    for what in ("frames", "seconds"):
        if spread := summary.get(what):
            print(f"{what}: " + ", ".join(f"{key} {n:,.10g}" for key, n in spread.items()))
    if sizes := summary.get("sizes"):
        few = [f"{size} ({n:,})" for size, n in list(sizes.items())[:_SHOWN]]
        more = f" and {len(sizes) - _SHOWN:,} other sizes" if len(sizes) > _SHOWN else ""
        print(f"sizes: {', '.join(few)}{more}")
    if rates := summary.get("rates"):
        few = [f"{rate} ({n:,})" for rate, n in list(rates.items())[:_SHOWN]]
        more = f" and {len(rates) - _SHOWN:,} others" if len(rates) > _SHOWN else ""
        print(f"frames a second: {', '.join(few)}{more}")
    if "bad" in summary:
        print(f"bad: {len(summary['bad']):,}")
    if "validation" in summary:
        _print_part(summary["validation"])
        print(f"in both: {len(summary['shared']):,}")


def _print_part(part: dict[str, Any]) -> None:
    missing = f", {len(part['missing']):,} missing" if part["missing"] else ""
    flip = ", labels have a direction" if part["directional"] else ""
    empty = sum(n == 0 for n in part["classes"].values())
    without = f" ({empty:,} without a video)" if empty else ""
    classes = f"{len(part['classes']):,} classes{without}"
    print(f"{part['source']}: {part['videos']:,} videos of {classes}{missing}{flip}")
    print(f"digest: {part['digest']}")
    for note in part["notes"]:
        print(f"note: {note}")


def _print_classes(counts: dict[str, int], *, every: bool) -> None:
    """Prints a bar for each class, most frequent first."""
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    width = max(n for _, n in ranked)
    cut = 0 if every or len(ranked) <= 2 * _SHOWN else len(ranked) - 2 * _SHOWN
    for place, (name, n) in enumerate(ranked):
        if cut and place == _SHOWN:
            print(f"{'...':>9s}  {cut:,} classes between: --all_classes shows them")
        if not cut or not _SHOWN <= place < _SHOWN + cut:
            print(f"{n:9,}  {'#' * round(_BAR * n / width):{_BAR}s}  {name}")


@named
def rates_differ(rates: Sequence[float]) -> bool:
    """Returns whether clips of a fixed number of frames differ in duration between videos."""
    return bool(rates) and max(rates) > _MIXED * min(rates)


def _warn_of_rates(rates: list[float]) -> None:
    """Warns that clips of a fixed number of frames differ in duration between videos."""
    if rates_differ(rates):
        logging.warning(
            "The videos have %g to %g frames a second, so clips of equally many frames differ "
            "in duration. Train with --fps=%g, or another rate, to sample clips by time.",
            min(rates),
            max(rates),
            min(rates),
        )


def _complain(bad: list[str], shared: list[list[str]]) -> None:
    for reason in bad[:10]:
        logging.error("%s", reason)
    for one, other in shared[:10]:
        logging.error("in both: %s and %s", one, other)
    wrong = [f"{len(bad):,} videos cannot be used"] if bad else []
    wrong += [f"{len(shared):,} videos are in both --data and --validation"] if shared else []
    if wrong:
        raise ValueError(f"{', and '.join(wrong)}. Remove them from the list.")

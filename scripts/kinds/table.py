r"""Tries every kind of input that people have, and prints what came of each.

    python scripts/kinds/table.py
    python scripts/kinds/table.py --only=rotation --details
    python scripts/kinds/table.py --shared=FOLDER

Each kind of input (a video from a phone, a list from a spreadsheet, a folder from a Mac, ...) is
made in a temporary folder, opened as a user would, and compared to what a user expects. `right` is
read or refused as expected; `refused` is sound and not read; `wrong` is answered in silence and is
not what was expected; `traceback` is an error without a message of ours. The exit status is 1 if
any kind is not right. With `--shared`, each video below a folder is a kind too, which is to be read
as `ffmpeg` shows it.
"""

from __future__ import annotations

import importlib
import tempfile
from collections import Counter
from pathlib import Path

from absl import app, flags
from kind import Kind, Outcome, check_names
from small_inputs import small_inputs

MODULES: tuple[str, ...] = (
    "kinds_of_class_folders",
    "kinds_of_colours",
    "kinds_of_containers",
    "kinds_of_converted_records",
    "kinds_of_doubtful_lists",
    "kinds_of_folders",
    "kinds_of_frames",
    "kinds_of_ids",
    "kinds_of_kinetics",
    "kinds_of_id_lists",
    "kinds_of_labels",
    "kinds_of_links",
    "kinds_of_lists",
    "kinds_of_networks",
    "kinds_of_rates",
    "kinds_of_segment_lists",
    "kinds_of_records",
    "kinds_of_segments",
    "kinds_of_several_classes",
    "kinds_of_sizes",
    "kinds_of_streams",
    "kinds_of_times",
    "kinds_of_turned_pictures",
    "kinds_of_turned_videos",
    "kinds_of_videos",
    "kinds_of_zipped_videos",
)
"""The files of kinds: each has a tuple `KINDS`."""

_ONLY = flags.DEFINE_string("only", "", "the kinds whose name holds this text")
_SHARED = flags.DEFINE_string("shared", "", "a folder of videos to compare to what ffmpeg shows")
_DETAILS = flags.DEFINE_bool("details", False, "whether to print the reason of each outcome")


def all_kinds(only: str = "") -> tuple[Kind, ...]:
    """The kinds of all files whose name holds the text `only`."""
    files = [importlib.import_module(name) for name in MODULES]
    return check_names(kind for file in files for kind in file.KINDS if only in kind.name)


def try_kind(kind: Kind) -> tuple[Outcome, str]:
    """The outcome of a kind in a new temporary folder, and the reason."""
    with tempfile.TemporaryDirectory() as folder:
        return kind.outcome(Path(folder))


def main(_: list[str]) -> int:
    """Prints the table."""
    kinds = all_kinds(_ONLY.value)
    if _SHARED.value:
        more = small_inputs(Path(_SHARED.value))
        kinds += tuple(kind for kind in more if _ONLY.value in kind.name)
    width = max((len(kind.name) for kind in kinds), default=0)
    counts: Counter[str] = Counter()
    for kind in kinds:
        outcome, reason = try_kind(kind)
        counts[outcome] += 1
        print(f"{kind.name:{width}}  {outcome:9}  {kind.expected}", flush=True)
        if _DETAILS.value or outcome != "right":
            print(f"{'':{width}}  {reason}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "no kind")
    return int(counts["right"] != len(kinds))


if __name__ == "__main__":
    app.run(main)

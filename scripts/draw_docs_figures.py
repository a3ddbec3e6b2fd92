"""Draws the pictures of the documentation into docs/pictures/.

    python scripts/draw_docs_figures.py

`make_clip` draws the clips of the known-answer tasks; each operation of `data.clips.operations` is
applied to one of them. Every space in `docs/results/NAME.json` becomes `NAME-marginals.svg` and
`NAME-distance.svg`; if `docs/results/NAME.txt` has a strategy, its units are written above the
bars. The spaces that the paper published become `published-NAME-marginals.svg` (the four panels of
Fig. 4), each with the units of its chosen strategy; `published-fronts.svg` shows the most probable
strategies of each by their MACs. The same inputs give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from absl import app, flags
from matplotlib import image
from matplotlib.figure import Figure

from vdroppath_tf.budget.choices import pareto
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.data.clips.augment import Operation
from vdroppath_tf.data.clips.operations import apply_operations
from vdroppath_tf.experiments.quickstart import TASKS
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import make_clip
from vdroppath_tf.figures.distance import figure_distance
from vdroppath_tf.figures.marginals import figure_marginals
from vdroppath_tf.figures.pareto import figure_pareto
from vdroppath_tf.spaces.diagnosis import NEAR_START
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import DATASETS, get_model, published_space, published_strategy, uniform
from vdroppath_tf.zoo.table import CLIP_SHAPE

DOCS = Path(__file__).parent.parent / "docs"
RESULTS = flags.DEFINE_string("results", str(DOCS / "results"), "folder of the spaces, as JSON")
PICTURES = flags.DEFINE_string("pictures", str(DOCS / "pictures"), "folder of the pictures")

SEEN = Difficulty(noise=12)  # with the default noise, shapes are hard to see in a small picture
GAP, FRAMES = 6, 6
HEIGHT = 64  # height of an enlarged frame in pixels
# task -> the numbers of the test clips that are shown, and their difficulty
CLIPS_SHOWN = {
    "motion": (range(4), SEEN),
    "appearance": (range(4), SEEN),
    "both": ((0, 5, 10, 15), replace(TASKS["both"].difficulty, noise=12.0)),
}
SHOWN = {  # operation -> strength
    "identity": 0.0,
    "brightness": 0.25,
    "hue": 0.3,
    **dict.fromkeys(("saturation", "contrast", "scale_brightness", "sharpness"), 1.8),
    "auto_contrast": 0.0,
    "equalize": 0.0,
    "posterize": 6.0,
    "solarize": 0.6,
    "rotate": 27.0,
    "shear_x": 0.27,
    "shear_y": 0.27,
    "translate_x": 0.4,
    "translate_y": 0.4,
}


def task_picture(task: str) -> np.ndarray:
    """Returns a picture of clips of a task, a row for each: uint8 `(height, width, 3)`."""
    rows = []
    items, difficulty = CLIPS_SHOWN[task]
    for item in items:
        clip, _ = make_clip(task, "test", item, difficulty=difficulty)
        times = np.linspace(0, len(clip) - 1, FRAMES).round().astype(int)
        enlarged = HEIGHT // difficulty.size
        frames = clip[times].repeat(enlarged, 1).repeat(enlarged, 2)
        gap = np.full((frames.shape[1], GAP, 3), 255, np.uint8)
        columns = [part for frame in frames for part in (frame, gap)][:-1]
        row = np.concatenate(columns, 1)
        rows += [row, np.full((GAP, *row.shape[1:]), 255, np.uint8)]
    return np.concatenate(rows[:-1])


def augmentation_picture() -> Figure:
    """Returns a figure of one frame, unchanged and after each operation at a visible strength."""
    clip, _ = make_clip("both", "test", 5, difficulty=Difficulty(frames=2, size=64, noise=5))
    colour = np.linspace(0.4, 1.3, 64)[:, None, None] * (1.0, 0.9, 0.6)
    clip = np.clip(clip * colour, 0, 255).astype(np.uint8)
    figure = Figure(figsize=(10, 3), layout="constrained")
    for axes, (name, value) in zip(figure.subplots(2, 8).flat, SHOWN.items(), strict=True):
        axes.imshow(apply_operations(clip, [Operation(name, value)])[0])
        axes.set_title(f"{name} {value:g}", fontsize=8)
        axes.axis("off")
    return figure


def draw_space(path: Path, pictures: Path) -> None:
    """Draws the marginals and the distances of one space."""
    space = ProbabilitySpace.load(path)
    words = path.with_suffix(".txt")
    chosen = None
    if words.is_file():
        chosen = FusionStrategy.parse(words.read_text(encoding="utf-8"), space.architecture)
    save(figure_marginals(space, chosen), pictures / f"{path.stem}-marginals.svg")
    save(figure_distance(space, NEAR_START), pictures / f"{path.stem}-distance.svg")


def draw_fronts(path: Path) -> None:
    """Draws the front of each published space by the MACs of DenseNet-121."""
    costs = unit_costs(get_model("template_densenet121"), CLIP_SHAPE)
    fronts = {name: pareto(published_space(name), costs=costs) for name in DATASETS}
    _, whole = costs.of(uniform("S+ST", "densenet121"))
    save(figure_pareto(fronts, whole=whole), path)


def save(figure: Figure, path: Path) -> None:
    """Writes an SVG without dates or random ids, and prints its path."""
    with mpl.rc_context({"svg.hashsalt": "vdroppath_tf"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    print(path)


def main(_: list[str]) -> None:
    """Draws all pictures, and prints their paths."""
    pictures = Path(PICTURES.value)
    pictures.mkdir(parents=True, exist_ok=True)
    for task in CLIPS_SHOWN:
        path = pictures / f"task-{task}.png"
        image.imsave(path, task_picture(task), metadata={"Software": None})
        print(path)
    augmentations = pictures / "augmentations.png"
    augmentation_picture().savefig(augmentations, dpi=80, metadata={"Software": None})
    print(augmentations)
    for path in sorted(Path(RESULTS.value).glob("*.json")):
        draw_space(path, pictures)
    for dataset in DATASETS:
        figure = figure_marginals(published_space(dataset), published_strategy(dataset))
        save(figure, pictures / f"published-{dataset}-marginals.svg")
    draw_fronts(pictures / "published-fronts.svg")


if __name__ == "__main__":
    app.run(main)

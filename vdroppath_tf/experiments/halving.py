"""The paper's Fig. 6 on a known-answer task: how a space shifts at half temporal resolution."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from vdroppath_tf.analysis.shift import SpaceShift, shift_of
from vdroppath_tf.brief import brief
from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.quickstart import CLIPS, DIFFICULTY, write_clips
from vdroppath_tf.experiments.task_run import Task, TaskRun
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import RECIPES, Recipe

RESOLUTIONS = {"full": False, "halved": True}
"""The names of the two templates, and whether they have the temporal pool."""


@named
@dataclass(frozen=True)
class Setting:
    """The settings of the templates at full and at half temporal resolution.

    Attributes:
        task: A known-answer task: ``"motion"``, ``"appearance"`` or ``"both"``.
        recipe: The recipe of the template at full resolution; its seed is the first.
        seeds: The number of seeds, counted up from the recipe's.
        clips: The numbers of clips for training, validation (unused here) and test.
        difficulty: The difficulty of the clips; the recipe sets their number of frames.

    Raises:
        ValueError: If the recipe already pools, lacks a path, or there is no seed.

    Example:
    ```python
    setting = Setting(task="both", seeds=2, clips=(256, 128, 128))
    print([setting.recipe_of("halved", seed).temporal_pool for seed in setting.all_seeds])
    ```
    """

    task: str = "motion"
    recipe: Recipe = RECIPES["small"]
    seeds: int = 3
    clips: tuple[int, ...] = CLIPS
    difficulty: Difficulty = DIFFICULTY

    RANGES: ClassVar[Mapping[str, Range]] = {
        "seeds": whole(1, 10_000),
        "clips": whole(1, 10_000_000),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if self.recipe.temporal_pool:
            raise ValueError("temporal_pool is what halving compares: leave it out.")
        if not {"S", "ST"} <= {*self.recipe.branches}:
            raise ValueError(
                "A shift between S and ST needs both paths. "
                f"Received: branches {self.recipe.branches}"
            )
        if self.recipe.modality != "rgb":
            raise ValueError(
                f"The clips of the known-answer tasks are RGB. Expected modality 'rgb'. Received: "
                f"{self.recipe.modality!r}"
            )
        if len(self.clips) != 3:
            raise ValueError(
                "clips must be three numbers: for training, validation and test. Received: "
                f"{self.clips}"
            )
        frames = self.recipe.sampling.frames
        object.__setattr__(self, "difficulty", dataclasses.replace(self.difficulty, frames=frames))

    @property
    def all_seeds(self) -> range:
        """The seeds, in order."""
        return range(self.recipe.seed, self.recipe.seed + self.seeds)

    def recipe_of(self, resolution: str, seed: int) -> Recipe:
        """Returns the recipe of one of the trainings."""
        return self.recipe.replace(temporal_pool=RESOLUTIONS[resolution], seed=seed)


class Learned(NamedTuple):
    """A space, and the top-1 of its mode on the test clips with the template's weights."""

    space: ProbabilitySpace
    top1: float


@named
@dataclass(frozen=True, eq=False)
class Halving:
    """The result: ``learned`` by resolution, with one ``Learned`` for each seed.

    Example:
    ```python
    found = run_halving(Setting(seeds=2), Path("halve"))
    print(found.shift.verdict)
    ```
    """

    setting: Setting
    learned: dict[str, list[Learned]]

    __repr__ = brief

    @property
    def shift(self) -> SpaceShift:
        """Returns the shift of the space from full to half resolution, in the form of Eq. 7."""
        full, halved = ([one.space for one in found] for found in self.learned.values())
        return shift_of(full, halved, names=("full", "halved"))


@named
def run_halving(
    setting: Setting,
    out: Path,
    *,
    processes: int = 1,
    cluster: str | None = None,
    log: Callable[[str], object] = print,
) -> Halving:
    """Trains a template at each resolution for each seed; a stopped run resumes.

    The two templates of a seed start from the same weights and see the same clips in the same
    order.

    Args:
        setting: The settings.
        out: The folder for clips, runs and spaces (``full-0/space.json``, ...).
        processes: The number of parallel trainings; with 2 or more each has a separate process.
        cluster: The Ray cluster to run them on, see ``in_processes``. Defaults to None, this
            machine.
        log: Called with each line of the progress. Defaults to ``print``.

    Raises:
        ValueError: If the folder holds clips or runs of another setting.

    Example:
    ```python
    found = run_halving(Setting(seeds=2), Path("halve"))
    print(found.shift.verdict)
    ```
    """
    tasks = {
        seed: write_clips(
            out / "clips" / f"{setting.task}-{seed}",
            setting.task,
            seed,
            clips=setting.clips,
            difficulty=setting.difficulty,
        )
        for seed in setting.all_seeds
    }
    jobs = [
        (f"{resolution} {seed}", tasks[seed], setting.recipe_of(resolution, seed), out)
        for seed in setting.all_seeds
        for resolution in RESOLUTIONS
    ]
    found = in_processes(learn, jobs, processes, cluster=cluster, log=log)
    step = len(RESOLUTIONS)
    learned = {resolution: found[n::step] for n, resolution in enumerate(RESOLUTIONS)}
    return Halving(setting, learned)


@named
def learn(
    name: str,
    task: Task,
    recipe: Recipe,
    out: Path,
    *,
    log: Callable[[str], object] = print,
    bar_position: int = 0,
) -> Learned:
    """Trains one template, writes its ``space.json``, and scores the space's mode.

    Args:
        name: The resolution and the seed, which name the folder.
        task: The videos.
        recipe: The recipe of the template.
        out: The folder of all trainings.
        log: Called with each line of the progress. Defaults to ``print``.
        bar_position: The row of its progress bars if several trainings are active.
    """
    log(f"\nTemporal resolution and seed: {name}.")
    folder = out / name.replace(" ", "-")
    run = TaskRun(task, recipe, folder, log=log, bar_position=bar_position)
    template, _ = run.learn()
    space = ProbabilitySpace.from_model(template)
    return Learned(space, run.scores(template, [space.mode()], task.test).best.top1)

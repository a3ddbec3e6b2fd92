"""The paper's Fig. 6 on a known-answer task: half the temporal resolution, and the space shifts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vdroppath_tf.analysis.shift import SpaceShift, shift_of
from vdroppath_tf.experiments.loop import Loop, Task
from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.quickstart import CLIPS, DIFFICULTY, write_clips
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import RECIPES, Recipe

RESOLUTIONS = {"full": False, "halved": True}
"""What the templates are called, and whether they have the temporal pool."""


@dataclass(frozen=True)
class Setting:
    """What is trained, at full and at halved temporal resolution.

    Attributes:
        task: a known-answer task: ``"motion"``, ``"appearance"`` or ``"both"``.
        recipe: of the template at full resolution; its seed is the first.
        seeds: how many, counted up from the recipe's.
        clips: for training, validation (not used here) and test.
        difficulty: of the clips; their frames are the recipe's.

    Raises:
        ValueError: when the recipe pools already, lacks a path, or there is no seed.
    """

    task: str = "motion"
    recipe: Recipe = RECIPES["small"]
    seeds: int = 3
    clips: tuple[int, ...] = CLIPS
    difficulty: Difficulty = DIFFICULTY

    def __post_init__(self) -> None:
        if self.recipe.temporal_pool:
            raise ValueError("temporal_pool is what is compared here: leave it out.")
        if not {"S", "ST"} <= {*self.recipe.branches}:
            raise ValueError(
                "A shift between S and ST needs both paths. "
                f"Received: branches {self.recipe.branches}"
            )
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1. Received: {self.seeds}")
        frames = self.recipe.sampling.frames
        object.__setattr__(self, "difficulty", dataclasses.replace(self.difficulty, frames=frames))

    @property
    def all_seeds(self) -> range:
        """The seeds, in order."""
        return range(self.recipe.seed, self.recipe.seed + self.seeds)

    def recipe_of(self, resolution: str, seed: int) -> Recipe:
        """The recipe of one of the trainings."""
        return self.recipe.replace(temporal_pool=RESOLUTIONS[resolution], seed=seed)


class Learned(NamedTuple):
    """A space, and top-1 of its mode on the test clips, with the template's weights."""

    space: ProbabilitySpace
    top1: float


@dataclass(frozen=True, eq=False)
class Halving:
    """What came of it: ``learned`` by resolution, a ``Learned`` for each seed."""

    setting: Setting
    learned: dict[str, list[Learned]]

    @property
    def shift(self) -> SpaceShift:
        """From full to halved resolution, in Eq. 7's form."""
        full, halved = ([one.space for one in found] for found in self.learned.values())
        return shift_of(full, halved, names=("full", "halved"))


def run_halving(
    setting: Setting, out: Path, *, processes: int = 1, say: Callable[[str], None] = print
) -> Halving:
    """Trains a template at each resolution for each seed; a stopped run goes on.

    A seed's two templates start from the same weights and see the same clips in the same order.

    Args:
        setting: what is trained.
        out: folder for clips, runs and spaces (``full-0/space.json``, ...).
        processes: trainings at a time, each in a process of its own where there are 2 or more.
        say: prints a line.

    Raises:
        ValueError: when the folder holds clips or runs of another setting.
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
    found = in_processes(learn, jobs, processes, say)
    step = len(RESOLUTIONS)
    learned = {resolution: found[n::step] for n, resolution in enumerate(RESOLUTIONS)}
    return Halving(setting, learned)


def learn(
    name: str, task: Task, recipe: Recipe, out: Path, *, say: Callable[[str], None], place: int
) -> Learned:
    """One training, its space in ``space.json``, and how good the mode of it is."""
    folder = out / name.replace(" ", "-")
    say(f"\nTemporal resolution and seed: {name}.")
    loop = Loop(task, recipe, folder, say=say, place=place)
    template, _ = loop.learn()
    space = ProbabilitySpace.from_model(template)
    space.save(folder / "space.json")
    return Learned(space, loop.scores(template, [space.mode()], task.test).best.top1)

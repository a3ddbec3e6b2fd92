"""TaskRun: trains and scores a recipe's networks on a task, with an account of it."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.faults.fault import MAX_BAD_FRACTION
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.experiments.account import Account
from vdroppath_tf.experiments.scorer import Scorer
from vdroppath_tf.experiments.steps import save_trained, score_network
from vdroppath_tf.layers.gates import strength_of
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.report.findings import mean_on
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.scoring.video_scores import VideoScores
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.gate_arrays import Gates
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Clips, Phase, Recipe, RecipeClips, build_template
from vdroppath_tf.training.trainer import train

BATCH = 64
"""The number of clips that are scored at a time."""
CACHE_BYTES = 2**30
TEMPLATE_STEP = 2.0
"""The approximate time of a template's step, relative to one of a derived network."""


@named
@dataclasses.dataclass(frozen=True)
class Task:
    """Labelled videos in three parts, with a description in plain words.

    Example:
    ```python
    task = Task("motion", "The label is a direction.", train_videos, val_videos, test_videos)
    ```
    """

    name: str
    description: str
    train: Manifest
    validation: Manifest
    test: Manifest


@named
class TaskRun:
    """A recipe on a task, in a folder that the commands can also use.

    Args:
        task: The videos.
        recipe: The recipe of the template, from which the other networks' recipes follow.
        folder: The folder for all files, in which a stopped run resumes.
        log: Called with each line of the progress. Defaults to ``print``.
        bar_position: The row of its progress bars if several runs are active.
        max_bad_fraction: The largest share of unreadable videos that is not an error. Defaults to
            0.1.

    Example:
    ```python
    run = TaskRun(task, recipe, Path("trained"))
    phases = recipe.template_phases()
    print(run.steps(phases), run.score(network, task.test).top1)
    ```
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        folder: Path,
        *,
        log: Callable[[str], object] = print,
        bar_position: int = 0,
        max_bad_fraction: float = MAX_BAD_FRACTION,
    ) -> None:
        self.task, self.recipe, self.folder = task, recipe, folder
        self.account = Account(task.name, log=log, bar_position=bar_position)
        cache = VideoCache(CACHE_BYTES)
        self.videos = Clips(task.train, cache=cache, max_bad_fraction=max_bad_fraction)
        self.clips = RecipeClips(recipe, cache, FaultLog(max_bad_fraction))
        self.answers: dict[str, ClassAnswers] = {}  # by name of the network, see ``accuracy``

    def learn(self) -> tuple[FusionModel, list[Gates]]:
        """Trains the template; returns it with its drop probabilities, initially and by epoch."""
        recipe, log = self.recipe, self.account.log
        phases = recipe.template_phases()
        described = " + ".join(phase.description for phase in phases)
        log(f"Training the template, a supernet, on {len(self.task.train)} clips: {described}.")
        template = build_template(recipe, self.videos)
        start = ProbabilitySpace.from_model(template).drop
        with self.account.timed("train the template"), warnings.catch_warnings():
            warnings.simplefilter("ignore", SpaceWarning)  # the space is logged below in any case
            history = self.train(template, phases, "template")
        save_trained(template, history, self.folder, recipe, self.task.train.labels)
        searched = [entry["drop"] for entry in history if entry["phase"] == recipe.search.name]
        on = mean_on(ProbabilitySpace.from_model(template))
        log(
            f"Read the space: {', '.join(f'P({b} on) {mean:.2f}' for b, mean in on.items())} on "
            f"average; all started at {1.0 - recipe.initial_drop:.2f}."
        )
        log(str(diagnose(ProbabilitySpace.from_model(template), strength=strength_of(template))))
        return template, [start, *searched]

    def train(self, model: FusionModel, phases: Sequence[Phase], name: str) -> list[dict[str, Any]]:
        """Trains a network in phases, with a progress bar; returns the result of ``train``."""
        steps, weight = self.steps(phases), TEMPLATE_STEP if model.gates else 1.0
        with self.account.steps(name, steps, self.steps_per_epoch, weight=weight) as step:
            return train(
                model,
                phases,
                self.recipe,
                self.videos,
                folder=self.checkpoints(name),
                on_step=step,
            )

    def stand_alone_phases(self) -> tuple[Phase, ...]:
        """Returns the phases of a stand-alone network, as long as search and fine-tuning."""
        tuned = 0 if self.recipe.finetune is None else self.recipe.finetune.epochs
        return tuple(
            dataclasses.replace(phase, epochs=phase.epochs + tuned)
            for phase in self.recipe.stand_alone_phases()
        )

    def steps(self, phases: Sequence[Phase]) -> int:
        """Returns the number of steps of the phases."""
        epochs = sum(phase.epochs for phase in phases)
        return epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """The number of whole batches of training clips."""
        return len(self.task.train) // self.recipe.batch_size

    def checkpoints(self, name: str) -> Path:
        """Returns the folder for the checkpoints of one of the trainings."""
        return self.folder / "runs" / re.sub(r"[^A-Za-z0-9]+", "-", name)

    def scores(
        self, template: FusionModel, strategies: Sequence[FusionStrategy], videos: Manifest
    ) -> StrategyScores:
        """Scores strategies with the template's weights, batch norm recalibrated for each."""
        scorer = Scorer(template, self.clips, self.task.train, batch_size=BATCH)
        with self.account.bar("strategies", "passes") as bar:
            return scorer.scores(strategies, videos, on_strategy=lambda: bar.update(1))

    def score(self, network: FusionModel, videos: Manifest) -> VideoScores:
        """What one network answers for videos, one clip each, as strategies are scored."""
        return score_network(network, videos, self.clips, batch_size=BATCH)

    def accuracy(self, network: FusionModel, strategy: FusionStrategy, name: str) -> StrategyScore:
        """Scores one network on the held-out videos, one clip each, as strategies are scored.

        Its answers are kept in ``answers``, by its name.
        """
        found = self.score(network, self.task.test)
        if (answers := found.class_answers()) is not None:
            self.answers[name] = answers
        return StrategyScore(strategy, found.top1, found.top5, found.scored)

"""What a ranking trains: the task and its difficulty, templates, stand-alone strategies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.models.resnet import Row, Stage, Stem
from vdroppath_tf.names import named
from vdroppath_tf.ranges import SEEDS, Range, check_ranges, whole
from vdroppath_tf.training import RECIPES, Recipe
from vdroppath_tf.zoo.rows import values_of

TASK = "motion"
# Small, so that a training takes seconds, and of known reason: a shape is seen every k frames, k
# from 1 to 7, and a strategy with n layers in time can tell its direction where k is at most 2n.
DIFFICULTY = Difficulty(frames=8, size=12, noise=10.0, contrast=100.0, speed=4.0, shape=5.0, gap=6)
# A step is as far as the stem's stride: a shape moves by one position of the layers behind it.
ROW = Row("ranking", Stem(16, (1, 5, 5), (1, 4, 4), pool=False), (Stage(5, 8, 1, 2),))
BATCH, TEST_BATCH = 16, 256
LEARNED, UNIFORM = "space", "uniform template"
# Templates whose scores are compared, and how they differ from a recipe's defaults. The first
# starts from a space of fair coins, where no strategy is rarer than another. The last is what
# one-shot search without a learned space does: coins from first to last.
TEMPLATES: dict[str, dict[str, Any]] = {
    LEARNED: {"initial_drop": 0.5},
    "gates start at 0.1": {"initial_drop": 0.1},
    UNIFORM: {"initial_drop": 0.5, "gate_learning_rate": 0.0},
}
AS_TRAINED, LOG_PROB = "space, not recalibrated", "log-probability"
MEAN, COUNT = "mean of the templates", "layers in time"
ADAPTED = (LEARNED, UNIFORM)
"""The templates whose strategies are also scored after a few steps of their own."""


def after_steps(template: str, steps: int) -> str:
    """What the scores of adapted strategies are called."""
    return f"{template}, after {steps} steps"


@named
@dataclasses.dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Attributes:
        draws: Strategies drawn from the learned space, all different, no layer without a path.
        uniform_draws: Strategies with as many units S as ST as S+ST on average, all different.
        seeds: Stand-alone trainings of each strategy.
        epochs: Those of a stand-alone training.
        template_epochs: Those of a template: a fifth without gates, the rest with them.
        gate_learning_rate: That of the templates; slow, so that the space stays open: draws from a
            collapsed space are all alike.
        seed: That of clips, templates and draws; stand-alone trainings have the seeds after it.
        clips: The numbers of training and test clips.
        adapt_steps: How many steps strategies take from a template's weights before they are
            scored again: the points of a curve.
    """

    draws: int = 24
    uniform_draws: int = 24
    seeds: int = 3
    epochs: int = 5
    template_epochs: int = 12
    gate_learning_rate: float = 0.005
    seed: int = 0
    clips: tuple[int, int] = (2048, 1008)
    adapt_steps: tuple[int, ...] = (8, 32, 128)

    RANGES: ClassVar[Mapping[str, Range]] = {
        "draws": whole(2, 100_000),
        "uniform_draws": whole(0, 100_000),
        "seeds": whole(1, 10_000),
        "epochs": whole(2, 1_000_000),
        "template_epochs": whole(2, 1_000_000),
        "gate_learning_rate": Range(0.0, 1e6),
        "seed": whole(0, SEEDS),
        "clips": whole(16, 10_000_000),
        "adapt_steps": whole(1, 1_000_000),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)

    @property
    def trainings(self) -> dict[str, Any]:
        """What trainings depend on: with more draws, seeds or steps a ranking goes on."""
        counted = ("draws", "uniform_draws", "seeds", "adapt_steps")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in counted}

    @property
    def stand_alone_steps(self) -> int:
        """The steps of a stand-alone training."""
        return self.epochs * (self.clips[0] // BATCH)

    @property
    def all_seeds(self) -> range:
        """The seeds of stand-alone trainings; none is a template's."""
        return range(self.seed + 1, self.seed + 1 + self.seeds)

    @property
    def stand_alone(self) -> Recipe:
        """The recipe of stand-alone strategies, but for the seed."""
        small = RECIPES["small"]
        return small.replace(
            network=ROW.name,
            weight_reg=10.0,  # by N: the strength of the published runs
            prior_strength=None,
            row=values_of(ROW),
            batch_size=BATCH,
            sampling=dataclasses.replace(small.sampling, frames=DIFFICULTY.frames),
            warmup=dataclasses.replace(small.warmup, epochs=0),
            search=dataclasses.replace(small.search, epochs=self.epochs),
            seed=self.seed,
        )

    def template(self, which: str) -> Recipe:
        """The recipe of one of ``TEMPLATES``."""
        stand_alone, epochs = self.stand_alone, self.template_epochs
        warmup = 0 if which == UNIFORM else round(0.2 * epochs)
        recipe = stand_alone.replace(
            warmup=dataclasses.replace(stand_alone.warmup, epochs=warmup),
            search=dataclasses.replace(stand_alone.search, epochs=epochs - warmup),
            gate_learning_rate=self.gate_learning_rate,
        )
        return recipe.replace(**TEMPLATES[which])

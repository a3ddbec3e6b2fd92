"""The plan of a ranking: the task and its difficulty, templates, stand-alone strategies."""

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
# Small, so that a training takes seconds, with a known reason for differences: a shape is visible
# every k frames, k from 1 to 7, and a strategy with n temporal layers can detect its direction if
# k is at most 2n.
DIFFICULTY = Difficulty(frames=8, size=12, noise=10.0, contrast=100.0, speed=4.0, shape=5.0, gap=6)
# The speed equals the stem's stride, so a shape moves by one position of
# the layers after the stem.
ROW = Row("ranking", Stem(16, (1, 5, 5), (1, 4, 4), pool=False), (Stage(5, 8, 1, 2),))
BATCH, TEST_BATCH = 16, 256
LEARNED, UNIFORM = "space", "uniform template"
# The templates whose scores are compared, and how they differ from a recipe's defaults. The first
# starts from the uniform space, in which every strategy is equally probable. The last samples
# uniformly throughout, as one-shot search without a learned space does.
TEMPLATES: dict[str, dict[str, Any]] = {
    LEARNED: {"initial_drop": 0.5},
    "gates start at 0.1": {"initial_drop": 0.1},
    UNIFORM: {"initial_drop": 0.5, "gate_learning_rate": 0.0},
}
AS_TRAINED, LOG_PROB = "space, not recalibrated", "log-probability"
MEAN, COUNT = "mean of the templates", "layers in time"
ADAPTED = (LEARNED, UNIFORM)
"""The templates whose strategies are also scored after a few training steps."""


def after_steps(template: str, steps: int) -> str:
    """Returns the name of the scores of adapted strategies."""
    return f"{template}, after {steps} steps"


@named
@dataclasses.dataclass(frozen=True)
class Plan:
    """The trainings and scores of a ranking.

    Attributes:
        draws: The number of strategies drawn from the learned space, all different, with a path in
            every layer.
        uniform_draws: The number of strategies drawn uniformly from S, ST and S+ST, all different.
        seeds: The number of stand-alone trainings of each strategy.
        epochs: The number of epochs of a stand-alone training.
        template_epochs: The number of epochs of a template: a fifth without gates, the rest with
            them.
        gate_learning_rate: The learning rate of the templates' gates; it is low, so that the space
            does not collapse, since draws from a collapsed space are all alike.
        seed: The seed of clips, templates and draws; stand-alone trainings use the seeds after it.
        clips: The numbers of training and test clips.
        adapt_steps: The numbers of training steps after which strategies are scored again, from a
            template's weights: the points of a curve.

    Example:
    ```python
    plan = Plan(draws=12, uniform_draws=12, seeds=2)
    print(plan.stand_alone_steps, plan.stand_alone.search.epochs)
    ```
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
        """Returns the settings that trainings depend on; a resumed ranking may change others."""
        counted = ("draws", "uniform_draws", "seeds", "adapt_steps")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in counted}

    @property
    def stand_alone_steps(self) -> int:
        """The number of steps of a stand-alone training."""
        return self.epochs * (self.clips[0] // BATCH)

    @property
    def all_seeds(self) -> range:
        """The seeds of the stand-alone trainings, none of which is a template's."""
        return range(self.seed + 1, self.seed + 1 + self.seeds)

    @property
    def stand_alone(self) -> Recipe:
        """Returns the recipe of stand-alone strategies, except the seed."""
        small = RECIPES["small"]
        return small.replace(
            network=ROW.name,
            weight_reg=10.0,  # divided by N: the strength of the published runs
            prior_strength=None,
            row=values_of(ROW),
            batch_size=BATCH,
            sampling=dataclasses.replace(small.sampling, frames=DIFFICULTY.frames),
            warmup=dataclasses.replace(small.warmup, epochs=0),
            search=dataclasses.replace(small.search, epochs=self.epochs),
            seed=self.seed,
        )

    def template(self, which: str) -> Recipe:
        """Returns the recipe of one of ``TEMPLATES``."""
        stand_alone, epochs = self.stand_alone, self.template_epochs
        warmup = 0 if which == UNIFORM else round(0.2 * epochs)
        recipe = stand_alone.replace(
            warmup=dataclasses.replace(stand_alone.warmup, epochs=warmup),
            search=dataclasses.replace(stand_alone.search, epochs=epochs - warmup),
            gate_learning_rate=self.gate_learning_rate,
        )
        return recipe.replace(**TEMPLATES[which])

"""What a ranking trains: the task and its difficulty, templates, stand-alone strategies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.names import named
from vdroppath_tf.ranges import SEEDS, Range, check_ranges, whole
from vdroppath_tf.training import RECIPES, Recipe

TASK = "both"
# Small, so that dozens of trainings take minutes. Without gaps one layer that looks in time is
# enough for any direction, and after a short training the order of strategies is that of how fast
# they learn. With gaps, what a strategy can answer grows with the number of its layers that do.
DIFFICULTY = Difficulty(frames=12, size=16, noise=20.0, contrast=90.0, speed=4.0, shape=6.0, gap=9)
LEARNED, UNIFORM = "space", "uniform template"
# Templates whose scores are compared, and how they differ from a recipe's defaults. The first
# starts from a space of fair coins, where no strategy is rarer than another. The last is what
# one-shot search without a learned space does: coins from first to last.
TEMPLATES: dict[str, dict[str, Any]] = {
    LEARNED: {"initial_drop": 0.5},
    "gates drawn per batch": {"initial_drop": 0.5, "noise": "batch"},
    "gates start at 0.1": {"initial_drop": 0.1},
    UNIFORM: {"initial_drop": 0.5, "gate_learning_rate": 0.0},
}
AS_TRAINED, LOG_PROB = "space, not recalibrated", "log-probability"


@named
@dataclasses.dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Attributes:
        draws: Strategies drawn from the learned space, all different, no layer without a path.
        uniform_draws: Strategies with as many units S as ST as S+ST on average, all different.
        seeds: Stand-alone trainings of each strategy.
        epochs: Those of a stand-alone training; as many as of the templates, as in the paper.
        template_epochs: Those of a template: a fifth without gates, the rest with them.
        gate_learning_rate: That of the templates; slow, so that the space stays open: draws from a
            collapsed space are all alike.
        seed: That of clips, templates and draws.
        clips: The numbers of training and test clips.
    """

    draws: int = 8
    uniform_draws: int = 8
    seeds: int = 2
    epochs: int = 12
    template_epochs: int = 12
    gate_learning_rate: float = 0.005
    seed: int = 0
    clips: tuple[int, int] = (4096, 1008)

    RANGES: ClassVar[Mapping[str, Range]] = {
        "draws": whole(2, 100_000),
        "uniform_draws": whole(0, 100_000),
        "seeds": whole(1, 10_000),
        "epochs": whole(2, 1_000_000),
        "template_epochs": whole(2, 1_000_000),
        "gate_learning_rate": Range(0.0, 1e6),
        "seed": whole(0, SEEDS),
        "clips": whole(16, 10_000_000),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)

    @property
    def trainings(self) -> dict[str, Any]:
        """What trainings depend on: with more draws or seeds a ranking goes on."""
        counted = ("draws", "uniform_draws", "seeds")
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in counted}

    @property
    def stand_alone(self) -> Recipe:
        """The recipe of stand-alone strategies, but for the seed."""
        small = RECIPES["small"]
        return small.replace(
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

"""What a ranking trains: the task and its difficulty, templates, strategies on their own."""

from __future__ import annotations

import dataclasses
from typing import Any

from .data.shapes import Difficulty
from .training import RECIPES, Recipe

TASK = "both"
# Small, so that dozens of trainings take minutes; noisy and fast, so that strategies differ.
DIFFICULTY = Difficulty(frames=6, size=16, noise=30.0, contrast=90.0, speed=4.0, shape=6.0)
LEARNED, UNIFORM = "space", "uniform template"
# Templates whose scores are compared, and how they differ from the first. The last is what
# one-shot search without a learned space does: every path is a fair coin, from first to last.
TEMPLATES: dict[str, dict[str, Any]] = {
    LEARNED: {},
    "gates drawn per batch": {"noise": "batch"},
    "gates start at 1/2": {"initial_drop": 0.5},
    UNIFORM: {"initial_drop": 0.5, "gate_learning_rate": 0.0},
}
AS_TRAINED, LOG_PROB = "space, not recalibrated", "log-probability"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Attributes:
        draws: strategies drawn from the learned space, all different.
        uniform_draws: strategies of which every path is on with probability 1/2, all different.
        seeds: trainings of each strategy on its own.
        epochs: of a strategy trained on its own.
        template_epochs: of a template: a fifth without gates, the rest with them.
        gate_learning_rate: of the templates; slow enough that the space stays open, as draws from
            one that has made up its mind are all alike.
        seed: of clips, templates and draws.
        clips: of training and test.
    """

    draws: int = 8
    uniform_draws: int = 24
    seeds: int = 2
    epochs: int = 5
    template_epochs: int = 16
    gate_learning_rate: float = 0.02
    seed: int = 0
    clips: tuple[int, int] = (4096, 1008)

    @property
    def alone(self) -> Recipe:
        """Of strategies on their own, but for the seed."""
        small = RECIPES["small"]
        return small.replace(
            sampling=dataclasses.replace(small.sampling, frames=DIFFICULTY.frames),
            warmup=dataclasses.replace(small.warmup, epochs=0),
            search=dataclasses.replace(small.search, epochs=self.epochs),
            seed=self.seed,
        )

    def template(self, which: str) -> Recipe:
        """Of one of ``TEMPLATES``."""
        alone, epochs = self.alone, self.template_epochs
        warmup = 0 if which == UNIFORM else round(0.2 * epochs)
        recipe = alone.replace(
            warmup=dataclasses.replace(alone.warmup, epochs=warmup),
            search=dataclasses.replace(alone.search, epochs=epochs - warmup),
            gate_learning_rate=self.gate_learning_rate,
        )
        return recipe.replace(**TEMPLATES[which])

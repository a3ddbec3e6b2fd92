"""Trains networks of one strategy each from scratch, and chooses among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.experiments.task_run import TaskRun
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.scoring.best_set import within_one_error
from vdroppath_tf.scoring.uniform import UNIFORM
from vdroppath_tf.scoring.video_scores import VideoScores
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit
from vdroppath_tf.training import build_derived


@named
@dataclasses.dataclass(frozen=True, eq=False)
class StandAlone:
    """A network of one strategy, trained from scratch.

    Attributes:
        name: The name of its row.
        strategy: The strategy.
        network: The network.

    Example:
    ```python
    run = TaskRun(task, recipe, Path("trained"))
    trained = train_stand_alone(run, "mode", space.mode())
    print(trained.name, run.accuracy(trained.network, trained.strategy, trained.name).top1)
    ```
    """

    name: str
    strategy: FusionStrategy
    network: FusionModel

    __repr__ = brief


@named
def uniform_units(branches: Sequence[str]) -> list[str]:
    """Returns the units of the uniform strategies for these branches.

    Example:
    ```python
    uniform_units(("S", "ST"))  # ["S", "ST", "S+ST"]
    ```
    """
    return [unit for unit in UNIFORM if {*FusionUnit(unit).branches} <= {*branches}]


@named
def uniform_strategies(space: ProbabilitySpace) -> list[tuple[str, FusionStrategy]]:
    """Returns the uniform strategies of a space's branches, each with its name.

    They carry the space's architecture, as draws do, so that an equal draw compares equal.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    print([name for name, _ in uniform_strategies(space)])
    ```
    """
    return [
        (f"{unit} everywhere", FusionStrategy.uniform(unit, len(space), space.architecture))
        for unit in uniform_units(space.branches)
    ]


@named
def train_stand_alone(run: TaskRun, name: str, strategy: FusionStrategy) -> StandAlone:
    """Trains a network from scratch, as long as search and fine-tuning together.

    Args:
        run: The task, the recipe and the folder, in which a stopped training resumes.
        name: The name of the network, in lines and in the folder.
        strategy: The strategy.

    Example:
    ```python
    run = TaskRun(task, recipe, Path("trained"))
    network = train_stand_alone(run, "S everywhere", "S S S").network
    ```
    """
    what = name.removesuffix(", stand-alone")
    if len({*strategy}) > 1:
        what = f"{what} ({strategy})"
    run.account.log(f"Training {what} stand-alone, equally long, for comparison.")
    network = build_derived(run.recipe, run.videos, strategy)
    with run.account.timed(f"train {name}"):
        run.train(network, run.stand_alone_phases(), name.removesuffix(" everywhere"))
    return StandAlone(name, strategy, network)


@named
def final(
    trained: Sequence[StandAlone], validation: Sequence[VideoScores], costs: UnitCosts
) -> int:
    """Returns the number of the fully trained network to keep, by the validation videos.

    The choice is the cheapest within one standard error of the most accurate
    (``scoring.within_one_error``). A confidence set of so few networks would include much worse
    ones.

    Args:
        trained: The finalists, and the uniform strategies, which were trained equally long.
        validation: The scores of each on the validation videos.
        costs: ``UnitCosts`` of their template.

    Returns:
        Its place among them.
    """
    may_be = within_one_error(np.stack([found.right[:, 0] for found in validation]))
    return min(may_be, key=lambda k: (costs.of(trained[k].strategy)[1], -validation[k].top1))

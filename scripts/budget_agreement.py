"""Compares the most probable strategies under budgets with an exhaustive search, and times them.

    python scripts/budget_agreement.py --spaces=200 --networks=resnet50,densenet121,densenet201

For random spaces that are small enough to enumerate all strategies, it prints for how many budgets
the result has the highest log-probability of all strategies, how many fronts equal those of all
strategies, and the largest difference of the log-probabilities. For networks of the zoo it prints
the CPU time of one budget and of the whole front, the number of points of the front, and the memory
that the front takes in addition to the network, by parameters and by MACs. The drop probabilities
are random (for DenseNet-121, those published for Something-Something V1).
"""

from __future__ import annotations

import dataclasses
import itertools
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags

from vdroppath_tf import ProbabilitySpace, most_probable, pareto, zoo
from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.strategy import FusionStrategy

SPACES = flags.DEFINE_integer("spaces", 200, "number of random small spaces", lower_bound=1)
NETWORKS = flags.DEFINE_list("networks", ["resnet50"], "networks of the zoo to time")
CLIP = flags.DEFINE_list("clip_shape", ["16", "224", "224"], "frames, height, width of a clip")
SAME = 1e-7  # nats


def random_space(rng: np.random.Generator) -> tuple[ProbabilitySpace, UnitCosts]:
    """Returns a random space and its costs: up to 4 layers of 2 or 3 branches.

    Some drop probabilities are 0 or 1, and the costs are of any order of magnitude.
    """
    branches = (("S", "ST"), ("S", "T", "ST"))[rng.integers(2)]
    layers = int(rng.integers(1, 5))
    drop = rng.uniform(0, 1, (layers, len(branches)))
    drop = np.where(rng.random(drop.shape) < 0.2, drop.round(), drop)
    drop[drop.min(axis=1) == 1, 0] = 0.5
    residual, whole = rng.random(layers) < 0.7, rng.choice([0.0, 0.3], layers)
    space = ProbabilitySpace(drop, branches=branches, has_residual=residual, layer_drop=whole)
    most = int(rng.choice([3, 10**9]))
    block, between = rng.integers(0, most, (2, 2, layers))
    paths = tuple(rng.integers(1, most, (2, 1, len(branches))) for _ in range(layers))
    base = rng.integers(0, most, 2)
    return space, UnitCosts(base, block, between * ("T" in branches), paths, branches)


def compare(space: ProbabilitySpace, costs: UnitCosts) -> tuple[int, int, bool, float]:
    """Compares the results for one space with those of an exhaustive search.

    Returns:
        The number of budgets with equal results, the number of budgets, whether the fronts are
        equal, and the largest difference of the log-probabilities in nats.
    """
    units = unit_table(space.branches)[0]
    every = map(FusionStrategy, itertools.product(units, repeat=len(space)))
    scored = [(costs.of(s)[1], space.log_prob(s)) for s in every]
    scored = [(macs, log_prob) for macs, log_prob in scored if log_prob > -np.inf]
    best, agree, worst = [], 0, 0.0
    budgets = sorted({max(1, macs - below) for macs, _ in scored for below in (0, 1)})
    budgets = [budget for budget in budgets if budget >= min(macs for macs, _ in scored)]
    for budget in budgets:
        top = max(log_prob for macs, log_prob in scored if macs <= budget)
        found = most_probable(space, costs=costs, max_macs=budget)
        difference = abs(space.log_prob(found) - top)
        worst = max(worst, difference)
        agree += difference < SAME and costs.of(found)[1] <= budget
    for macs in sorted({macs for macs, _ in scored}):
        top = max(log_prob for cost, log_prob in scored if cost == macs)
        if not best or top > best[-1][1] + SAME:
            best.append((macs, top))
    front = [choice.macs for choice in pareto(space, costs=costs)] == [macs for macs, _ in best]
    return agree, len(budgets), front, worst


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the CPU time of a call in seconds, and its result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def time_network(name: str, clip: tuple[int, ...]) -> None:
    """Times one network of the zoo, and prints the results for each kind of cost."""
    model = zoo.get_model(f"template_{name}")
    costs, space = unit_costs(model, clip), ProbabilitySpace.from_model(model)
    del model
    if name == "densenet121":
        space = zoo.published_space("something-something-v1")
    else:
        rng = np.random.default_rng(0)
        space = dataclasses.replace(space, drop=rng.uniform(0.02, 0.9, space.gated.shape))
    everything = costs.of(zoo.uniform("S+ST", name))
    for which, by in enumerate(("parameters", "macs")):
        budget = {f"max_{by}": 0.6 * everything[which]}
        one, best = seconds(lambda budget=budget: most_probable(space, costs=costs, **budget))
        all_, front = seconds(lambda by=by: pareto(space, costs=costs, by=by))
        tracemalloc.start()  # slows the call down, so the call is repeated
        pareto(space, costs=costs, by=by)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        share = costs.of(best)[which] / everything[which]
        print(
            f"{name}, {len(space)} layers, by {by}: one budget takes {one:.2f} s, the front of "
            f"{len(front)} points takes {all_:.2f} s and {peak:.0f} MB",
            flush=True,
        )
        print(
            f"  with at most 60 % of S+ST everywhere: log-probability {space.log_prob(best):.3f}, "
            f"mode {space.log_prob(space.mode()):.3f}; cost {100 * share:.2f} %, mode "
            f"{100 * costs.of(space.mode())[which] / everything[which]:.2f} %\n  {best}"
        )


def main(_: list[str]) -> None:
    """Prints the agreement on random spaces and the times of the networks."""
    rng = np.random.default_rng(0)
    found = [compare(*random_space(rng)) for _ in range(SPACES.value)]
    agree, budgets, fronts, worst = zip(*found, strict=True)
    print(f"{SPACES.value} random spaces, with all strategies of each enumerated")
    print(f"  budgets with the best of all strategies  {sum(agree)} of {sum(budgets)}")
    print(f"  fronts equal to those of all strategies  {sum(fronts)} of {SPACES.value}")
    print(f"  largest difference in log-probability    {max(worst):.1e}", flush=True)
    for name in NETWORKS.value:
        time_network(name, tuple(map(int, CLIP.value)))


if __name__ == "__main__":
    app.run(main)

"""Compares the time of scoring many strategies together with that of a separate pass for each.

    python scripts/benchmarks/score_strategies.py --clips=64 --train_clips=16
    python scripts/benchmarks/score_strategies.py --network=resnet50 --clips=4 --train_clips=2 \
        --batch=4 --draws=published --sample=2
    python scripts/benchmarks/score_strategies.py --task=both --epochs=8 --fit_clips=4096 \
        --frames=12 --size=16 --clips=2048 --train_clips=64 --batch=64 --draws=uniform \
        --sample=2 --margin=0.01

Strategies are draws from a published space, transferred to the network by relative depth, and draws
from a uniform prior. Clips are H.264 files, decoded in every pass. A separate pass sets a strategy
on the template, recalibrates batch norm and scores; its functions are traced only once. A few such
passes are timed and scaled to all strategies. So is deriving a network for each strategy, which
computes only the strategy's paths but must be built and traced. All ways use the same recalibration
batches.

A race is run only if the template is trained (``--epochs``), as untrained strategies score the same
and none can be dropped. The tasks are the quickstart's ``motion``, on which most strategies do
equally well, and ``both`` with the gaps of ``vdroppath ranking``, on which they differ.
"""

from __future__ import annotations

import contextlib
import dataclasses
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from vdroppath_tf import ProbabilitySpace, derive, recalibrate, set_strategy, zoo
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.data.clips.pipeline import (
    ClipSampling,
    VideoCache,
    evaluation_clips,
    training_clips,
)
from vdroppath_tf.experiments.quickstart import DIFFICULTY, quickstart_recipe
from vdroppath_tf.experiments.ranking import plan
from vdroppath_tf.experiments.tasks.synthetic import write_task
from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gates import freeze_gates, fusion_layers, gates_of, strategy_masks
from vdroppath_tf.scoring.batch_statistics import assign, of_the_batch, read, restored
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.scoring.evaluate import evaluate_strategies, race_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.tree import Scoring
from vdroppath_tf.scoring.uniform import uniform_prior
from vdroppath_tf.scoring.walk import StrategyTree
from vdroppath_tf.training import Clips, build_template, train

NETWORK = flags.DEFINE_string("network", "micro", "name of a network of the zoo")
STRATEGIES = flags.DEFINE_integer("strategies", 100, "number of strategies", lower_bound=2)
FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip")
SIZE = flags.DEFINE_integer("size", 112, "height and width of a frame in pixels")
CLIPS = flags.DEFINE_integer("clips", 128, "number of validation clips")
TRAIN_CLIPS = flags.DEFINE_integer("train_clips", 32, "number of clips to recalibrate on")
BATCH = flags.DEFINE_integer("batch", 16, "number of clips per batch")
TASK = flags.DEFINE_enum("task", "motion", ["motion", "both"], "task that the template learns")
EPOCHS = flags.DEFINE_integer("epochs", 0, "epochs of v-DropPath; 0 leaves the template untrained")
FIT_CLIPS = flags.DEFINE_integer("fit_clips", 512, "number of clips to train on")
SAMPLE = flags.DEFINE_integer("sample", 3, "number of separate passes to time", lower_bound=1)
DRAWS = flags.DEFINE_multi_enum(
    "draws", ["published", "own", "uniform"], ["published", "own", "uniform"], "spaces to draw from"
)
MARGIN = flags.DEFINE_float("margin", 0.0, "margin of the race", 0.0, 0.99)
SPACE = flags.DEFINE_string("space", "something-something-v1", "published space to draw from")


def timed(work: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """Calls a function, and returns its wall and processor seconds, and its result.

    The processor seconds are those of all cores together; on a shared machine they are more
    reliable.
    """
    start = np.array([time.perf_counter(), time.process_time()])
    result = work()
    return np.array([time.perf_counter(), time.process_time()]) - start, result


def shown(seconds: np.ndarray) -> str:
    """Returns the wall and the processor seconds as text."""
    return f"{seconds[0]:.2f} s (processor {seconds[1]:.2f})"


def ratio(seconds: np.ndarray, own: np.ndarray) -> str:
    """Returns the ratios of the wall and the processor seconds as text."""
    return f"{seconds[0] / own[0]:.3f} (processor {seconds[1] / own[1]:.3f})"


@contextlib.contextmanager
def stopwatch() -> Iterator[dict[str, np.ndarray]]:
    """Measures the wall and processor seconds spent in each part of an evaluation."""
    parts = {"tracing": (StrategyTree, "_function"), "recalibrating": (Scoring, "measure")}
    parts["scoring"] = (Scoring, "score")
    spent, before = {part: np.zeros(2) for part in parts}, {}

    def watched(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            took, result = timed(lambda: work(*args, **options))
            spent[part] += took
            return result

        return call

    for part, (owner, name) in parts.items():
        before[part] = getattr(owner, name)
        setattr(owner, name, watched(part, before[part]))
    try:
        yield spent
    finally:
        for part, (owner, name) in parts.items():
            setattr(owner, name, before[part])


def distinct(space: ProbabilitySpace, count: int) -> list[Any]:
    """Returns ``count`` distinct draws, or fewer if 20 times as many draws hold fewer."""
    return list(dict.fromkeys(space.sample(20 * count, seed=0)))[:count]


class Bench:
    """A template, its clips, and the ways to score strategies on them."""

    def __init__(self, folder: Path) -> None:
        base, recipe = DIFFICULTY, quickstart_recipe(seed=0)
        if TASK.value == "both":
            recipe = plan.Plan().template(plan.LEARNED)
            base = plan.DIFFICULTY
        size = dataclasses.replace(base, frames=FRAMES.value, size=SIZE.value)
        fitted = FIT_CLIPS.value if EPOCHS.value else 0
        counts = (max(TRAIN_CLIPS.value, fitted), CLIPS.value, 16)
        files = write_task(folder, TASK.value, clips=counts, difficulty=size)
        self.videos, self.train_videos = files.manifest("validation"), files.manifest("train")
        shuffled = np.random.default_rng(0).permutation(len(self.videos))
        self.videos = self.videos.select(shuffled)
        self.sampling = ClipSampling(frames=FRAMES.value, short_edge=SIZE.value, crop=SIZE.value)
        recipe = recipe.replace(network=NETWORK.value, row=None, sampling=self.sampling)
        if EPOCHS.value:  # otherwise nothing is trained
            recipe = recipe.replace(
                warmup=dataclasses.replace(recipe.warmup, epochs=EPOCHS.value // 4),
                search=dataclasses.replace(recipe.search, epochs=EPOCHS.value),
            )
        clips = Clips(self.train_videos, cache=VideoCache(2**30))
        self.model = build_template(recipe, clips)
        self.batches = -(-TRAIN_CLIPS.value // BATCH.value)
        if EPOCHS.value:
            took, _ = timed(lambda: train(self.model, recipe.template_phases(), recipe, clips))
            print(f"trained for {EPOCHS.value} epochs of {fitted} clips: {shown(took)}")

    def clips(self) -> Any:
        return evaluation_clips(self.videos, self.sampling, batch_size=BATCH.value)

    def training(self) -> Any:
        batch = min(BATCH.value, TRAIN_CLIPS.value)
        return training_clips(self.train_videos, self.sampling, batch_size=batch)

    def together(
        self, strategies: list[Any], call: Any = evaluate_strategies, **options: Any
    ) -> Any:
        own = EvaluationOptions(recalibration_batches=self.batches)
        options |= {"train_clips": self.training(), "options": own}
        return call(self.model, strategies, self.clips(), **options)

    def own_passes(self, strategies: list[Any]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Returns the seconds per strategy with one set at a time on the template; the logits."""
        freeze_gates(self.model)
        norms, found, seconds = batch_norms(self.model), [], []

        @tf.function(autograph=False)
        def measure(batch: tf.Tensor) -> tf.Tensor:
            self.model(batch, training=True)
            return read(norms)

        @tf.function(autograph=False)
        def score(batch: tf.Tensor) -> tf.Tensor:
            return self.model(batch, training=False)

        def one(strategy: Any) -> np.ndarray:
            set_strategy(self.model, strategy)
            parts = [measure(x) for x, _ in self.training().take(self.batches)]
            assign(norms, tf.add_n(parts) / len(parts))
            return np.concatenate([score(x) for x, _ in self.clips()])

        with restored(self.model), of_the_batch(norms):
            one(strategies[0])  # the untimed first call traces the functions
            for strategy in strategies:
                took, logits = timed(lambda strategy=strategy: one(strategy))
                seconds.append(took)
                found.append(logits)
        for gate in gates_of(self.model):
            gate.trainable = True
        return np.mean(seconds, 0), found

    def derived(self, strategy: Any) -> tuple[np.ndarray, np.ndarray]:
        """Returns the seconds to derive, recalibrate and run one network, and its logits."""

        def one() -> np.ndarray:
            network = derive(self.model, strategy)
            recalibrate(network, self.training(), self.batches)
            return network.predict(self.clips(), verbose=0)

        return timed(one)

    def logits(self, strategies: list[Any]) -> list[np.ndarray]:
        """Returns the logits of a few strategies that are scored together."""
        tree = StrategyTree(self.model, [strategy_masks(self.model, s) for s in strategies])
        scoring = Scoring(tree, self.model.output_shape[-1], lambda: None)
        found: list[list[np.ndarray]] = [[] for _ in strategies]
        with restored(self.model):
            set_strategy(self.model, "mode")
            scoring.measure(self.training(), self.batches, None, "")
            for batch, _ in self.clips():
                for rows, logits in tree.logits(batch, scoring.rows, scoring.statistics):
                    for k in rows:
                        found[k].append(logits.numpy())
        return [np.concatenate(parts) for parts in found]


def share_of_arithmetic(model: Any, masks: list[Any]) -> float:
    """Returns the multiply-adds of the tree relative to one pass per strategy with every path.

    In both, S+ST of a ResNet is one convolution.
    """
    costs = unit_costs(model, (FRAMES.value, SIZE.value, SIZE.value))
    layers = fusion_layers(model)
    branches = costs.branches

    def cost(n: int, mask: Any) -> int:
        on = np.reshape(mask, (-1, len(branches))).astype(bool)
        if not layers[n].norms and layers[n].widths is None and "ST" in branches:
            on = on & ~((np.array(branches) == "S") & on[:, [branches.index("ST")]])
        return int(costs.layer_cost(n, on)[1])

    keys = {
        tuple(m.tobytes() for m in row[: n + 1]): (n, row[n])
        for row in masks
        for n in range(len(row))
    }
    together = int(costs.base[1]) + sum(cost(*node) for node in keys.values())
    every = [np.ones_like(mask) for mask in masks[0]]
    own = int(costs.base[1]) + sum(cost(n, mask) for n, mask in enumerate(every))
    return together / (own * len(masks))


def report(bench: Bench, name: str, space: ProbabilitySpace) -> None:
    """Times and prints the scoring of draws from one space."""
    strategies = distinct(space, STRATEGIES.value)
    count = len(strategies)
    masks = [strategy_masks(bench.model, s) for s in strategies]
    tree = StrategyTree(bench.model, masks)
    nodes = tree.nodes()
    print(f"\n{count} distinct draws from {name}")
    print(f"  layers run: {sum(nodes)} of {count * len(nodes)}, {nodes} at each depth")
    print(f"  multiply-adds: {share_of_arithmetic(bench.model, masks):.3f} of the separate passes")
    few = strategies[:: max(1, count // SAMPLE.value)][: SAMPLE.value]
    before, logits = bench.own_passes(few)  # timed twice, since the machine's speed drifts
    with stopwatch() as spent:
        seconds, scores = timed(lambda: bench.together(strategies))
    parts = ", ".join(f"{part} {took[0]:.1f}" for part, took in spent.items())
    print(f"  together: {shown(seconds)}: {parts}; the other two include tracing and decoding")
    after, _ = bench.own_passes(few)
    own = (before + after) / 2
    print(f"  a separate pass, set on the template: {shown(own)}, mean of {len(few)}, ", end="")
    print(f"before ({before[0]:.2f}) and after ({after[0]:.2f})")
    print(f"  together / {count} separate passes (scaled): {ratio(seconds, own * count)}")
    alone, derived = bench.derived(few[0])
    print(f"  derived, traced and run (one): {shown(alone)}; {ratio(seconds, alone * count)}")
    difference = max(
        float(np.abs(a - b).max()) for a, b in zip(bench.logits(few), logits, strict=True)
    )
    largest = max(float(np.abs(one).max()) for one in logits)
    print(f"  max |logits difference| {difference:.1e}, logits up to {largest:.1f}; ", end="")
    print(f"from the derived network {np.abs(derived - logits[0]).max():.1e}")
    if EPOCHS.value:
        took, raced = timed(
            lambda: bench.together(strategies, race_strategies, margin=MARGIN.value)
        )
        seen = sum(score.clips for score in raced) / (count * len(bench.videos))
        print(f"  race: {shown(took)}, {ratio(took, own * count)} of the separate passes; ", end="")
        print(f"{seen:.2f} of strategies x clips scored, {len(raced.finalists)} left at the end")
        print(f"  best {scores.best.strategy} {scores.best.top1:.3f}; ", end="")
        place = [str(score.strategy) for score in scores].index(str(raced.best.strategy))
        level = confidence_set(scores.right[..., 0])
        said = "in the confidence set" if place in level else "outside the confidence set"
        print(
            f"raced {raced.best.strategy}, which scores {scores[place].top1:.3f}: {said} ", end=""
        )
        print(f"(which has {len(level)} of {count} strategies)")
        spread = [score.top1 for score in scores]
        print(f"  top-1 from {min(spread):.3f} to {max(spread):.3f}")


def main(_: list[str]) -> None:
    """Prints the measurements of each space."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        print(
            f"template_{NETWORK.value}, clips of {FRAMES.value}x{SIZE.value}x{SIZE.value}: ", end=""
        )
        print(f"{CLIPS.value} to score, {bench.batches} batches of {BATCH.value} to recalibrate on")
        decoding, _ = timed(lambda: [None for _ in bench.clips()])
        print(f"decoding only: {shown(decoding)} per pass")
        own = ProbabilitySpace.from_model(bench.model)
        if "published" in DRAWS.value:
            space = zoo.transfer(zoo.published_space(SPACE.value), NETWORK.value)
            report(bench, f"the published space {SPACE.value!r}, transferred", space)
        if "own" in DRAWS.value and EPOCHS.value:
            report(bench, "its own space", own)
        if "uniform" in DRAWS.value:
            report(bench, "a uniform prior", uniform_prior(own))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\npeak memory of the process: {peak:.0f} MiB")


if __name__ == "__main__":
    app.run(main)

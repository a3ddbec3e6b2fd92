"""Measures what the probabilities of a space predict, on two tasks and several seeds.

    python scripts/layer_worth.py --seeds=5 --out=worth

For each task and seed: trains a template network, scores its mode and draws on one half of the test
clips, takes the best, and on the other half swaps the unit of each of its layers. Prints, with 95 %
intervals over seeds (Student's t): Kendall's tau of the draws' log-probability and accuracy, of the
layers' negative entropy and worth, and of the log-odds of each form (p as sampled, the square root
of Eq. 7) and the cost of swaps; the accuracy of each form's most probable strategy; and
observations I to III. An interrupted run resumes: finished measurements are not repeated.

The tasks are small, with clips of 6x16x16: ``both`` has 16 classes of shape and direction, and
4,096 training clips; ``gaps`` has 4 directions of a shape that is seen every one to three frames,
and 2,048 clips. Each task has one set of clips; the seeds change weights, noise and order. The
recipe is written out here, so that the figures do not change with the defaults of ``small``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

TASKS = ("both", "gaps")
SEEDS = flags.DEFINE_integer("seeds", 5, "number of seeds, from 0", lower_bound=1)
DRAWS = flags.DEFINE_integer("draws", 24, "number of draws from each space", lower_bound=4)
OUT = flags.DEFINE_string("out", "worth", "folder of the clips, templates and results")
LOOK = {"frames": 6, "size": 16, "contrast": 90.0, "speed": 4.0, "shape": 6.0}
OWN: dict[str, dict[str, Any]] = {"both": {"noise": 20.0}, "gaps": {"noise": 10.0, "gap": 2}}
CLIPS = {"both": (4096, 16, 512), "gaps": (2048, 16, 512)}
KIND = {"both": "both", "gaps": "motion"}


def setting(name: str, seed: int) -> tuple[Any, Any]:
    """Returns the videos of a task, and the recipe of its template."""
    from vdroppath_tf.experiments.quickstart import quickstart_recipe, write_clips
    from vdroppath_tf.experiments.tasks import Difficulty
    from vdroppath_tf.training import Phase

    difficulty = Difficulty(**LOOK, **OWN[name])
    folder = Path(OUT.value) / f"clips-{name}"
    task = write_clips(folder, KIND[name], 0, clips=CLIPS[name], difficulty=difficulty)
    recipe = quickstart_recipe(seed)
    return task, recipe.replace(
        sampling=dataclasses.replace(recipe.sampling, frames=difficulty.frames),
        batch_size=32,
        warmup=Phase("warmup", 2, 0.05, cosine=True),
        search=Phase("search", 8, 0.05, cosine=True, gates=True),
        weight_reg=10.0,
        residual_gate="relaxed",
    )


def measure(name: str, seed: int) -> dict[str, Any]:
    """Measures the space, the scores of the draws and the worth of the layers for one seed."""
    from vdroppath_tf import training
    from vdroppath_tf.analysis import in_form
    from vdroppath_tf.experiments.steps import candidates
    from vdroppath_tf.experiments.task_run import BATCH, TaskRun
    from vdroppath_tf.scoring import split
    from vdroppath_tf.spaces import ProbabilitySpace

    task, recipe = setting(name, seed)
    run = TaskRun(task, recipe, Path(OUT.value) / f"{name}-{seed}", log=lambda line: None)
    if (run.folder / "template.keras").exists():
        template = training.load_model(run.folder / "template.keras")[0]
    else:
        template, _ = run.learn()
    space = ProbabilitySpace.from_model(template)
    halves = [task.test.select(k) for k in split([entry.label for entry in task.test])]
    drawn = candidates(space, DRAWS.value, seed)
    modes = {form: in_form(space, form).mode() for form in ("sampling", "paper")}
    strategies = list(dict.fromkeys([*drawn, *modes.values()]))
    from vdroppath_tf.experiments import Scorer

    scorer = Scorer(template, run.clips, task.train, batch_size=BATCH)
    scores = scorer.scores(strategies, halves[0])
    top1 = {str(score.strategy): score.top1 for score in scores}
    best = max(drawn, key=lambda one: top1[str(one)])
    return {
        "space": json.loads(space.to_json()),
        "draws": {str(one): top1[str(one)] for one in drawn},
        "clips": len(halves[0]),
        "modes": {form: [str(one), top1[str(one)]] for form, one in modes.items()},
        "worth": scorer.worth(best, halves[1]).fields(),
    }


def measured(name: str, seed: int) -> dict[str, Any]:
    """Returns the measurements of one seed, from their file if it exists."""
    from vdroppath_tf.files import write_json

    path = Path(OUT.value) / f"{name}-{seed}.json"
    if not path.exists():
        write_json(path, measure(name, seed))
        print(f"{name} {seed}: measured", flush=True)
    return json.loads(path.read_text())


def over_seeds(values: Sequence[float]) -> str:
    """Returns a mean over seeds with its interval; seeds without an order (all equal) are left out.

    They have a tau of NaN.
    """
    from vdroppath_tf.analysis import t_interval

    there = [value for value in values if np.isfinite(value)]
    if not there:
        return "no order in any seed"
    found = t_interval(there)
    left = "" if len(there) == len(values) else f" ({len(there)} of {len(values)} seeds)"
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]{left}"


def describe(name: str, found: Sequence[dict[str, Any]]) -> list[Any]:
    """Prints the figures of one task, and returns its spaces."""
    from vdroppath_tf.analysis import (
        LayerWorth,
        calibration,
        kendall_tau,
        log_odds,
        observations_over_seeds,
    )
    from vdroppath_tf.scoring import StrategyScore
    from vdroppath_tf.spaces import FusionStrategy, ProbabilitySpace

    spaces = [ProbabilitySpace.from_json(json.dumps(one["space"])) for one in found]
    worths = [LayerWorth.of_fields(one["worth"]) for one in found]
    taus = []
    for one, space, worth in zip(found, spaces, worths, strict=True):
        draws = [
            StrategyScore(FusionStrategy.parse(text, space.architecture), top1, 1.0, one["clips"])
            for text, top1 in one["draws"].items()
        ]
        taus.append(calibration(space, scores=draws, worth=worth))
    print(f"\n{name}, {len(found)} seeds, {found[0]['clips']} clips in each half")
    print("chosen:", *(f"\n  {worth.strategy}  top-1 {worth.top1:.3f}" for worth in worths))
    print("tau, draws: log-probability and accuracy:", over_seeds([t.draws.value for t in taus]))
    print("tau, layers: negative entropy and worth:", over_seeds([t.layers.value for t in taus]))
    for form in ("sampling", "paper"):
        values = [t.swaps[form].value for t in taus]
        print(f"tau, swaps: log-odds, {form} form, and cost:", over_seeds(values))
    ahead = [t.swaps["sampling"].value - t.swaps["paper"].value for t in taus]
    print("tau, swaps: sampling minus paper:", over_seeds(ahead))
    for form in ("sampling", "paper"):
        values = []
        for space, worth in zip(spaces, worths, strict=True):
            odds = log_odds(space, worth, form)
            least = [min(odds[k] for k in places) for places in _by_layer(worth)]
            values.append(kendall_tau(least, [one.value for one in worth.worth]))
        print(f"tau, layers: least log-odds, {form} form, and worth:", over_seeds(values))
    for form in ("sampling", "paper"):
        values = [one["modes"][form][1] for one in found]
        print(f"top-1 of the most probable strategy, {form} form:", over_seeds(values))
    gaps = [one["modes"]["sampling"][1] - one["modes"]["paper"][1] for one in found]
    print("  sampling minus paper:", over_seeds(gaps))
    for n, layer in enumerate(spaces[0].layers):
        values = [100 * worth.worth[n].value for worth in worths]
        decided = np.mean([space.entropy()[n] for space in spaces])
        print(f"  {layer}: worth {over_seeds(values)} points, entropy {decided:.3f}")
    clear = sum(each.low > 0 for worth in worths for each in worth.worth)
    of = len(worths) * len(spaces[0])
    print(f"layers whose worth has an interval above 0: {clear} of {of}")
    print(*map(str, observations_over_seeds(spaces)), sep="\n")
    return spaces


def _by_layer(worth: Any) -> list[list[int]]:
    return [
        [k for k, swap in enumerate(worth.swaps) if swap.layer == n]
        for n in range(len(worth.layers))
    ]


def main(_) -> None:
    """Runs the missing measurements, and prints the figures of both tasks."""
    from vdroppath_tf.analysis import scenes_over_seeds

    found = {name: [measured(name, seed) for seed in range(SEEDS.value)] for name in TASKS}
    spaces = {name: describe(name, found[name]) for name in TASKS}
    print("\nthe label of `both` depends on the shape too:")
    print(scenes_over_seeds(spaces["both"], spaces["gaps"]))


if __name__ == "__main__":
    app.run(main)

"""Compares what both forms of the residual gate learn on the known-answer tasks.

    python scripts/residual_gate.py --seeds=2 --out=residual_gate

Trains the quickstart's template network with ``residual_gate="hard"``, the published arithmetic,
and with ``"relaxed"``, from the same weights, clips and noise, and prints a line for each: the
top-1 of the mode on test clips, the mean top-1 of draws, the mean over the layers of
P(S on) - P(ST on) (Eq. 7; ``appearance`` should be above ``motion``), and the number of paths that
are more likely off than on.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from absl import app, flags

SEEDS = flags.DEFINE_integer("seeds", 2, "number of seeds, from 0")
DRAWS = flags.DEFINE_integer("draws", 16, "number of strategies drawn from each space")
OUT = flags.DEFINE_string("out", "residual_gate", "folder of the clips and the runs")
FORMS = ("hard", "relaxed")
TASKS = ("motion", "appearance")


@dataclasses.dataclass(frozen=True)
class Found:
    """The result of one training.

    Attributes:
        mode: float, the top-1 of the space's mode.
        draws: float, the mean top-1 of the draws.
        lean: float, the mean over the layers of P(S on) - P(ST on).
        off: int, the number of paths that are more likely off than on.
    """

    mode: float
    draws: float
    lean: float
    off: int

    def __str__(self) -> str:
        return (
            f"mode {self.mode:.3f}, draws {self.draws:.3f}, lean {self.lean:+.3f}, "
            f"paths off {self.off} of 12"
        )


def measure(task_name: str, form: str, seed: int, out: Path) -> Found:
    """Trains one template and scores its mode and draws of its space."""
    from vdroppath_tf import ProbabilitySpace
    from vdroppath_tf.experiments.quickstart import quickstart_recipe, write_clips
    from vdroppath_tf.experiments.task_run import TaskRun

    task = write_clips(out / "clips" / f"{task_name}-{seed}", task_name, seed)
    recipe = quickstart_recipe(seed).replace(residual_gate=form)
    run = TaskRun(task, recipe, out / f"{task_name}-{form}-{seed}")
    template, _ = run.learn()
    space = ProbabilitySpace.from_model(template)
    strategies = [space.mode(), *space.sample(DRAWS.value, seed=seed)]
    scored = run.scores(template, list(dict.fromkeys(strategies)), task.test)
    top1 = {score.strategy: score.top1 for score in scored}
    on = space.path_on("paper")
    return Found(
        top1[strategies[0]],
        float(np.mean([top1[drawn] for drawn in strategies[1:]])),
        float(np.mean(on["S"] - on["ST"])),
        int(sum((drop > 0.5).sum() for drop in space.drop)),
    )


def main(_) -> None:
    """Prints a line after each training, and the means of both forms at the end."""
    out = Path(OUT.value)
    found: dict[tuple[str, str], list[Found]] = {}
    for seed in range(SEEDS.value):
        for task in TASKS:
            for form in FORMS:
                one = measure(task, form, seed, out)
                found.setdefault((task, form), []).append(one)
                print(f"RESULT seed {seed}, {task}, {form}: {one}", flush=True)
    for form in FORMS:
        means = {
            task: np.mean([dataclasses.astuple(one) for one in found[task, form]], axis=0)
            for task in TASKS
        }
        shown = "; ".join(
            f"{task}: mode {mean[0]:.3f}, draws {mean[1]:.3f}" for task, mean in means.items()
        )
        lean = means["appearance"][2] - means["motion"][2]
        print(f"RESULT {form}: {shown}; difference of the leans {lean:+.3f}")


if __name__ == "__main__":
    app.run(main)

"""The known-answer tasks over several seeds: does the space say what the data want?

    python scripts/known_answers.py --seeds=3 --out=known_answers

Runs the quickstart's two tasks for each seed (a stopped run goes on) and prints what they must
show: on ``motion`` S alone stays near chance and the best draw answers; on ``appearance`` the
posterior leans to S by far more than on ``motion``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from absl import app, flags

SEEDS = flags.DEFINE_integer("seeds", 3, "how many seeds, from 0")
PROCESSES = flags.DEFINE_integer("processes", 2, "tasks at a time")
OUT = flags.DEFINE_string("out", "known_answers", "folder for clips and runs")


def lean(report) -> float:
    """Mean over the layers of P(S on) - P(ST on), in the form of Eq. 7."""
    on = report.space.path_on("paper")
    return float(np.mean(on["S"] - on["ST"]))


def top1(report, name: str) -> float:
    """Accuracy of a row of the report's table."""
    return next(row.top1 for row in report.rows if row.name == name)


def main(_) -> None:
    """Runs all and prints a line a seed."""
    from vdroppath_tf.experiments.quickstart import run_tasks

    jobs = [(name, seed) for seed in range(SEEDS.value) for name in ("motion", "appearance")]
    reports = dict(zip(jobs, run_tasks(jobs, Path(OUT.value), PROCESSES.value), strict=True))
    lines, leans = [], []
    for seed in range(SEEDS.value):
        motion, appearance = reports["motion", seed], reports["appearance", seed]
        leans.append(lean(appearance) - lean(motion))
        lines.append(
            f"seed {seed}: motion: S alone {top1(motion, 'S everywhere'):.3f}, best draw "
            f"{top1(motion, 'best draw'):.3f} (chance {motion.chance:.2f}); appearance: "
            f"S alone {top1(appearance, 'S everywhere'):.3f}, "
            f"best draw {top1(appearance, 'best draw'):.3f}; "
            f"P(S on) - P(ST on): appearance {lean(appearance):+.3f}, motion {lean(motion):+.3f}, "
            f"difference {leans[-1]:.3f}"
        )
    print("\n".join(lines))
    print(f"difference of the leans: mean {np.mean(leans):.3f} over {len(leans)} seeds")


if __name__ == "__main__":
    app.run(main)

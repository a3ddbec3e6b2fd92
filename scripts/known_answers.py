"""Runs the known-answer tasks over several seeds, and compares the results with the known answers.

    python scripts/known_answers.py --seeds=5 --out=known_answers

Runs the quickstart's tasks for each seed and prints, for each task, a line for each seed and a
summary. On ``both`` the chosen strategy is compared with the best uniform one, all trained
stand-alone for as long as search and fine-tuning together, on test clips that were not used for a
choice; so is its derived, fine-tuned network. The best uniform strategy is the best on these very
test clips, which favours it. The other tasks are controls: on ``motion``, S everywhere should stay
near chance and the chosen strategy should have a high top-1; on ``appearance``, the posterior
should lean to S by far more.

An interrupted run resumes: finished results are kept in ``rows-TASK-SEED.json`` below ``--out``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from absl import app, flags

SEEDS = flags.DEFINE_integer("seeds", 5, "number of seeds, from 0")
TASKS = flags.DEFINE_list("tasks", ["both", "motion", "appearance"], "tasks to run")
PROCESSES = flags.DEFINE_integer("processes", 2, "tasks at a time; 0: one per CPU of the cluster")
CLUSTER = flags.DEFINE_string("cluster", None, "Ray cluster: an address, auto, or local")
OUT = flags.DEFINE_string("out", "known_answers", "folder of the clips and the runs")

UNIFORM = ("S everywhere", "ST everywhere", "S+ST everywhere")
STAND_ALONE = "chosen strategy, stand-alone"


def lean(report) -> float:
    """Returns the mean over the layers of P(S on) - P(ST on), in the form of Eq. 7."""
    on = report.space.path_on("paper")
    return float(np.mean(on["S"] - on["ST"]))


def summary(report) -> dict:
    """Returns the values of a run that the tables use."""
    return {
        "top1": {row.name: row.top1 for row in report.rows},
        "macs": {row.name: row.macs for row in report.rows},
        "chosen": str(report.chosen),
        "kept": report.kept,
        "clips": report.clips,
        "lean": lean(report),
    }


def found(out: Path) -> dict[tuple[str, int], dict]:
    """Returns the summaries of all runs, after running those that have no file yet."""
    from vdroppath_tf.experiments.quickstart import run_tasks
    from vdroppath_tf.files import write_json

    runs = {}
    for seed in range(SEEDS.value):
        paths = {task: out / f"rows-{task}-{seed}.json" for task in TASKS.value}
        missing = [task for task, path in paths.items() if not path.is_file()]
        jobs, where = [(task, seed) for task in missing], {"cluster": CLUSTER.value}
        reports = run_tasks(jobs, out, PROCESSES.value, **where)
        for task, report in zip(missing, reports, strict=True):
            write_json(paths[task], summary(report))
        for task, path in paths.items():
            runs[task, seed] = json.loads(path.read_text(encoding="utf-8"))
    return runs


def chosen_alone(top1: dict[str, float], chosen: str) -> float:
    """Returns the chosen strategy's stand-alone accuracy, for a uniform one from its own row."""
    units = {*chosen.split()}
    return top1[STAND_ALONE] if STAND_ALONE in top1 else top1[f"{units.pop()} everywhere"]


def spread(values: list[float]) -> str:
    """Returns a mean over seeds with its standard error, in percentage points."""
    mean, count = 100 * np.mean(values), len(values)
    error = 100 * np.std(values, ddof=1) / np.sqrt(count) if count > 1 else float("nan")
    return (
        f"{mean:+.1f} ± {error:.1f} points over {count} seeds ({mean / error:.1f} standard errors)"
    )


def compare(runs: list[dict]) -> list[str]:
    """Returns a table of the chosen and the uniform strategies, a row for each seed, and means."""
    lines = ["| seed | S | ST | S+ST | chosen, stand-alone | kept | MACs | chosen |"]
    lines.append("|" + " --- |" * 8)
    alone, networks = [], []
    for seed, run in enumerate(runs):
        top1, own = run["top1"], chosen_alone(run["top1"], run["chosen"])
        uniform = [top1[name] for name in UNIFORM]
        best = max(UNIFORM, key=lambda name: top1[name])
        alone.append(own - max(uniform))
        kept = top1[run["kept"]]
        networks.append(kept - max(uniform))
        cells = [*(f"{100 * value:.1f}" for value in (*uniform, own, kept))]
        macs = f"{100 * run['macs'][run['kept']] / run['macs'][best]:.0f} %"
        lines.append(f"| {seed} | {' | '.join(cells)} | {macs} | `{run['chosen']}` |")
    lines.append(f"stand-alone, chosen minus the best uniform one: {spread(alone)}")
    lines.append(f"the kept network, minus the best uniform one: {spread(networks)}")
    return lines


def main(_) -> None:
    """Runs the missing tasks and prints the tables."""
    runs = found(Path(OUT.value))
    for task in TASKS.value:
        own = [runs[task, seed] for seed in range(SEEDS.value)]
        print(f"\n{task}, {own[0]['clips']} test clips; MACs relative to the best uniform one:")
        if task == "both":
            print("\n".join(compare(own)))
            continue
        for seed, run in enumerate(own):
            top1 = run["top1"]
            print(
                f"seed {seed}: S everywhere {top1['S everywhere']:.3f}, chosen strategy "
                f"{top1['chosen strategy']:.3f}, P(S on) - P(ST on) {run['lean']:+.3f}"
            )
    if {"motion", "appearance"} <= {*TASKS.value}:
        seeds = range(SEEDS.value)
        leans = [runs["appearance", n]["lean"] - runs["motion", n]["lean"] for n in seeds]
        print(f"difference of the leans: mean {np.mean(leans):.3f} over {len(leans)} seeds")


if __name__ == "__main__":
    app.run(main)

"""Compares ways to train a template network by how well its scores rank strategies.

    vdroppath ranking --out=ranking
    python scripts/ranking_levers.py --ranking=ranking --out=levers

The strategies and their stand-alone accuracies are those of a finished ranking, as are the task,
the network and the numbers of epochs. For each lever and seed a template is trained again, and all
strategies are scored with recalibrated batch norm. The script prints Kendall's tau of each lever
with its interval. The levers:

* ``plain``: the template is trained as by ``vdroppath ranking``.
* ``fair paths``: the noise of a gate is stratified over the batch, so that each path is on in the
  share of the samples that its probability gives, in every batch and not only on average.
* ``norm of each path``: a batch norm after each path, before the paths are summed. (The stand-alone
  networks have none; the norm after the sum makes both the same functions of one path.)
* ``longer search``: twice the epochs, with half the learning rate of the gates.

Each template is scored with its last weights and, as a separate lever, with averages of the weights
(``ema``) over about the last four epochs. An interrupted run resumes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np
from absl import app, flags

RANKING = flags.DEFINE_string("ranking", "ranking", "folder of a finished vdroppath ranking")
OUT = flags.DEFINE_string("out", "levers", "folder of the results")
SEEDS = flags.DEFINE_integer("seeds", 3, "number of templates per lever")
EMA = flags.DEFINE_float("ema", 0.998, "decay of the averages per step")
LEVERS = ("plain", "fair paths", "norm of each path", "longer search")
CHOSEN = flags.DEFINE_list("levers", [*LEVERS], "levers to try")
TEMPLATES = flags.DEFINE_list(
    "templates", ["space", "gates start at 0.1", "uniform template"], "the ranking's, by name"
)
FORMAT = "vdroppath_tf.ranking_levers/2"  # in 1, averages of the warm-up replaced its weights
LAST, AVERAGED = "last weights", "averaged weights"


@contextlib.contextmanager
def lever(name: str):
    """Applies a lever to the templates that are built and trained in the body."""
    import unittest.mock as mock

    import tensorflow as tf

    from vdroppath_tf.layers import together
    from vdroppath_tf.models.common import FusionMaker

    plain = FusionMaker.__call__

    def stratified(logit, r1, r2, temperature):
        """Returns the relaxed logits, with logistic noise that is stratified over the batch."""
        size = tf.cast(tf.shape(r1)[1], tf.float32)
        ranks = tf.argsort(tf.argsort(r1, axis=1), axis=1)
        quantile = (tf.cast(ranks, tf.float32) + r2) / size
        return (logit + tf.math.log(quantile) - tf.math.log1p(-quantile)) / temperature

    with contextlib.ExitStack() as stack:
        if name == "fair paths":
            stack.enter_context(mock.patch.object(together, "relaxed_logit", stratified))
        if name == "norm of each path":

            def normed(self, *args, **kwargs):
                return plain(self, *args, **{**kwargs, "after": "linear"})

            stack.enter_context(mock.patch.object(FusionMaker, "__call__", normed))
        yield


def scores_of(base: str, name: str, seed: int, texts: list[str], parts) -> dict[str, list[float]]:
    """Trains one template; returns its scores with the last and with the averaged weights."""
    from vdroppath_tf.experiments.ranking import networks

    train, test = parts
    with lever(name):
        recipe = plan_of(name).template(base).replace(seed=seed, ema=EMA.value)
        template = networks.new_template(recipe, len(train))
        averages = networks.train_template(template, recipe, train, take=False)
    found = {LAST: networks.score(template, texts, train, test)}
    averages.take()
    return {**found, AVERAGED: networks.score(template, texts, train, test)}


def plan():
    """Returns the plan of the ranking."""
    from vdroppath_tf.experiments import Plan

    fields = json.loads((Path(RANKING.value) / "plan.json").read_text(encoding="utf-8"))
    names = ("epochs", "template_epochs", "gate_learning_rate", "seed", "clips")
    given = {name: fields[name] for name in names}
    return Plan(**{**given, "clips": tuple(given["clips"])})


def plan_of(name: str):
    """Returns the plan by which a lever's templates are trained."""
    given = plan()
    if name != "longer search":
        return given
    return dataclasses.replace(
        given,
        template_epochs=2 * given.template_epochs,
        gate_learning_rate=given.gate_learning_rate / 2,
    )


def tau_lines(found: dict, rows: list[dict]) -> list[str]:
    """Returns a row for each template, lever and weights: tau over each kind of strategies."""
    from vdroppath_tf.analysis import kendall_tau, tau_interval

    lines = []
    kinds = [row["kind"] for row in rows]
    truth = np.array([np.mean(row["alone"]) for row in rows])
    for (base, name, weights), scores in found.items():
        cells = []
        for kind in dict.fromkeys(kinds):
            here = np.array([one == kind for one in kinds])
            whole = tau_interval(truth[here], np.mean(scores, 0)[here])
            single = [kendall_tau(truth[here], np.array(one)[here]) for one in scores]
            cells.append(
                f"{np.mean(single):.2f} ({min(single):.2f} to {max(single):.2f}); mean of "
                f"{len(single)} {whole.value:.2f} [{whole.low:.2f}, {whole.high:.2f}]"
            )
        lines.append(f"| `{base}` | {name} | {weights} | {' | '.join(cells)} |")
    return lines


def main(_: list[str]) -> None:
    """Trains the missing templates, and prints the table."""
    from vdroppath_tf.experiments.ranking.plan import DIFFICULTY, TASK
    from vdroppath_tf.experiments.tasks.in_memory import draw_clips
    from vdroppath_tf.files import create_or_verify, write_json

    out = Path(OUT.value)
    fields = {"format": FORMAT, "ema": EMA.value, "ranking": dataclasses.asdict(plan())}
    create_or_verify(out / "plan.json", json.loads(json.dumps(fields)), holds="set of levers")
    rows = json.loads((Path(RANKING.value) / "ranking.json").read_text(encoding="utf-8"))
    rows = rows["strategies"]
    texts = [row["strategy"] for row in rows]
    parts = [
        draw_clips(TASK, split, count, seed=plan().seed, difficulty=DIFFICULTY)
        for split, count in zip(("train", "test"), plan().clips, strict=True)
    ]
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for seed in range(SEEDS.value):
        for base in TEMPLATES.value:
            for name in CHOSEN.value:
                file = out / f"{base}-{name}-{seed}.json".replace(" ", "_")
                if not file.is_file():
                    write_json(file, scores_of(base, name, seed, texts, parts))
                    print(f"{base}, {name}, seed {seed}: done", flush=True)
                for weights, one in json.loads(file.read_text(encoding="utf-8")).items():
                    found.setdefault((base, name, weights), []).append(one)
    print("| template | lever | scored with | draws: tau of one template | uniform draws |")
    print("| --- | --- | --- | --- | --- |")
    print("\n".join(tau_lines(found, rows)))


if __name__ == "__main__":
    app.run(main)

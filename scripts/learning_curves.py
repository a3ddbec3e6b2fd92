"""Trains strategies stand-alone for several numbers of epochs, to compare early and final top-1.

    python scripts/learning_curves.py --out=learning_curves

On the quickstart's task ``both``, with its clips in memory: a template network is trained as by the
quickstart, strategies are drawn from its space (including the mode) and from the uniform prior
(with a path in every layer), and each is trained stand-alone. The uniform draws are trained for
several numbers of epochs, each time with a learning rate that falls to 0. The script prints, by the
unit of the first layer, the mean top-1 on test clips after each number of epochs, and Kendall's tau
of the top-1 on validation clips after it with the final top-1 (on all clips that were not used in
training). All strategies of a seed start from the same weights and read the same batches.

An interrupted run resumes: results are kept in ``results-SEED.json`` below ``--out``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from absl import app, flags

SEED = flags.DEFINE_integer("seed", 0, "seed of the clips, weights, order and draws")
EPOCHS = flags.DEFINE_list("epochs", ["4", "8", "16", "34"], "epochs of uniform draws, ascending")
DRAWN = flags.DEFINE_integer("drawn", 20, "number of strategies of the space, including its mode")
UNIFORM = flags.DEFINE_integer("uniform", 16, "number of strategies from the uniform prior")
STRATEGIES = flags.DEFINE_multi_string("strategy", [], "other strategies to train to the end")
OUT = flags.DEFINE_string("out", "learning_curves", "folder of the results")
_TASK = "both"


@cache
def clips(split: str):
    """Returns the quickstart's clips of a split, which are drawn once."""
    from vdroppath_tf.experiments.quickstart import TASKS
    from vdroppath_tf.experiments.tasks.in_memory import draw_clips

    setup = TASKS[_TASK]
    count = setup.clips[("train", "validation", "test").index(split)]
    return draw_clips(_TASK, split, count, seed=SEED.value, difficulty=setup.difficulty)


def new_template():
    """Returns the quickstart's untrained template, and its recipe."""
    import keras

    from vdroppath_tf.experiments.quickstart import quickstart_recipe
    from vdroppath_tf.zoo import template_micro

    recipe = quickstart_recipe(SEED.value, _TASK)
    keras.utils.set_random_seed(recipe.seed)
    options = {**recipe.network_options, **recipe.gate_options}
    return template_micro(16, num_train_examples=len(clips("train")), **options), recipe


def learned_space():
    """Trains a template as the quickstart does, and returns its space."""
    from vdroppath_tf.experiments.ranking.networks import train_template
    from vdroppath_tf.spaces.space import ProbabilitySpace

    template, recipe = new_template()
    train_template(template, recipe, clips("train"))
    return ProbabilitySpace.from_model(template)


def drawn_strategies(out: Path) -> dict[str, list[str]]:
    """Returns the strategies of both kinds, from a file if they were drawn before."""
    from vdroppath_tf.files import write_json
    from vdroppath_tf.scoring import uniform_prior

    path = out / f"strategies-{SEED.value}.json"
    if not path.is_file():
        space = learned_space()
        own = dict.fromkeys([space.mode(), *space.sample(10 * DRAWN.value, SEED.value)])
        prior = dict.fromkeys(uniform_prior(space).sample(200, SEED.value, "resample"))
        found = {"space": [*own][: DRAWN.value], "uniform": [*prior][: UNIFORM.value]}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {kind: [*map(str, some)] for kind, some in found.items()})
    return json.loads(path.read_text(encoding="utf-8"))


def train_all(jobs: list[tuple[str, int]], path: Path) -> dict:
    """Runs the missing trainings.

    Returns:
        The top-1 on validation and on test clips, by strategy and by number of epochs.
    """
    from vdroppath_tf.experiments.ranking.networks import rates_of, top1_of
    from vdroppath_tf.files import write_json
    from vdroppath_tf.scoring import OneStrategy
    from vdroppath_tf.training.phase import Phase

    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    missing = [(text, epochs) for text, epochs in jobs if str(epochs) not in found.get(text, {})]
    if not missing:
        return found
    (template, recipe), train = new_template(), clips("train")
    one, tests = OneStrategy(template), (clips("validation"), clips("test"))
    size = recipe.batch_size
    with one.begin():
        for text, epochs in missing:
            phase = Phase("stand-alone", epochs, recipe.search.learning_rate, cosine=True)
            one.start(text)
            one.train(train.shuffled(size, seed=recipe.seed), rates_of(phase, len(train) // size))
            top1 = [top1_of(one, part) for part in tests]
            found.setdefault(text, {})[str(epochs)] = top1
            print(
                f"{text}, {epochs} epochs: {top1[0]:.3f} validation, {top1[1]:.3f} test", flush=True
            )
            write_json(path, found)
    return found


def first_unit(text: str) -> str:
    """Returns the unit of the first layer that has a path."""
    return next((unit for unit in text.split() if unit != "-"), "-")


def table(found: dict, kinds: dict[str, list[str]], epochs: list[int]) -> list[str]:
    """Returns the means by first unit, and the tau of each number of epochs with the last."""
    from vdroppath_tf.analysis import kendall_tau

    last = str(epochs[-1])
    reached = {
        text: (one[last][0] + 2 * one[last][1]) / 3 for text, one in found.items() if last in one
    }
    lines = []
    for unit in ("S", "ST", "S+ST"):
        cells = []
        for number in map(str, epochs):
            some = [
                found[text][number][1]
                for text in kinds["uniform"]
                if first_unit(text) == unit and number in found[text]
            ]
            cells.append(f"{100 * np.mean(some):.1f} ({len(some)})" if some else "")
        own = [first_unit(text) for text in kinds["space"]].count(unit)
        lines.append(f"| {unit} | {' | '.join(cells)} | {own} of {len(kinds['space'])} |")
    taus = []
    for number in map(str, epochs[:-1]):
        some = [text for text in kinds["uniform"] if number in found[text]]
        tau = kendall_tau(
            [found[text][number][0] for text in some], [reached[text] for text in some]
        )
        taus.append(f"{tau:.2f}")
    lines.append(f"| tau with the end | {' | '.join(taus)} | | |")
    for kind, some in kinds.items():
        values = 100 * np.array([reached[text] for text in some])
        lines.append(
            f"{kind}: final mean {values.mean():.1f}, {values.min():.1f} to {values.max():.1f}"
        )
    best = sorted(reached, key=lambda text: -reached[text])[:5]
    lines += [f"{100 * reached[text]:.1f} {text}" for text in best]
    return lines


def main(_) -> None:
    """Runs the missing trainings, and prints the table."""
    out, epochs = Path(OUT.value), [int(text) for text in EPOCHS.value]
    kinds = drawn_strategies(out)
    jobs = [(text, number) for number in epochs for text in kinds["uniform"]]
    ends = [
        *kinds["space"],
        *(" ".join([unit] * 6) for unit in ("S", "ST", "S+ST")),
        *STRATEGIES.value,
    ]
    jobs += [(text, epochs[-1]) for text in ends]
    found = train_all(jobs, out / f"results-{SEED.value}.json")
    print(f"| first unit | {' | '.join(f'{n} epochs' for n in epochs)} | draws of the space |")
    print("|" + " --- |" * (len(epochs) + 2))
    print("\n".join(table(found, kinds, epochs)))


if __name__ == "__main__":
    app.run(main)

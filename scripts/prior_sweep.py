"""Trains templates with several prior strengths and numbers of clips, and describes their spaces.

    python scripts/prior_sweep.py --out=prior_sweep

Trains the template network of the recipe `small` on the quickstart's tasks for each number of
training clips and each strength, and prints for each space its mode, the mean probabilities of an
empty layer, of S and of ST, and the top-1 of the mode on clips that were not used in training.
`k=10` is `weight_reg` 10, which acts as 10 / N; a number is a `prior_strength`. The epochs are
scaled so that every run has the number of steps of the quickstart with its 512 clips, unless
`--as_it_is` is set. Finished runs are kept, so the same command resumes an interrupted sweep.

    python scripts/prior_sweep.py --out=prior_sweep --tasks=motion --lists=footage

reads `footage/motion/train.txt` and `validation.txt` in place of drawn clips;
`real_footage.py --cut_only --folder=footage` writes these lists.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

TASKS = flags.DEFINE_list("tasks", ["motion", "appearance"], "known-answer tasks")
CLIPS = flags.DEFINE_list("clips", ["48", "200", "512", "4096"], "numbers of training clips, N")
STRENGTHS = flags.DEFINE_list(
    "strengths", ["k=10", "0.001", "0.004", "0.02"], "prior_strength, or k=weight_reg"
)
HELD_OUT = flags.DEFINE_integer("held_out", 256, "number of clips on which modes are scored")
AS_IT_IS = flags.DEFINE_bool("as_it_is", False, "use the recipe's epochs, however few the steps")
LISTS = flags.DEFINE_string("lists", None, "folder of TASK/train.txt, in place of drawn clips")
FRAMES = flags.DEFINE_integer("frames", None, "frames per clip. Defaults to the quickstart's")
EDGE = flags.DEFINE_integer("short_edge", None, "short edge to scale to. Defaults to no scaling")
SEED = flags.DEFINE_integer("seed", 0, "seed of the clips, weights and noise")
OUT = flags.DEFINE_string("out", "prior_sweep", "folder of the clips and the results")
BUDGET = flags.DEFINE_float("minutes", None, "begin no further run after this many minutes")

AS_MANY_STEPS_AS = 512  # training clips of the quickstart


def manifests(task: str) -> tuple[Any, Any]:
    """Returns the manifests of the largest set of training clips, and of the validation clips."""
    from vdroppath_tf.data.catalog import read_list
    from vdroppath_tf.experiments.quickstart import write_clips

    if LISTS.value:
        folder = Path(LISTS.value) / task
        train = read_list(folder / "train.txt")
        return train, read_list(folder / "validation.txt", labels=train.labels)
    most = max(int(n) for n in CLIPS.value)
    folder = Path(OUT.value) / "clips" / f"{task}-{SEED.value}-{most}"
    made = write_clips(folder, task, SEED.value, clips=(most, HELD_OUT.value, 8))
    return made.train, made.validation


def recipe_for(strength: str, clips: int) -> Any:
    """Returns `small` with this strength and, for these clips, the quickstart's steps."""
    from vdroppath_tf.experiments.quickstart import quickstart_recipe

    recipe = quickstart_recipe(SEED.value)
    number = float(strength.removeprefix("k="))
    option = "weight_reg" if strength.startswith("k=") else "prior_strength"
    sampling = recipe.sampling
    if FRAMES.value:
        sampling = dataclasses.replace(sampling, frames=FRAMES.value)
    if EDGE.value:
        sampling = dataclasses.replace(sampling, short_edge=EDGE.value)
    scale = AS_MANY_STEPS_AS // recipe.batch_size / (clips // recipe.batch_size)
    if AS_IT_IS.value:
        scale = 1.0
    phases = {
        name: dataclasses.replace(phase, epochs=max(1, round(phase.epochs * scale)))
        for name, phase in (("warmup", recipe.warmup), ("search", recipe.search))
    }
    return recipe.replace(sampling=sampling, **phases, **{option: number})


def run(train_on: Any, validation: Any, recipe: Any, cache: Any) -> dict[str, Any]:
    """Trains a template, and returns the figures of its space and the top-1 of its mode."""
    import keras

    from vdroppath_tf import ProbabilitySpace
    from vdroppath_tf.experiments import Scorer
    from vdroppath_tf.spaces.prior import acting_strength
    from vdroppath_tf.training import Clips, RecipeClips, build_template, train

    keras.backend.clear_session()
    clips = Clips(train_on, cache=cache)
    model = build_template(recipe, clips)
    history = train(model, recipe.template_phases(), recipe, clips)
    space = ProbabilitySpace.from_model(model)
    scorer = Scorer(model, RecipeClips(recipe, cache), train_on, batch_size=64)
    (score,) = scorer.scores([space.mode()], validation)
    units, on = space.unit_probabilities(form="sampling"), space.path_on("sampling")
    empty = list(space.marginals()).index("-")
    return {
        "acts": acting_strength(
            weight_reg=recipe.weight_reg,
            prior_strength=recipe.prior_strength,
            num_examples=len(train_on),
            form=recipe.kl,
        ),
        "epochs": [recipe.warmup.epochs, recipe.search.epochs],
        "mode": str(space.mode()),
        "empty": float(np.mean([layer[..., empty].mean() for layer in units])),
        "S": float(np.mean(on["S"])),
        "ST": float(np.mean(on["ST"])),
        "top1": score.top1,
        "task_loss": history[-1]["task_loss"],
        "kl": history[-1]["kl"],
    }


def table(found: list[dict[str, Any]]) -> str:
    """Returns a Markdown table with a row for each run."""
    head = "| task | N | strength | acts | mode | P(-) | P(S on) | P(ST on) | top-1 of the mode |"
    rows = [
        f"| {r['task']} | {r['clips']:,} | {r['strength']} | {r['acts']:.2g} | `{r['mode']}` "
        f"| {r['empty']:.2f} | {r['S']:.2f} | {r['ST']:.2f} | {r['top1']:.2f} |"
        for r in found
    ]
    return "\n".join((head, "| --- " * 9 + "|", *rows))


def main(argv: list[str]) -> None:
    """Runs the missing part of the grid, and prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    from vdroppath_tf.data.clips.cache import VideoCache
    from vdroppath_tf.files import write_json

    found, start = [], time.monotonic()
    kind = "-as-it-is" * AS_IT_IS.value + "-lists" * bool(LISTS.value)
    for task in TASKS.value:
        everything: Any = None
        for clips in map(int, CLIPS.value):
            for strength in STRENGTHS.value:
                name = f"{task}-{clips}-{strength}-{SEED.value}{kind}.json"
                file = Path(OUT.value) / "runs" / name
                late = BUDGET.value and time.monotonic() - start > 60 * BUDGET.value
                if not file.is_file() and not late:
                    everything = everything or (*manifests(task), VideoCache(2**30))
                    train_on, validation, cache = everything
                    told = {"task": task, "clips": clips, "strength": strength}
                    before = time.process_time()
                    result = run(
                        train_on.select(range(clips)),
                        validation,
                        recipe_for(strength, clips),
                        cache,
                    )
                    seconds = round(time.process_time() - before)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    write_json(file, {**told, **result, "processor_seconds": seconds})
                if file.is_file():
                    found.append(json.loads(file.read_text(encoding="utf-8")))
                    print(table(found[-1:]).splitlines()[-1], flush=True)
    print(f"\n{table(found)}")


if __name__ == "__main__":
    app.run(main)

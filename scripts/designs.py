"""Trains strategies stand-alone for several numbers of epochs, and compares their accuracies.

    python scripts/designs.py --seeds=5 --epochs=30,90 --out=designs

Shows whether strategies differ in accuracy, and whether a longer training closes the gap. Trains
networks of the quickstart's hardest task, ``both``, each from scratch, on clips that are drawn in
memory (no video files), with the quickstart's batch size and learning rate. Prints a table with a
row for each strategy and a column for each number of epochs: the mean top-1 on test clips over
seeds, its standard error, and the final loss on the training clips. An interrupted run resumes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from absl import app, flags

SEEDS = flags.DEFINE_integer("seeds", 5, "number of seeds, from 0")
EPOCHS = flags.DEFINE_list("epochs", ["30"], "numbers of epochs to train for")
CLIPS = flags.DEFINE_list("clips", ["512", "1024"], "numbers of training and of test clips")
OUT = flags.DEFINE_string("out", "designs", "folder of the results")
STRATEGIES = flags.DEFINE_multi_string(
    "strategy",
    [
        *(" ".join([unit] * 6) for unit in ("S", "ST", "S+ST")),
        *("S S S S ST S", "S S ST ST S S", "S S S ST ST ST", "ST ST ST S S S"),
    ],
    "strategies to train",
)


def trained(strategy: str, epochs: int, seed: int, clips: tuple[int, int]) -> dict:
    """Trains one network; returns its top-1 on test clips and its loss on training clips."""
    import keras

    from vdroppath_tf.experiments.quickstart import TASKS, quickstart_recipe
    from vdroppath_tf.experiments.tasks.in_memory import draw_clips
    from vdroppath_tf.experiments.tasks.shapes import labels
    from vdroppath_tf.models.objectives import cross_entropy
    from vdroppath_tf.training.phase import Phase
    from vdroppath_tf.training.schedules import learning_rate
    from vdroppath_tf.zoo import derived_micro

    recipe = quickstart_recipe(seed, "both")
    keras.utils.set_random_seed(seed)
    network = derived_micro(strategy, len(labels("both")))
    phase = Phase("stand-alone", epochs, recipe.search.learning_rate, cosine=True)
    rate = learning_rate(phase, clips[0] // recipe.batch_size)
    network.compile(keras.optimizers.SGD(rate, momentum=0.9), cross_entropy(), metrics=["accuracy"])
    train, test = (
        draw_clips("both", split, count, seed=seed, difficulty=TASKS["both"].difficulty)
        for split, count in zip(("train", "test"), clips, strict=True)
    )
    found = network.fit(
        train.clips, train.labels, batch_size=recipe.batch_size, epochs=epochs, verbose=0
    )
    scored = network.evaluate(test.clips, test.labels, batch_size=256, verbose=0, return_dict=True)
    keras.backend.clear_session()
    return {"top1": scored["accuracy"], "training loss": found.history["loss"][-1]}


def done(strategy: str, epochs: int, seed: int) -> dict:
    """Returns the result of a training, from its file if that exists."""
    from vdroppath_tf.files import write_json

    clips = int(CLIPS.value[0]), int(CLIPS.value[1])
    name = f"{strategy.replace(' ', '_')}-{epochs}-{clips[0]}-{clips[1]}-{seed}.json"
    path = Path(OUT.value) / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, trained(strategy, epochs, seed, clips))
        print(f"{strategy}, {epochs} epochs, seed {seed}: {path.read_text(encoding='utf-8')}")
    return json.loads(path.read_text(encoding="utf-8"))


def cell(runs: list[dict]) -> str:
    """Returns a cell of the table: the mean top-1 over seeds, its standard error and the loss."""
    top1 = 100 * np.array([run["top1"] for run in runs])
    error = top1.std(ddof=1) / np.sqrt(len(top1)) if len(top1) > 1 else float("nan")
    loss = np.mean([run["training loss"] for run in runs])
    return f"{top1.mean():.1f} ± {error:.1f} (loss {loss:.2f})"


def main(_) -> None:
    """Runs the missing trainings, seed by seed, and prints the table."""
    epochs = [int(text) for text in EPOCHS.value]
    runs = {
        (strategy, number, seed): done(strategy, number, seed)
        for seed in range(SEEDS.value)
        for number in epochs
        for strategy in STRATEGIES.value
    }
    print("| strategy |", " | ".join(f"{number} epochs" for number in epochs), "|")
    print("|", " | ".join(["---"] * (1 + len(epochs))), "|")
    for strategy in STRATEGIES.value:
        cells = [cell([runs[strategy, n, seed] for seed in range(SEEDS.value)]) for n in epochs]
        print(f"| `{strategy}` |", " | ".join(cells), "|")


if __name__ == "__main__":
    app.run(main)

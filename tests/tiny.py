"""What makes trainings short enough to test: a network of 3 fusion layers, clips of 4x16x16.

`ROW` is a row of its own, so that no test leans on the sizes of the networks that users get.
Import it, and `"nano"` can be trained, saved, loaded and derived like any network of the zoo; and
so can `KINDS`, networks whose layers draw any of the seven units, or have gates per input, or both.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import TaskFiles, write_task
from vdroppath_tf.models import densenet, mobilenet_v2
from vdroppath_tf.models.resnet import Row, Stage, Stem
from vdroppath_tf.training import Clips, Phase, Recipe, RunFolder, build_template, train
from vdroppath_tf.zoo import add_network, get_model

ROW = "nano"
LAYERS = 3
SHAPE = (4, 16, 16)
COUNTS = (24, 10, 8)  # training, validation, test
BATCH = 8

_STEM = Stem(4, (1, 3, 3), (1, 2, 2), pool=False)
add_network(Row(ROW, _STEM, (Stage(1, 4, 1, 2), Stage(2, 6, 2, 2)), num_classes=4))
ONE_LAYER = "pico"  # where what is tested has nothing to do with layers: it is traced in no time
add_network(Row(ONE_LAYER, _STEM, (Stage(1, 4, 1, 2),), num_classes=4))


def template(num_classes: int = 4, row: str = ROW, **options: Any) -> Any:
    return get_model(f"template_{row}", num_classes, **options)


def derived(strategy: Any, num_classes: int = 4, **options: Any) -> Any:
    return get_model(f"derived_{ROW}", strategy, num_classes, **options)


def draw_norms(model: Any, *, seed: int, logits: float | None = None) -> None:
    """Give batch norms scales and statistics that tell strategies apart.

    Args:
        model: The network.
        seed: Of the draws, which are made in the order of the weights.
        logits: The standard deviation of gates' logits, which are then drawn too.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        name, shape = weight.path.split("/")[-1], weight.shape
        if name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 2.0, shape))
        elif name in ("beta", "moving_mean"):
            weight.assign(rng.normal(0.0, 0.5, shape))
        elif name == "logit" and logits is not None:
            weight.assign(rng.normal(0.0, logits, shape))


add_network(densenet.Row("nano_dense", 4, 2, (2, 1)))  # B1.L1 B1.L2 T1 B2.L1
add_network(densenet.Row("nano_inputs", 4, 2, (2, 1), share_inputs=False))
add_network(
    mobilenet_v2.Row(
        "nano_mobile", 4, 8, (mobilenet_v2.Stage(1, 4, 1, 1), mobilenet_v2.Stage(2, 6, 2, 2))
    )
)
add_network(Row("nano_groups", _STEM, (Stage(1, 4, 1, 2, groups=2), Stage(1, 6, 2, 2, groups=2))))
ALL = ("S", "T", "ST")
# name of a kind -> row and options: the kinds of space that there are beside "nano"'s
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "units": (ROW, {"branches": ALL}),
    "grouped": ("nano_groups", {"branches": ALL}),
    "mobile": ("nano_mobile", {"branches": ALL}),
    "dense": ("nano_dense", {"branches": ALL}),
    "inputs": ("nano_inputs", {}),
    "both": ("nano_inputs", {"branches": ALL}),
}


def kind_template(kind: str, num_classes: int = 4, **options: Any) -> Any:
    row, own = KINDS[kind]
    return get_model(f"template_{row}", num_classes, gate_classifier=True, **options, **own)


def kind_derived(kind: str, strategy: Any, num_classes: int = 4, **options: Any) -> Any:
    row, own = KINDS[kind]
    return get_model(f"derived_{row}", strategy, num_classes, **options, **own)


def train_kinds(files: TaskFiles, out: Path) -> list[str]:
    """A command line: seven units, gates per input, D1 and a gated classifier."""
    sizes = [f"--frames={SHAPE[0]}", f"--batch_size={BATCH}", f"--data={files.folder}/train.txt"]
    phases = ["--warmup_epochs=0", "--search_epochs=2", "--picture_every=2"]
    gates = ["--branches=S,T,ST", "--drop_layer", "--gate_classifier"]
    return ["train", "--network=nano_inputs", *gates, *sizes, *phases, f"--out={out}"]


def write(folder: Path, task: str = "motion", counts: tuple[int, int, int] = COUNTS) -> TaskFiles:
    """A known-answer task; where it is there already, it stays."""
    frames, size, _ = SHAPE
    return write_task(folder, task, clips=counts, difficulty=Difficulty(frames, size, shape=5.0))


def recipe(
    warmup: int = 2, search: int = 3, learning_rate: float = 0.05, network: str = ROW
) -> Recipe:
    return Recipe(
        network,
        ClipSampling(SHAPE[0]),
        BATCH,
        Phase("warmup", warmup, 0.05),
        Phase("search", search, learning_rate, gates=True),
        finetune=Phase("finetune", 2, 0.01, weight_decay=1e-4),
        gate_learning_rate=0.1,
        finetune_dropout=0.5,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A template that was trained, and what it was trained with."""

    model: Any
    history: list[dict[str, Any]]
    recipe: Recipe
    clips: Clips
    folder: Any  # Path, or None where nothing was kept


def clips_of(files: TaskFiles) -> Clips:
    return Clips(files.manifest("train"), files.manifest("validation"))


def run_template(
    clips: Clips,
    recipe: Recipe,
    folder: Path | RunFolder | None = None,
    *,
    scope: Any = contextlib.nullcontext,
    on_step: Callable[[], None] | None = None,
) -> Run:
    with scope():
        model = build_template(recipe, clips)
    phases = recipe.template_phases()
    history = train(model, phases, recipe, clips, folder=folder, on_step=on_step)
    return Run(model, history, recipe, clips, folder)


def state(model: Any) -> dict[str, bytes]:
    """Every number of a compiled model: weights, seeds, optimizer."""
    own = {v.path: v for v in model.weights}
    # Keras numbers its seed generators and optimizers
    seeds = {f"seed {k}": v for k, v in enumerate(v for v in model.variables if "seed" in v.path)}
    slots = {f"optimizer/{v.path.partition('/')[2]}": v for v in model.optimizer.variables}
    every = {**own, **seeds, **slots}
    return {path: tf.convert_to_tensor(v).numpy().tobytes() for path, v in every.items()}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, to see that none has changed."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}

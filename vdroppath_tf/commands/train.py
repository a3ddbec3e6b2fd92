"""Train a template (warm-up, then v-DropPath), or with --strategy one network from scratch."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from vdroppath_tf import data, experiments, layers, spaces, training
from vdroppath_tf.commands import dry_run
from vdroppath_tf.commands.device_flags import (
    check_devices,
    define_devices,
    strategy_of,
    supervised,
)
from vdroppath_tf.commands.diagnosis import diagnosis_of, log_diagnosis
from vdroppath_tf.commands.flag_kinds import arguments_of, define_string, no_effect
from vdroppath_tf.commands.next_step import say_next, source_flags
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import verbosity_of_training
from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags
from vdroppath_tf.commands.seeds import check_seeds, define_seeds, train_seeds
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    find_validation,
    has_own_part,
    open_source,
)
from vdroppath_tf.commands.supervisor import LOST, Supervisor, is_supervised
from vdroppath_tf.data.remote.urls import without_secrets

if TYPE_CHECKING:
    from vdroppath_tf.experiments.account import Account

EXAMPLE = (
    "vdroppath train --recipe=small --data=clips/train.txt "
    "--validation=clips/validation.txt --out=run"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_source(values, "data", "training videos", needed=True)
    define_source(values, "validation", "validation videos", in_data=True)
    define_formats(values)
    text = "folder for checkpoints, logs, model, space and recipe; not needed with --dry_run"
    mark = ".run.lock|run.json|checkpoint-*|seed-*/run.json|seed-*/checkpoint-*"
    define_output(values, "out", text, mark=mark, folder=True, needed=True, spared_by="dry_run")
    text = "keep a copy of --out here: s3://, gs://, az:// or a folder; if --out has no run yet,"
    define_string(values, "backup", f"{text} the run resumes from it")
    define_faults(values)
    define_recipe(values)
    text = "train this strategy's network stand-alone, from scratch, e.g. 'S ST ...'"
    define_string(values, "strategy", text)
    text = "a trained template, .keras, to start from; other classes get a new classifier"
    define_string(values, "init_from", text)
    text = (
        "initial weights: imagenet (Keras downloads them), a file of 2D weights, a "
        "model of vdroppath or the folder of a run; other classes get a new classifier"
    )
    define_string(values, "init", text)
    text = "also save within epochs, after a number of steps (500) or a time (10min)"
    define_string(values, "save_every", text)
    text = "epochs between two figures of the marginals in TensorBoard; 0: no figures"
    flags.DEFINE_integer("picture_every", 1, text, lower_bound=0, flag_values=values)
    text = "loggers of the run: tensorboard, wandb, mlflow (vdroppath_tf[wandb], ...)"
    flags.DEFINE_list("log", ["tensorboard"], text, flag_values=values)
    define_devices(values)
    dry_run.define_dry_run(values)
    define_seeds(values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains a template, or one strategy's network, and saves it."""
    if values.strategy is not None and values.init_from is not None:
        raise ValueError("--init_from starts a template, --strategy a network without gates.")
    if values.init is not None and values.init_from is not None:
        raise ValueError("--init_from is the older name of --init: pass one of them.")
    if values["picture_every"].present and "tensorboard" not in values.log:
        raise no_effect("picture_every", "log=tensorboard")
    check_seeds(values)
    check_devices(values, recipe_of_flags(values).batch_size)
    if supervised(values) and not values.dry_run:
        code = Supervisor(["train", *_given(values)], values.workers or 1, values.restarts or 0)
        _leave(code.run())
    elif values.seeds > 1 and not values.dry_run:
        train_seeds(values, _train_one_of_several)
    else:
        _train(values)


def _given(values: flags.FlagValues) -> list[str]:
    """Returns the given flags, for a process that this one supervises."""
    own = ("workers", "restarts")
    names = [name for name in values if values[name].present and name not in own]
    return arguments_of(values, names)


def command_of(values: flags.FlagValues) -> str:
    """Returns the command line that continues the run, or "" if it is not known here.

    One of several workers and a process that is supervised were given another one, and a line with
    secrets is not written down.
    """
    line = shlex.join(["vdroppath", "train", *_given(values)])
    alone = values.devices != "multiworker" and not is_supervised()
    return line if alone and line == without_secrets(line) else ""


def _leave(code: int) -> None:
    """Ends this process with the exit code of the training processes, which logged the reason."""
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise SystemExit(code)


def _train_one_of_several(
    name: str, arguments: list[str], *, log: Callable[[str], object], bar_position: int
) -> None:
    """Runs the command with one seed, in a separate process."""
    from vdroppath_tf.experiments.account import Account

    values = flags.FlagValues()
    define(values)
    values(["vdroppath", *arguments])
    _train(values, Account(name, log=log, bar_position=bar_position))


def _train(values: flags.FlagValues, account: Account | None = None) -> None:
    """Runs one training; an account shows its progress as one of several."""
    recipe = recipe_of_flags(values)
    if values.devices != "multiworker":
        _train_on(None, values, recipe, account)
        return
    from vdroppath_tf.data.remote.files import leave

    # several workers must start with this; otherwise TensorFlow is imported later
    workers = training.Workers(strategy_of(values, recipe.batch_size))
    if not workers.chief:
        logging.set_verbosity(logging.WARNING)
    try:
        with workers.watched():
            _train_on(workers, values, recipe, account)
            workers.barrier()  # a worker that leaves first would be lost to the others
    except training.LostWorkerError as error:
        logging.error("vdroppath train: %s", error)
        leave(LOST)
    leave(0)


def _train_on(
    workers: training.Workers | None,
    values: flags.FlagValues,
    recipe: training.Recipe,
    account: Account | None,
) -> None:
    """Runs one training on the devices of this process and of its peers, if any."""
    out, modality = Path(values.out or "run"), recipe.modality  # a dry run writes nothing there
    find_validation(values)
    videos = open_source(values, "data", part="train", modality=modality)
    validation = None
    if values.validation is not None:
        labels = videos.labels
        validation = open_source(values, "validation", labels, part="validation", modality=modality)
    parts = [videos] if validation is None else [videos, validation]
    recipe = sized(recipe, lambda: data.frame_sizes(parts))
    clips = training.Clips(videos, validation, max_bad_fraction=values.max_bad_fraction)

    kept = training.RunFolder(
        out,
        values.backup,
        values.save_every,
        values.picture_every,
        tuple(values.log),
        command=command_of(values) if account is None else "",
    )

    if workers is None:
        workers = training.Workers(strategy_of(values, recipe.batch_size))
    with workers.strategy.scope():
        model, phases = _model(values, recipe, clips)
    logging.info("%s: %d videos of %d classes", model.name, len(videos), videos.num_classes)
    if model.gates:
        logging.info("Prior: %s", layers.describe_prior(model))
        known = values.recipe in training.RECIPES
        advice = training.few_steps(recipe, values.recipe, len(videos)) if known else None
        if advice is not None:
            logging.info("%s", advice)
    if values.dry_run:
        print(dry_run.table(training.rehearse(model, phases, recipe, clips)))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", spaces.SpaceWarning)  # it is logged below in any case
        if account is None:
            verbose = verbosity_of_training()
            history = training.train(model, phases, recipe, clips, folder=kept, verbose=verbose)
        else:
            epoch = len(videos) // recipe.batch_size
            steps = epoch * sum(phase.epochs for phase in phases)
            with account.steps("train", steps, epoch) as step:
                history = training.train(model, phases, recipe, clips, folder=kept, on_step=step)
    if not workers.chief:
        return
    experiments.save_trained(model, history, out, recipe, videos.labels)
    found = diagnosis_of(model) if model.gates else None
    if found is not None:
        log_diagnosis(found)
    if found is None or found.collapsed != "empty":  # nothing is left to be scored
        _say_next(values, out, template=bool(model.gates))
    if kept.copy is not None:
        kept.copy.send()
        logging.info("Copied to %s", data.remote.shown(values.backup))


def _say_next(values: flags.FlagValues, out: Path, *, template: bool) -> None:
    """Suggests the next command: evaluate, on the validation videos.

    Without any, a word stands in their place: training videos would be reported on.
    """
    train = source_flags(values, "data", "train_data")
    if not template:
        export = {"model": str(out / "network.keras"), "out": str(out / "served" / "1")}
        say_next("export", **export)
        return
    videos: dict[str, str | None] = {"data": "VALIDATION_VIDEOS"}  # others than those of --data
    if values.validation is not None:
        videos = source_flags(values, "validation", "data")
    elif has_own_part(values, "validation"):
        videos = source_flags(values, "data", "data")
    model, scores = str(out / "template.keras"), str(out / "scores.json")
    say_next("evaluate", model=model, **videos, **train, out=scores)


def sized(
    recipe: training.Recipe, sizes: Callable[[], data.FrameSizes | None], *, always: bool = False
) -> training.Recipe:
    """Returns the recipe with clips of one size, if the videos differ and no size was set.

    Args:
        recipe: The recipe.
        sizes: Returns the sizes of the videos, which must be opened for that.
        always: Whether to also set a size for large videos of equal size.
    """
    sampling, said = recipe.sampling, ""
    if sampling.crop is None and sampling.short_edge is None:
        sampling, said = data.with_chosen_size(sampling, sizes(), always=always)
    if said:
        logging.info("%s", said)
    return recipe.replace(sampling=sampling)


def _model(
    values: flags.FlagValues, recipe: training.Recipe, clips: training.Clips
) -> tuple[Any, tuple[training.Phase, ...]]:
    if values.strategy is not None:
        network = training.build_derived(recipe, clips, values.strategy)
        _start(values, network, clips)
        return network, recipe.stand_alone_phases()
    if values.init_from is None:
        model = training.build_template(recipe, clips)
        _start(values, model, clips)
        return model, recipe.template_phases()
    trained, labels = training.load_network(values.init_from)
    same = labels == clips.train.labels
    model, report = training.template_from(trained, recipe, clips, keep_classifier=same)
    logging.info("From %s: %s", values.init_from, report)
    return model, recipe.template_phases()


def _start(values: flags.FlagValues, model: Any, clips: training.Clips) -> None:
    if values.init is not None:
        report = training.start_from(model, values.init, clips.train.labels)
        logging.info("From %s: %s", values.init, report)

"""Score one network on a list of videos, by a named test protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, scoring, training
from vdroppath_tf.commands import class_files
from vdroppath_tf.commands.artefacts import open_exported
from vdroppath_tf.commands.choices import PROTOCOLS
from vdroppath_tf.commands.flag_kinds import check_suffix, define_string
from vdroppath_tf.commands.next_step import say_next
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    open_source,
    say_not_recalibrated,
    say_trained_on,
)
from vdroppath_tf.commands.strategy_flag import define_strategy, set_strategy_of
from vdroppath_tf.files import write_json

EXAMPLE = (
    "vdroppath test --model=run/derived.keras --data=clips/test.txt --protocol=10x3 "
    "--out=result.json"
)
_SHOWN = 5  # the number of confusions that are printed


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "a network or a template, .keras, or an exported one (a folder of versions: the newest)"
    define_string(values, "model", text, needed=True)
    define_strategy(values)
    define_source(values, "data", "test videos", needed=True)
    text = "training videos, for batch-norm recalibration (recommended for a template)"
    define_source(values, "train_data", text)
    define_formats(values)
    define_faults(values)
    text = "test protocol: the views to score (default: the recipe's; needed for a SavedModel)"
    flags.DEFINE_enum("protocol", None, PROTOCOLS, text, flag_values=values)
    text = "clips in a step of the network"
    flags.DEFINE_integer("batch_size", 8, text, lower_bound=1, flag_values=values)
    text = "JSON file for the result"
    define_output(values, "out", text, mark="vdroppath_tf.test/")
    text = "CSV file for the confusion matrix: lines are true classes, columns are answers"
    define_output(values, "confusion", text, mark=class_files.CONFUSION_MARK)
    text = "CSV file with a line for each class: videos, accuracy, most frequent wrong answer"
    define_output(values, "per_class", text, mark=class_files.CLASS_MARK)
    text = "file for the answers for each video, .npz"
    define_output(values, "scores", text, mark="probabilities.npy")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints the accuracy, the number of videos, and the largest confusions."""
    check_suffix(values, "scores", ".npz")
    for name in ("confusion", "per_class"):
        check_suffix(values, name, ".csv")
    faults = data.FaultLog(values.max_bad_fraction)
    network, sampling, labels, protocol, about = _network(values, faults)
    modality = "flow" if about.pop("channels") == 2 else "rgb"
    several = about.pop("multi_label")
    videos = open_source(values, "data", labels, part="test", modality=modality)
    say_trained_on("data", videos, about.pop("train_videos", None))
    if several is not None:
        videos.check_kind(multi_label=several)
    if values.confusion and videos.multi_label:
        raise ValueError(
            f"--confusion={values.confusion}: the videos of {values.data} have several classes "
            "each, so there are no confusions. --per_class gives each class's average precision."
        )
    with bar(protocol, "videos", len(videos)) as shown:
        scores = scoring.score_videos(
            network,
            videos,
            sampling,
            data.PROTOCOLS[protocol],
            batch_size=values.batch_size,
            faults=faults,
            on_video=shown.update,
        )
    print(table(scores))
    if values.out:
        write_json(values.out, {**scores.fields(), **about})
        logging.info("Wrote %s", values.out)
    class_files.write(scores, confusion=values.confusion, per_class=values.per_class)
    if values.scores:
        scores.save_arrays(values.scores)
        logging.info("Wrote %s", values.scores)
    if str(values.model).endswith(".keras"):
        served = str(Path(values.model).with_name("served") / "1")
        say_next("export", model=values.model, out=served)


def _network(
    values: flags.FlagValues, faults: data.FaultLog
) -> tuple[Any, data.ClipSampling, tuple[str, ...], str, dict[str, Any]]:
    """Returns the model, its sampling, classes and protocol, and entries for the result."""
    about: dict[str, Any] = {"model": values.model, "strategy": values.strategy}
    if Path(values.model).is_dir() and not training.keras_files(values.model):
        if values.strategy is not None:
            raise ValueError("--strategy: a SavedModel runs the one it was exported with.")
        if values.train_data is not None:
            raise ValueError("--train_data: a SavedModel keeps its batch-norm statistics.")
        if values.protocol is None:
            raise ValueError(f"--protocol is needed with a SavedModel: {', '.join(PROTOCOLS)}.")
        served, about["model"] = open_exported(values.model)
        about |= {"channels": served.channels, "multi_label": served.multi_label}
        return served.answer, served.sampling, served.labels, values.protocol, about
    model, recipe, labels = training.load_model(values.model)
    about["channels"] = model.input_shape[-1]
    about["multi_label"] = bool(getattr(model, "multi_label", False))
    if (strategy := set_strategy_of(values, model)) is not None:
        about["strategy"] = str(strategy)
    if values.train_data is not None:
        modality = recipe.modality
        train_videos = open_source(values, "train_data", labels, part="train", modality=modality)
        clips = training.RecipeClips(recipe, faults=faults)
        about["train_videos"] = train_videos
        scoring.recalibrate(model, clips.recalibration(train_videos))
    elif model.gates:
        say_not_recalibrated()
    about["architecture"] = model.architecture["name"]
    about["strategy"] = about["strategy"] or model.architecture.get("strategy")
    about["recalibrated"] = values.train_data is not None
    return model, recipe.evaluation, labels, values.protocol or recipe.protocol, about


def table(scores: scoring.VideoScores) -> str:
    """Returns the result as lines: videos, accuracies with 95 % intervals, confusions."""
    protocol = scores.protocol
    names = ("Hit@1", "Hit@5") if scores.multi_label else ("top-1", "top-5")
    shown = 2 if scores.manifest.num_classes > 5 else 1  # of at most 5, every class is among 5
    lines = [
        f"{protocol.name}: {scores.account()}, {_many(protocol.clips, 'clip')} x "
        f"{_many(protocol.crops, 'crop')}, "
        f"mean {'sigmoid' if scores.multi_label else 'softmax'}",
        *([] if scores.map is None else [f"mAP    {scores.map:.4f}"]),
        *(
            f"{name}  {scores.interval(share)}"
            for name, share in list(zip(names, (scores.top1, scores.top5), strict=True))[:shown]
        ),
    ]
    confusions = scores.confusions(_SHOWN)
    if confusions:
        lines.append("most often taken for another:")
        lines += [f"  {c['truth']} for {c['answer']}: {c['videos']}" for c in confusions]
    return "\n".join(lines)


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"

"""SavedModels that load with TensorFlow alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import replacing
from vdroppath_tf.names import named
from vdroppath_tf.serving.beside import write_sampling
from vdroppath_tf.serving.checking import Difference, Reference, generated_clips
from vdroppath_tf.serving.folding.fold import Folding
from vdroppath_tf.serving.manifest import Contents, network_fields, write_manifest
from vdroppath_tf.serving.signatures import Served, Sizes
from vdroppath_tf.serving.warmup import write_warmup

_DEFAULT_CLIP = (8, 32, 32)  # where no size is known, to check on


@named
def export_saved_model(
    network: keras.Model,
    path: str | os.PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    sampling: ClipSampling | None = None,
    fold: bool = True,
    clips: np.ndarray | None = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a network as a SavedModel that needs nothing but TensorFlow to run.

    The network is folded first, see ``fold``, and what is to be written is compared with it.

    Signature ``serving_default``: ``video``, uint8 ``(batch, time, height, width, 3)``, RGB 0..255
    (2 channels where the network takes optical flow). With a ``sampling``, frames may be of any
    size: they are scaled and cropped in the graph as in evaluation; they are those of one clip, or
    more, and the answer is the mean over the clips that a video has. Without one, a video is a
    clip. Signature ``jpeg_frames``: ``jpeg_frames``, string ``(batch, time)``, JPEG files that are
    decoded in the graph. Signature ``clips``: ``clips`` as the network takes them, to which nothing
    is done. All give ``probabilities`` (a softmax, or the sigmoids of a network of several classes
    a clip) and ``logits``, ``(batch, classes)`` float32, and ``top_labels`` and ``top_scores``, of
    up to five classes. Signature ``labels``: no input; gives the names of the classes, ``labels``,
    string ``(classes,)``, and ``multi_label``, bool: whether a clip has any number of them.

    The graph itself refuses an input of another rank, with too few frames, of other sizes than the
    network's or fewer channels, too small for its pools, or without a clip, and answers that are
    no finite numbers. ``assets.extra/manifest.json`` says what was exported and how it was checked;
    beside it lies a request with which TensorFlow Serving warms up.

    Args:
        network: a derived network (or a template, which then serves the strategy it runs).
        path: folder to write, such as ``served/1``.
        labels: a name for each class; their numbers where it is left out.
        sampling: how clips are made of videos; None makes no clips: a video is one.
        fold: whether the network is folded; False keeps it as it is.
        clips: uint8 ``(n, time, height, width, channels)``, on which it is compared with the
            network; None generates two.
        about: what else its manifest says, such as ``{"recipe": ...}``; ``"clips"`` is where the
            clips are from.
        overwrite: replace the SavedModel that is there; it stays until the new one is whole.

    Returns:
        The folder.

    Raises:
        ValueError: when labels and classes differ in number, or a name stands twice; when clips do
            not fit the network; when logits differ by more than 1e-5 of the largest, and then
            nothing is written.
        FileExistsError: when the folder is there and ``overwrite`` is not set, or it holds anything
            but a SavedModel.
    """
    target = Path(path)
    check_free(target, "saved_model.pb", "SavedModel", overwrite)
    given = Exported.of(network, labels, sampling, clips, dict(about or {}))
    runner = given.runner(network, Folding.of(network) if fold else None)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as folder:
        given.save(folder, runner)
    return target


@dataclass(frozen=True, eq=False)
class Exported:
    """A network that is being exported, whatever the format.

    Attributes:
        labels: The names of the classes.
        multi_label: Whether a clip has any number of them.
        sizes: Frames, height, width and channels of its clips; None for an open size.
        least: Frames, height and width of the smallest clip.
        sampling: How clips are made of videos, or None.
        reference: Clips, and what the Keras network makes of them.
        network: Of ``network_fields``.
        about: What the caller adds to the manifest.
    """

    labels: tuple[str, ...]
    multi_label: bool
    sizes: Sizes
    least: tuple[int, int, int]
    sampling: ClipSampling | None
    reference: Reference
    network: Mapping[str, Any]
    about: dict[str, Any]

    @classmethod
    def of(
        cls,
        network: keras.Model,
        labels: Sequence[str] | None,
        sampling: ClipSampling | None,
        clips: np.ndarray | None,
        about: dict[str, Any],
    ) -> Exported:
        """Checks what is given, and runs the network on the clips."""
        names = checked_labels(labels, network.output_shape[-1])
        sizes = _sizes(network, sampling)
        least = tuple(getattr(network, "least_clip", (1, 1, 1)))
        source = about.pop("clips", "generated" if clips is None else "given")
        if clips is None:
            clips = generated_clips(_known(sizes, least))
        _check_clips(clips, sizes)
        return cls(
            tuple(names),
            bool(getattr(network, "multi_label", False)),
            sizes,
            least,
            sampling,
            Reference.of(network, clips, str(source)),
            network_fields(network),
            about,
        )

    def runner(self, network: keras.Model, folding: Folding | None) -> Runner:
        """What runs, folded or, where ``folding`` is None, as it is."""
        if folding is None:
            return Runner(network, None)
        fields = folded_fields(folding, self.reference.clips.shape[1:])
        return Runner(folding.model(self.sizes[:3]), fields)

    def save(self, folder: Path, runner: Runner) -> tuple[Difference, float]:
        """Writes the SavedModel and what lies beside it, once it was compared with the network.

        Returns:
            How much its logits differ, and the share of the clips to which it gives the same class.
        """
        served = Served(
            runner.model_logits,
            self.sizes,
            self.least,
            self.labels,
            self.multi_label,
            self.sampling,
        )
        signatures = served.signatures()
        answer = signatures["clips"]
        clips = self.reference.clips
        logits = np.stack([answer(tf.constant(clip[None]))["logits"][0] for clip in clips])
        found = self.reference.difference(logits)
        found.check(f"{runner.model.name!r} as a SavedModel")
        # keras.export.ExportArchive would trace the network three times and walk all its objects
        module = tf.Module()
        module.weights = [variable.value for variable in runner.model.variables]
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, str(folder), signatures, options)
        if self.sampling is not None:
            write_sampling(folder, self.sampling)
        write_warmup(folder, clips[:1])
        write_manifest(folder, self.contents("saved_model", runner.folded, found))
        return found, self.reference.same_answers(logits)

    def contents(
        self, format: str, folded: Mapping[str, Any] | None, difference: Difference
    ) -> Contents:
        """What the manifest of a format says."""
        return Contents(
            format,
            self.labels,
            self.multi_label,
            self.sizes,
            self.sampling,
            self.network,
            folded,
            difference,
            self.about,
        )


@dataclass(frozen=True, eq=False)
class Runner:
    """The Keras model that an exported network runs.

    Attributes:
        model: Folded, or the network itself.
        folded: What was folded, for the manifest; None where nothing was.
    """

    model: keras.Model
    folded: Mapping[str, Any] | None

    @property
    def model_logits(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """The logits of clips uint8."""
        return lambda clips: self.model(tf.identity(clips), training=False)


def folded_fields(folding: Folding, shape: Sequence[int]) -> dict[str, Any]:
    """What was folded, and what is left to do for a clip of a shape: for a manifest."""
    cost = folding.cost((shape[0], shape[1], shape[2]))
    return {
        **folding.counts,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "macs_of_a_clip_of": list(shape[:3]),
    }


def check_free(target: Path, mark: str, what: str, overwrite: bool) -> None:
    """Stops where writing would destroy something that is not its kind, or is to stay."""
    if not target.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{target} is there already. Pass overwrite=True, or another folder.")
    if not (target / mark).is_file():
        raise FileExistsError(
            f"{target} is there and holds no {what}, so it is not overwritten. Pass another "
            "folder, or remove it."
        )


def _sizes(network: keras.Model, sampling: ClipSampling | None) -> Sizes:
    """Frames, height, width and channels of the clips, as far as they are known."""
    own = tuple(network.input_shape[1:])
    if sampling is None:
        return own[0], own[1], own[2], own[3]
    crop: Any = (None, None) if sampling.crop is None else sampling.crop_size
    made = (sampling.frames, *crop, own[3])
    if any(a not in (None, b) and b is not None for a, b in zip(own, made, strict=True)):
        raise ValueError(
            f"The network takes clips of {own}. Received a sampling whose clips are {made} "
            "(frames, height, width, channels)."
        )
    frames, height, width = (a if b is None else b for a, b in zip(own[:3], made[:3], strict=True))
    return frames, height, width, own[3]


def _known(sizes: Sizes, least: Sequence[int]) -> tuple[int, int, int, int]:
    """Sizes with a number for each that is open."""
    t, h, w = (
        max(default, small) if size is None else size
        for size, default, small in zip(sizes[:3], _DEFAULT_CLIP, least, strict=True)
    )
    return t, h, w, sizes[3]


def _check_clips(clips: np.ndarray, sizes: Sizes) -> None:
    fits = clips.ndim == 5 and all(
        size in (None, found) for size, found in zip(sizes, clips.shape[1:], strict=True)
    )
    if not fits or clips.dtype != np.uint8 or not clips.size:
        raise ValueError(
            f"clips must be uint8 (n, time, height, width, channels) that fit {sizes}, at least "
            f"one. Received: {clips.dtype} of shape {clips.shape}"
        )


def checked_labels(labels: Sequence[str] | None, classes: int) -> list[str]:
    """A name for each class; see ``export_saved_model``."""
    names = [str(k) for k in range(classes)] if labels is None else [str(name) for name in labels]
    if len(names) != classes:
        raise ValueError(f"The network has {classes} classes. Received: {len(names)} labels.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Every class needs a name of its own. Twice: {twice}")
    return names

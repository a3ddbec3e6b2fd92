"""Export of networks as SavedModels that load with TensorFlow only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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
from vdroppath_tf.serving.folding.fast import STEPS
from vdroppath_tf.serving.folding.fold import Folding
from vdroppath_tf.serving.forms import Tried, first_close, forms_of
from vdroppath_tf.serving.manifest import Contents, network_fields, write_manifest
from vdroppath_tf.serving.signatures import Served, Sizes
from vdroppath_tf.serving.warmup import write_warmup

_DEFAULT_CLIP = (8, 32, 32)  # the clip for the comparison if no size is known


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
    """Exports a network as a SavedModel that needs only TensorFlow to run.

    The network is folded first, see ``fold``, and the result is compared with the original.

    The SavedModel has these signatures:

    * ``serving_default``: ``video``, uint8 ``(batch, time, height, width, 3)``, RGB 0..255 (2
      channels if the network takes optical flow). With a ``sampling``, frames may have any size:
      they are scaled and cropped in the graph as in evaluation; they are the frames of one clip, or
      more, and the answer is the mean over the clips of the video. Without it, a video is a clip.
    * ``jpeg_frames``: ``jpeg_frames``, string ``(batch, time)``, JPEG files that are decoded in
      the graph.
    * ``clips``: ``clips`` as the network takes them, without any processing.
    * ``labels``: no input; returns the names of the classes, ``labels``, string ``(classes,)``, and
      ``multi_label``, bool, whether a clip may have any number of them.

    The others return ``probabilities`` (a softmax, or sigmoids for a multi-label network) and
    ``logits``, float32 ``(batch, classes)``, and ``top_labels`` and ``top_scores`` of up to five
    classes.

    The graph refuses an input of another rank, with too few frames, other sizes than the network's,
    fewer channels, too small for its pools, or without a clip, and answers that are not finite.
    ``assets.extra/manifest.json`` describes what was exported and how it was compared; next to it
    lies a warm-up request for TensorFlow Serving.

    Args:
        network: keras.Model, a derived network, or a template, whose current strategy is exported.
        path: The folder to write, such as ``served/1``.
        labels: A name for each class. Defaults to their numbers.
        sampling: ClipSampling, how clips are made of videos. Defaults to None: a video is a clip.
        fold: bool, whether the network is folded. Defaults to True.
        clips: array, uint8 ``(n, time, height, width, channels)``, the clips for the comparison.
            Defaults to None, which generates two.
        about: dict, further fields of the manifest, such as ``{"recipe": ...}``; ``"clips"`` is the
            origin of the clips. Defaults to none.
        overwrite: bool, whether to replace an existing SavedModel, which stays until the new one is
            complete. Defaults to False.

    Returns:
        The folder.

    Raises:
        ValueError: If labels and classes differ in number, or a name is repeated; if clips do not
            fit the network; or if logits differ by more than 1e-5 of the largest. Nothing is
            written then.
        FileExistsError: If the folder exists and ``overwrite`` is not set, or it holds anything but
            a SavedModel.

    Example:
        ```python
        export_saved_model(network, "exported/1", labels=["right", "left", "down", "up"])
        ```
    """
    target = Path(path)
    check_free(target, "saved_model.pb", "SavedModel", overwrite)
    given = Exported.of(network, labels, sampling, clips, dict(about or {}))
    folding = Folding.of(network) if fold else None
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as folder:
        given.save(folder, network, folding)
    return target


@dataclass(frozen=True, eq=False)
class Exported:
    """A network that is being exported, in any format.

    Attributes:
        labels: The names of the classes.
        multi_label: Whether a clip may have any number of them.
        sizes: The frames, height, width and channels of its clips; None for an open size.
        least: The frames, height and width of the smallest clip.
        sampling: How clips are made of videos, or None.
        reference: Clips, and the answers of the Keras network for them.
        network: The result of ``network_fields``.
        about: Further fields of the manifest.
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
        """Checks the arguments, and runs the network on the clips."""
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

    def attempt(self, network: keras.Model, form: Folding | None) -> Tried:
        """Builds the signatures of the network in a form, or as it is, and compares its logits."""
        model = network if form is None else form.model(self.sizes[:3])
        served = Served(
            lambda clips: model(tf.identity(clips), training=False),
            self.sizes,
            self.least,
            self.labels,
            self.multi_label,
            self.sampling,
        )
        signatures = served.signatures()
        answer, reference = signatures["clips"], self.reference
        logits = np.stack(
            [answer(tf.constant(clip[None]))["logits"][0] for clip in reference.clips]
        )
        difference, same = reference.difference(logits), reference.same_answers(logits)
        return Tried(difference, same, (model, signatures))

    def save(self, folder: Path, network: keras.Model, folding: Folding | None) -> Tried:
        """Writes the SavedModel and the files next to it, after comparing it with the network.

        Args:
            folder: The folder to write to.
            network: The network.
            folding: What it was folded to; None to export it as it is.
        """
        forms = forms_of(folding, self.sizes[:3], STEPS)
        what = f"{network.name!r} as a SavedModel"
        tried = first_close(forms, lambda form: self.attempt(network, form), what)
        model, signatures = tried.made
        # keras.export.ExportArchive would trace the network three times and walk all its objects.
        module = tf.Module()
        module.weights = [variable.value for variable in model.variables]
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, str(folder), signatures, options)
        if self.sampling is not None:
            write_sampling(folder, self.sampling)
        clips = self.reference.clips
        write_warmup(folder, clips[:1])
        folded = tried.folded(clips.shape[1:])
        write_manifest(folder, self.contents("saved_model", folded, tried.difference))
        return tried

    def contents(
        self, format: str, folded: Mapping[str, Any] | None, difference: Difference
    ) -> Contents:
        """Returns the contents of the manifest of a format."""
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


def check_free(target: Path, mark: str, what: str, overwrite: bool) -> None:
    """Raises an error if writing would destroy other files, or an export that must be kept."""
    if not target.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{target} is there already. Pass overwrite=True, or another folder.")
    if not (target / mark).is_file():
        raise FileExistsError(
            f"{target} exists and holds no {what}, so it is not overwritten. Pass another folder, "
            "or remove it."
        )


def _sizes(network: keras.Model, sampling: ClipSampling | None) -> Sizes:
    """Returns the frames, height, width and channels of the clips, as far as they are known."""
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
    """Replaces each open size by a number."""
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
    """Returns a name for each class; see ``export_saved_model``."""
    names = [str(k) for k in range(classes)] if labels is None else [str(name) for name in labels]
    if len(names) != classes:
        raise ValueError(f"The network has {classes} classes. Received: {len(names)} labels.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Every class needs a different name. Repeated: {twice}")
    return names

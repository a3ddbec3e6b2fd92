"""export_formats: exports a network in several formats, each of which is run and compared."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.files import replacing
from vdroppath_tf.names import named
from vdroppath_tf.serving.beside import write_sampling
from vdroppath_tf.serving.checking import Difference, Reference
from vdroppath_tf.serving.export import Exported, check_free
from vdroppath_tf.serving.folding.fold import Folding
from vdroppath_tf.serving.formats.kinds import OPENVINO_INT8, SAVED_MODEL, Format, Run, format_of
from vdroppath_tf.serving.formats.plain import plain_function
from vdroppath_tf.serving.forms import Tried, first_close, forms_of
from vdroppath_tf.serving.manifest import write_manifest

CALIBRATION = 24
"""The largest number of clips that set the ranges of 8 bits."""


@named
@dataclasses.dataclass(frozen=True)
class Written:
    """A format of a network that was written, run and compared.

    Attributes:
        format: str, the name of the format.
        path: Path, the folder.
        difference: Difference between its logits and those of the Keras network.
        same_answers: float, the share of the clips for which both give the same class.

    Example:
        ```python
        for written in export_formats(network, "exported/1", ["saved_model"], clips=clips):
            print(written.format, written.difference.largest)
        ```
    """

    format: str
    path: Path
    difference: Difference
    same_answers: float


@named
def export_formats(
    network: keras.Model,
    path: str | os.PathLike[str],
    formats: Sequence[str] = ("saved_model",),
    *,
    labels: Sequence[str] | None = None,
    sampling: ClipSampling | None = None,
    clips: np.ndarray | None = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> list[Written]:
    """Writes a folded network in formats of several runtimes.

    Each format is converted, loaded from its file, run on ``clips``, and compared with the Keras
    network; if one of them fails, or differs by more than allowed, nothing is written. All formats
    but ``"saved_model"`` are for clips of the sizes of ``clips``; ``load_artefact`` loads them all.

    Example:
        ```python
        export_formats(network, "exported/1", ["saved_model"], clips=clips)  # and "onnx", ...
        ```

    Args:
        network: keras.Model, a derived network or a template.
        path: path, the folder to write, such as ``served/1``. A SavedModel lies in it, every other
            format in a sub-folder with the name of the format.
        formats: tuple of str, of ``"saved_model"``, ``"onnx"``, ``"litert"``, ``"openvino"`` and
            ``"openvino-int8"``. Defaults to the first.
        labels: tuple of str, a name for each class. Defaults to their numbers.
        sampling: ClipSampling, how clips are made of videos. Defaults to None: a video is a clip.
        clips: array, uint8 ``(n, time, height, width, channels)``. Required for 8 bits: every
            second clip, at most 24, sets their ranges, and the others measure the agreement.
            Defaults to None, which generates two.
        about: dict, further fields of the manifests. Defaults to none.
        overwrite: bool, whether to replace an existing export. Defaults to False.

    Returns:
        What was written.

    Raises:
        ValueError: If a format is unknown or a package that it needs is not installed, if 8 bits
            are requested without clips, or if logits differ by more than allowed.
        FileExistsError: See ``export_saved_model``.
    """
    kinds = [format_of(name) for name in dict.fromkeys(formats)]
    _check(kinds, clips)
    target = Path(path)
    _check_free(target, overwrite)
    given = Exported.of(network, labels, sampling, clips, dict(about or {}))
    _check_sizes(kinds, given, clips)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as folder:
        folding = Folding.of(network)
        # The SavedModel comes first, since it creates the folder.
        order = sorted(kinds, key=lambda kind: kind is not SAVED_MODEL)
        written = [_written(kind, network, given, folding, folder) for kind in order]
    return [dataclasses.replace(one, path=target / one.path.relative_to(folder)) for one in written]


def _check(kinds: Sequence[Format], clips: np.ndarray | None) -> None:
    """Checks the formats before any work."""
    if not kinds:
        raise ValueError("formats is empty. Expected at least one, such as saved_model.")
    for kind in kinds:
        for package in PACKAGES.get(kind.name, ()):
            kind.needed(package)
    if OPENVINO_INT8 in kinds and (clips is None or len(clips) < 2):
        raise ValueError(
            "openvino-int8 needs your clips: half of them set the ranges of 8 bits, and the others "
            "measure the agreement of the answers. Pass clips= (--data), at least two."
        )


def _check_sizes(kinds: Sequence[Format], given: Exported, clips: np.ndarray | None) -> None:
    """Raises an error if a format has a fixed size that only generated clips would determine."""
    fixed = [kind.name for kind in kinds if kind is not SAVED_MODEL]
    if fixed and clips is None and None in given.sizes:
        raise ValueError(
            f"{fixed[0]} is for clips of one size, and neither the network nor its sampling sets "
            f"it: {given.sizes} (frames, height, width, channels). Pass clips= (--data)."
        )


PACKAGES = {
    "onnx": ("tf2onnx", "onnxruntime"),
    "litert": ("ai_edge_litert.interpreter",),
    "openvino": ("openvino",),
    "openvino-int8": ("openvino", "nncf"),
}


def _check_free(target: Path, overwrite: bool) -> None:
    marks = (SAVED_MODEL.file, *(f"{name}/{format_of(name).file}" for name in PACKAGES))
    mark = next((one for one in marks if (target / one).is_file()), SAVED_MODEL.file)
    check_free(target, mark, "exported network", overwrite)


def _written(
    kind: Format, network: keras.Model, given: Exported, folding: Folding, folder: Path
) -> Written:
    """Writes one format to a folder: converts it, loads it, runs it and compares it."""
    if kind is SAVED_MODEL:
        saved = given.save(folder, network, folding)
        return Written(kind.name, folder, saved.difference, saved.same_answers)
    place = folder / kind.name
    place.mkdir(parents=True)
    shape = tuple(given.reference.clips.shape[1:])
    code: Any = importlib.import_module(f"vdroppath_tf.serving.formats.{kind.module}")

    def attempt(form: Any) -> Tried:
        model = form.model(shape[:3], kind.forms_of(folding.depthwise))
        answer = plain_function(model, (kind.batch, *shape), multi_label=given.multi_label)
        code.write(kind, answer, place, given.reference.clips[::2][:CALIBRATION])
        return _compared(kind, code.load(kind, place), given.reference)

    what = f"{network.name!r} as {kind.name}"
    forms, exact = forms_of(folding, shape[:3], kind.steps), kind is not OPENVINO_INT8
    tried = first_close(forms, attempt, what, exact=exact)
    same = tried.same_answers
    if given.sampling is not None:
        write_sampling(place, given.sampling)
    fixed = dataclasses.replace(given, sizes=shape, about={**given.about, "same_answers": same})
    write_manifest(place, fixed.contents(kind.name, tried.folded(shape), tried.difference))
    return Written(kind.name, place, tried.difference, same)


def _compared(kind: Format, run: Run, reference: Reference) -> Tried:
    """Compares logits and classes; for 8 bits, on clips that did not set their ranges."""
    tried = reference.part(1, 2) if kind is OPENVINO_INT8 else reference
    logits = np.concatenate([run(clip[None])[0] for clip in tried.clips])
    return Tried(tried.difference(logits), tried.same_answers(logits))

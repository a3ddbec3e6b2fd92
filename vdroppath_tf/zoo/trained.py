"""Trained templates that come with the package: small ones, of the known-answer tasks.

`scripts/write_zoo_weights.py` writes the files from a run of the quickstart, and a test holds their
spaces and accuracies to what is recorded here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named, unknown_name

FOLDER = Path(__file__).with_name("weights")
RECORD = FOLDER / "weights.json"
# Besides its weights a template holds the masks of ``set_strategy`` and a counter of noise draws.
_STATE = ("mask", "noise_step")


@named
@dataclasses.dataclass(frozen=True)
class TrainedWeights:
    """The facts about a trained template that comes with the package.

    Attributes:
        name: str, such as ``"motion"``.
        network: str, the row it belongs to, such as ``"micro"``.
        task: str, the description of the task.
        labels: tuple of str, the names of the classes, in the order of the logits.
        sampling: ClipSampling, the sampling of clips from the videos.
        size: int, height and width of the clips in pixels.
        top1: float, the share of held-out clips that its mode answers correctly, 0 to 1, its batch
            norm recalibrated for it.
        clips: int, the number of held-out clips.
        mode: str, the most probable strategy of its space.
        training: str, a description of its training.
        command: str, the command that writes the weights and this record.
        pushes: dict, the record of what moved its gates, which the template restores.

    Example:
    ```python
    facts = trained_weights("motion")
    print(facts.task, facts.labels, facts.top1)
    ```
    """

    name: str
    network: str
    task: str
    labels: tuple[str, ...]
    sampling: ClipSampling
    size: int
    top1: float
    clips: int
    mode: str
    training: str
    command: str
    pushes: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def path(self) -> Path:
        """The file of the weights, safetensors."""
        return FOLDER / f"{self.name}.safetensors"


@named
def list_weights(network: str | None = None) -> list[str]:
    """Lists the names that ``weights=`` of a template's constructor takes.

    Args:
        network: str, only those of this row, such as ``"micro"``. Defaults to None: all.

    Example:
    ```python
    from vdroppath_tf import zoo

    print(zoo.list_weights())  # ['appearance', 'both', 'motion']
    ```
    """
    return sorted(k for k, each in records().items() if network in (None, each.network))


@named
def trained_weights(name: str) -> TrainedWeights:
    """Returns the facts about the trained weights of a name.

    Args:
        name: str, one of ``list_weights()``.

    Raises:
        ValueError: If there are none of this name; the nearest ones are offered.

    Example:
    ```python
    from vdroppath_tf import zoo

    print(zoo.trained_weights("motion").labels)  # ('right', 'left', 'down', 'up')
    ```
    """
    if name not in records():
        unknown = unknown_name("weights", name, list_weights())
        inflate = "Start from those of a 2D network with vdroppath_tf.inflate(model, weights)."
        raise ValueError(f"{unknown} {inflate}")
    return records()[name]


def saved_weights(model: keras.Model) -> dict[str, Any]:
    """The weights of a template that its file holds, by their paths: all but its state."""
    return {w.path: w for w in model.weights if w.path.rpartition("/")[2] not in _STATE}


def load_trained(model: FusionModel, name: str) -> None:
    """Gives a template the weights of a name.

    Raises:
        ValueError: If there are none of this name, or they are not those of such a network.
    """
    import safetensors.numpy

    arrays = safetensors.numpy.load_file(trained_weights(name).path)
    wanted = saved_weights(model)
    other = sorted(set(arrays) ^ set(wanted)) + [
        path
        for path, weight in wanted.items()
        if path in arrays and tuple(weight.shape) != arrays[path].shape
    ]
    if other:
        raise ValueError(
            f"The weights {name!r} are those of a template with the options as they are by default "
            f"and num_classes={len(trained_weights(name).labels)}. Leave the other options out, or "
            f"weights={name!r}. Not the same here: {other[0]} and {len(other) - 1} more."
        )
    for path, weight in wanted.items():
        weight.assign(arrays[path])
    model.restore_pushes(trained_weights(name).pushes)


@cache
def records() -> dict[str, TrainedWeights]:
    """All trained weights by name."""
    fields = json.loads(RECORD.read_text(encoding="utf-8"))
    return {name: _record(name, **values) for name, values in fields["weights"].items()}


def _record(name: str, *, labels: list[str], sampling: dict[str, Any], **rest: Any) -> Any:
    return TrainedWeights(
        name=name, labels=tuple(labels), sampling=ClipSampling(**sampling), **rest
    )

"""Rehearses a run: two steps of each phase, and estimates of its time and memory."""

from __future__ import annotations

import dataclasses
import itertools
import time
import warnings
from collections.abc import Sequence
from typing import Any

import keras

from vdroppath_tf.brief import brief
from vdroppath_tf.cost import complexity
from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.training.arrivals import Arrivals
from vdroppath_tf.training.clips import RecipeClips
from vdroppath_tf.training.fit import prepare
from vdroppath_tf.training.pace import memory_bytes
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.runs import Clips, check_run

_STEPS = 2  # the first step builds the graph, the second is timed


@named
@dataclasses.dataclass(frozen=True)
class PhaseRehearsal:
    """The timing of two steps of a phase, and an estimate for the whole phase.

    Attributes:
        name: The name of the phase.
        epochs: The number of its epochs.
        first_seconds: The time of the first step, which builds the graph.
        step_seconds: The time of a later step, or of reading its clips if that takes longer.
        seconds: The time of the whole phase, including validation.
    """

    name: str
    epochs: int
    first_seconds: float
    step_seconds: float
    seconds: float


@named
@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """Estimates of a run's time and memory from two of its steps.

    Attributes:
        network: The name of the network.
        parameters: The number of its parameters, without the gates.
        macs: The multiply-adds for one clip, with all paths; None if clips differ in size.
        clip_shape: Frames, height and width of a clip; None where the videos differ.
        batch_size: The number of clips in a step.
        steps_per_epoch: The number of steps in an epoch.
        load_seconds: The time to read the clips of a step while nothing else runs.
        validation_seconds: The time of a validation on all its videos; 0 if there are none.
        memory: The peak memory of the process, see ``pace.memory_bytes``.
        phases: The rehearsals of the phases, in order.

    Example:
    ```python
    found = rehearse(build_template(recipe, videos), recipe.template_phases(), recipe, videos)
    print(found.steps_per_epoch, found.load_seconds, found.seconds)
    ```
    """

    network: str
    parameters: int
    macs: int | None
    clip_shape: tuple[Any, Any, Any]
    batch_size: int
    steps_per_epoch: int
    load_seconds: float
    validation_seconds: float
    memory: dict[str, int]
    phases: tuple[PhaseRehearsal, ...]

    __repr__ = brief

    @property
    def seconds(self) -> float:
        """All phases."""
        return sum(phase.seconds for phase in self.phases)


@named
def rehearse(
    model: FusionModel, phases: Sequence[Phase], recipe: Recipe, clips: Clips
) -> Rehearsal:
    """Runs two steps of each phase and one validation batch, and writes nothing.

    It makes all the checks of ``train``. Afterwards the weights of the model are those after two
    steps: build the model again for a run.

    Args:
        model: A network as for ``train``.
        phases: The phases of the run.
        recipe: Batch size, clips, gates and seed.
        clips: The videos.

    Returns:
        The estimates for the run.

    Raises:
        ValueError: See ``train``.
        VideoError: See ``train``.

    Example:
    ```python
    found = rehearse(build_template(recipe, videos), recipe.template_phases(), recipe, videos)
    print(found.seconds, found.memory)
    ```
    """
    maker = RecipeClips(recipe, clips.cache, FaultLog(clips.max_bad_fraction))
    check_run(model, recipe, clips, maker.faults)
    steps = len(clips.train) // recipe.batch_size
    frames, height, width = maker.clip_shape(clips.train)
    known = None not in (frames, height, width)
    cost = complexity(model, (frames, height, width) if known else (16, 112, 112))
    load = _load_seconds(model, maker, clips)
    timed = [(phase, *_two_steps(model, phase, maker, clips, steps)) for phase in phases]
    validation = _validation_seconds(model, maker, clips)
    rehearsed = tuple(
        PhaseRehearsal(
            phase.name,
            phase.epochs,
            first,
            max(step, load),
            first + phase.epochs * (steps * max(step, load) + validation),
        )
        for phase, first, step in timed
    )
    return Rehearsal(
        model.name,
        cost.parameters,
        cost.macs if known else None,
        (frames, height, width),
        recipe.batch_size,
        steps,
        load,
        validation,
        memory_bytes(),
        rehearsed,
    )


class _Ends(keras.callbacks.Callback):
    """Records when steps began and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.times = [time.perf_counter()]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        float((logs or {}).get("loss", 0.0))  # waits for the device
        self.times.append(time.perf_counter())


def _two_steps(
    model: FusionModel, phase: Phase, maker: RecipeClips, clips: Clips, steps: int
) -> tuple[float, float]:
    """Returns the seconds of the first and the second step of a phase."""
    prepare(model, phase, maker.recipe, steps)
    stream = maker.training(clips.train, classes=model.output_shape[-1])
    ends = _Ends()
    with video_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore", SpaceWarning)  # meaningless after two steps
        model.fit(
            Arrivals().behind(stream),
            steps_per_epoch=_STEPS,
            callbacks=[ends],
            verbose=0,
            shuffle=False,
            num_train_examples=len(clips.train),
        )
    began, first, second = ends.times
    return first - began, second - first


def _load_seconds(model: FusionModel, maker: RecipeClips, clips: Clips) -> float:
    """Returns the seconds to read the clips of a step while nothing else runs."""
    stream = maker.training(clips.train, classes=model.output_shape[-1])
    start = time.perf_counter()
    with video_errors():
        for _ in itertools.islice(stream, _STEPS):
            pass
    return (time.perf_counter() - start) / _STEPS


def _validation_seconds(model: FusionModel, maker: RecipeClips, clips: Clips) -> float:
    """Returns the seconds of a validation: those of its second batch, times the batches."""
    if clips.validation is None:
        return 0.0
    batches = maker.validation(clips.validation, classes=model.output_shape[-1])
    seconds = 0.0
    for _ in range(_STEPS):
        start = time.perf_counter()
        with video_errors():
            model.evaluate(batches.take(1), verbose=0)
        seconds = time.perf_counter() - start
    return seconds * -(-len(clips.validation) // maker.recipe.batch_size)

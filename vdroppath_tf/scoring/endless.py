"""EndlessClassifier: classifies a stream as one endless clip, computing each frame once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named
from vdroppath_tf.ranges import check_range, whole
from vdroppath_tf.scoring.stream_frames import StreamAnswer, StreamFrames, chances
from vdroppath_tf.scoring.stream_plan import plan_of

_State = Mapping[str, Any]


@named
class EndlessClassifier:
    """Runs a network over a stream as if it were one endless clip.

    No frame is padded at the end of a window, so the output of a layer for a frame never changes.
    Each answer computes ``hop`` new frames in each layer, and two more in a layer with ST. The
    answers are **not** those of the network on windows, on which it was trained: evaluate this mode
    separately. An answer uses the mean of the features over the last ``window`` frames for which
    they are known. A layer with ST needs the next frame before it can compute a frame, so answers
    lag by ``delay`` frames, and the first ``delay`` frames are left out.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S ST S ST S ST")
    stream = vdroppath_tf.scoring.EndlessClassifier(network, (32, 32), window=16, hop=4)
    answers = stream.push(np.zeros((24, 32, 32, 3), "uint8"))
    ```

    Args:
        network: ``keras.Model``, a derived network without strides in time.
        size: tuple of int, height and width of a frame, as the network takes it.
        window: int, the number of frames that an answer averages over. Defaults to 16.
        hop: int, the number of frames from one answer to the next. Defaults to 4.

    Raises:
        ValueError: If a number is out of range, or the network has gates, or strides in time.
    """

    def __init__(
        self, network: keras.Model, size: tuple[int, int], *, window: int = 16, hop: int = 4
    ) -> None:
        check_range("window", window, whole(1, 100_000))
        check_range("hop", hop, whole(1, 100_000))
        self.network, self.window, self.hop = network, window, hop
        self.frame = (*size, network.input_shape[-1])
        self.plan = plan_of(network)
        self.delays = {self.plan.clip: 0}
        for step in self.plan.steps:
            behind = max(self.delays[t] for t in step.takes) + step.reach
            self.delays |= dict.fromkeys(step.gives, behind)
        self.several = bool(getattr(network, "multi_label", False))
        self._step = tf.function(self._stepped, autograph=False)
        self.reset()

    @property
    def delay(self) -> int:
        """The number of frames by which the known features lag behind the latest frame."""
        return self.delays[self.plan.pooled]

    def reset(self) -> None:
        """Starts a new stream."""
        self._frames = StreamFrames(self.frame)
        self._state: dict[str, Any] | None = None
        self._seen = 0

    def push(self, frames: np.ndarray) -> list[StreamAnswer]:
        """Adds frames, and returns an answer for every ``hop`` frames once a full window is known.

        Args:
            frames: ``(n, height, width, channels)``, uint8, any number of them.

        Raises:
            ValueError: If they have another shape or dtype.
        """
        self._frames.add(frames)
        answers = []
        while (new := self._frames.take(self.hop)) is not None:
            state = self._empty() if self._state is None else self._state
            logits, self._state = self._step(new[None], state)
            self._seen += self.hop
            known = self._seen - self.delay
            if known >= self.window + self.delay:  # the first frames depend on the stream's start
                found = chances(logits, several=self.several)
                answers.append(StreamAnswer(known - self.window, known - 1, found))
        return answers

    def _stepped(self, new: Any, state: _State) -> tuple[Any, dict[str, Any]]:
        """Returns the logits after ``hop`` new frames, and the frames that the layers wait for."""
        clip = tf.cast(new, self.network.inputs[0].dtype)
        values = {self.plan.clip: clip}
        after: dict[str, Any] = {}
        for n, step in enumerate(self.plan.steps):
            inputs = []
            for k, tensor in enumerate(step.takes):
                frames = tf.concat([state[f"{n}/{k}"], values[tensor]], 1)
                after[f"{n}/{k}"] = frames[:, self.hop :]
                inputs.append(frames[:, : self.hop + 2 * step.reach])
            for tensor, found in zip(step.gives, step.run(inputs), strict=True):
                values[tensor] = found[:, step.reach : step.reach + self.hop]
        features = tf.concat([state["features"], values[self.plan.pooled]], 1)[:, self.hop :]
        after["features"] = features
        return self.plan.logits(features), after

    def _empty(self) -> dict[str, Any]:
        """Returns placeholders for the frames before the first; no answer depends on them."""
        specs = self._specs()
        found = {}
        for n, step in enumerate(self.plan.steps):
            behind = max(self.delays[t] for t in step.takes)
            for k, tensor in enumerate(step.takes):
                waits = behind - self.delays[tensor] + 2 * step.reach
                shape, dtype = specs[tensor]
                found[f"{n}/{k}"] = tf.zeros((1, waits, *shape), dtype)
        shape, dtype = specs[self.plan.pooled]
        found["features"] = tf.zeros((1, self.window, *shape), dtype)
        return found

    def _specs(self) -> dict[int, Any]:
        """Returns the shape of a frame and the dtype of each tensor."""
        clip = self.network.inputs[0].dtype
        specs: dict[int, Any] = {self.plan.clip: (self.frame, clip)}
        for step in self.plan.steps:
            found = step.run([tf.zeros((1, 3, *specs[t][0]), specs[t][1]) for t in step.takes])
            own = [(tuple(y.shape[2:]), y.dtype) for y in found]
            specs |= dict(zip(step.gives, own, strict=True))
        return specs

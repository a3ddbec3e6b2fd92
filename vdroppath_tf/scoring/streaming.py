"""StreamingClassifier: classifies sliding windows over a stream, reusing earlier results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.cost import complexity
from vdroppath_tf.names import named
from vdroppath_tf.ranges import check_range, whole
from vdroppath_tf.scoring.stream_frames import StreamAnswer, StreamFrames, chances
from vdroppath_tf.scoring.stream_plan import plan_of
from vdroppath_tf.scoring.stream_window import StreamWindow


@named
@dataclass(frozen=True)
class HopCost:
    """The multiply-adds of one answer over a stream.

    Attributes:
        window: int, the multiply-adds of a whole window, the cost if nothing were reused.
        hop: int, the multiply-adds that an answer computes.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S S S ST ST")
    cost = StreamingClassifier(network, (32, 32), window=16, hop=4).cost
    print(cost.window, cost.hop, cost.share)
    ```
    """

    window: int
    hop: int

    @property
    def share(self) -> float:
        """The cost of an answer as a share of a whole window."""
        return self.hop / self.window


@named
class StreamingClassifier:
    """Classifies a sliding window over a stream every few frames.

    The answers equal those of the network on each window, up to rounding. A layer reuses its
    outputs for frames that it has processed already, except near the ends of a window, where zero
    padding changes them. A layer with S reuses all of them; each layer with ST before it costs one
    more frame on both sides. So a strategy whose ST layers come late is cheap on a stream; if early
    layers see time, little can be reused. ``cost`` gives the cost of an answer.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S S S ST ST")
    stream = vdroppath_tf.scoring.StreamingClassifier(network, (32, 32), window=16, hop=4)
    for answer in stream.push(np.zeros((24, 32, 32, 3), "uint8")):
        print(answer.first, answer.last, answer.probabilities.argmax())
    print(stream.cost.share)
    stream.reset()  # before another video
    ```

    Args:
        network: ``keras.Model``, a derived network without strides in time.
        size: tuple of int, height and width of a frame, as the network takes it.
        window: int, the number of frames of a window. Defaults to 16.
        hop: int, the number of frames from one window to the next, at most ``window``. Defaults to
            4.

    Raises:
        ValueError: If a number is out of range, or the network has gates, or strides in time.
    """

    def __init__(
        self, network: keras.Model, size: tuple[int, int], *, window: int = 16, hop: int = 4
    ) -> None:
        check_range("window", window, whole(1, 100_000))
        check_range("hop", hop, whole(1, window))
        self.network, self.window, self.hop = network, window, hop
        self.frame = (*size, network.input_shape[-1])
        self.plan = plan_of(network)
        self.needed = self.plan.needed_whole(window, hop)
        self.several = bool(getattr(network, "multi_label", False))
        self._first = tf.function(lambda clip: self._moved(clip, None), autograph=False)
        self._next = tf.function(self._moved, autograph=False)
        self.reset()

    def reset(self) -> None:
        """Starts a new stream."""
        self._frames = StreamFrames(self.frame)
        self._held: Any = None
        self._seen = 0  # the number of frames in windows so far

    def push(self, frames: np.ndarray) -> list[StreamAnswer]:
        """Adds frames, and returns an answer for every window that they complete.

        Args:
            frames: ``(n, height, width, channels)``, uint8, any number of them.

        Raises:
            ValueError: If they have another shape or dtype.
        """
        self._frames.add(frames)
        answers = []
        while (new := self._frames.take(self._wanted)) is not None:
            answers.append(self._answer(new))
        return answers

    @property
    def _wanted(self) -> int:
        """Returns how many frames of the next window are missing."""
        return self.window if self._held is None else self.hop

    @property
    def cost(self) -> HopCost:
        """The multiply-adds of an answer, and of a whole window."""
        height, width, _ = self.frame
        frames = {
            layer.name: step.frames_computed(self.window, self.hop)
            for step in self.plan.steps
            for layer in step.layers
        }
        rows = complexity(self.network, (self.window, height, width)).layers
        # a layer of the plan costs the same for every frame; after the mean nothing is reused
        hop = sum(row.macs * frames.get(row.name, self.window) // self.window for row in rows)
        return HopCost(sum(row.macs for row in rows), hop)

    def _answer(self, new: np.ndarray) -> StreamAnswer:
        clip = tf.convert_to_tensor(new[None])
        if self._held is None:
            logits, self._held = self._first(clip)
        else:
            logits, self._held = self._next(clip, self._held)
        self._seen += len(new)
        found = chances(logits, several=self.several)
        return StreamAnswer(self._seen - self.window, self._seen - 1, found)

    def _moved(self, new: Any, held: Mapping[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        """Returns the logits of the window that ends with the new frames, and what it keeps."""
        new = tf.cast(new, self.network.inputs[0].dtype)  # as keras.Model casts clips
        run = StreamWindow(self.plan, self.needed, self.window, self.hop, new, held)
        return run.logits(), run.kept()

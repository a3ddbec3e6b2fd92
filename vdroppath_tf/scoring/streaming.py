"""StreamingClassifier: answers over a stream of frames, of which it keeps what it can."""

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
    """The multiply-adds of an answer over a stream.

    Attributes:
        window: int, of a whole window, as every answer would cost without what is kept.
        hop: int, of what an answer really computes.
    """

    window: int
    hop: int

    @property
    def share(self) -> float:
        """What an answer costs, as a share of a whole window."""
        return self.hop / self.window


@named
class StreamingClassifier:
    """A network that answers every few frames over a sliding window.

    The answers are those of the network on each window, to rounding: a layer keeps what it gave for
    frames that it has seen already, except near the ends of a window, where its padding (zeros)
    makes another result of them. A layer of S keeps all; each layer of ST before it costs a frame
    more on both sides. So a strategy whose ST layers come late is cheap on a stream; where every
    layer sees time early, little can be kept, which ``cost`` says.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S S S ST ST")
    stream = vdroppath_tf.scoring.StreamingClassifier(network, (32, 32), window=16, hop=4)
    for answer in stream.push(np.zeros((24, 32, 32, 3), "uint8")):
        print(answer.first, answer.last, answer.probabilities.argmax())
    print(stream.cost.share)
    ```

    Args:
        network: ``keras.Model``, a derived network without strides in time.
        size: tuple of int, height and width of a frame, as the network takes it.
        window: int, the frames of a window. Defaults to 16.
        hop: int, the frames from one window to the next, at most a window. Defaults to 4.

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
        """Begins another stream."""
        self._frames = StreamFrames(self.frame)
        self._held: Any = None
        self._seen = 0  # frames in windows so far

    def push(self, frames: np.ndarray) -> list[StreamAnswer]:
        """Takes further frames, and answers for every window that they complete.

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
        """Frames of the next window that are not there yet."""
        return self.window if self._held is None else self.hop

    @property
    def cost(self) -> HopCost:
        """The multiply-adds of an answer, and those of a whole window."""
        height, width, _ = self.frame
        frames = {
            layer.name: step.frames_computed(self.window, self.hop)
            for step in self.plan.steps
            for layer in step.layers
        }
        rows = complexity(self.network, (self.window, height, width)).layers
        # the layers of the plan give each frame alike; behind it, of the mean, nothing is kept
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
        """Logits of the window that ends with new frames, and what is kept of it."""
        new = tf.cast(new, self.network.inputs[0].dtype)  # as keras.Model takes clips
        run = StreamWindow(self.plan, self.needed, self.window, self.hop, new, held)
        return run.logits(), run.kept()

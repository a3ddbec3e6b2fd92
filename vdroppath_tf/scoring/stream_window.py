"""Computes one window over a stream from the results kept of the window before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from vdroppath_tf.scoring.stream_plan import StreamPlan, StreamStep


class StreamWindow:
    """One window of a stream, which holds some tensors whole and of others only both ends.

    Args:
        plan: The plan of the network.
        needed: The tensors that are needed whole; see ``StreamPlan.needed_whole``.
        window: The number of frames of a window.
        hop: The number of new frames in each window but the first.
        new: The new frames, or all of the first window.
        held: The tensors that the window before kept; None for the first window.
    """

    def __init__(
        self,
        plan: StreamPlan,
        needed: set[int],
        window: int,
        hop: int,
        new: Any,
        held: Mapping[str, Any] | None,
    ) -> None:
        self.plan, self.needed, self.window, self.hop, self.held = plan, needed, window, hop, held
        self.names = {
            t: f"{n}/{k}" for n, s in enumerate(plan.steps) for k, t in enumerate(s.gives)
        }
        self.names[plan.clip] = "clip"
        whole_clip = new if held is None else tf.concat([held["clip"][:, hop:], new], 1)
        self.whole: dict[int, Any] = {plan.clip: whole_clip}
        self.ends: dict[int, tuple[Any, Any]] = {}
        for step in plan.steps:
            self._run(step)

    def logits(self) -> Any:
        """Returns the logits for the mean over the window."""
        return self.plan.logits(self.whole[self.plan.pooled])

    def kept(self) -> dict[str, Any]:
        """Returns the whole tensors that the next window reuses."""
        return {self.names[t]: self.whole[t] for t in sorted(self.needed | {self.plan.clip})}

    def _run(self, step: StreamStep) -> None:
        everything = step.frames_computed(self.window, self.hop) == self.window
        if self.held is None or everything:
            found = step.run([self.whole[t] for t in step.takes])
            self.whole |= dict(zip(step.gives, found, strict=True))
            return
        for tensor, (left, right) in zip(step.gives, self._both_ends(step), strict=True):
            self.ends[tensor] = left, right
            if tensor in self.needed:
                last = self.window - step.edge
                middle = self.held[self.names[tensor]][:, step.edge + self.hop : last]
                self.whole[tensor] = tf.concat([left, middle, right], 1)

    def _both_ends(self, step: StreamStep) -> list[tuple[Any, Any]]:
        """Returns the frames at both ends that a hop computes, for each output of a step."""
        edge, reach, back = step.edge, step.reach, step.edge + self.hop
        lefts = [self._frames(t, 0, edge + reach, step.edge) for t in step.takes]
        start = self.window - back - reach
        rights = [self._frames(t, start, self.window, step.edge) for t in step.takes]
        if not reach:  # a frame-by-frame layer: one call for both ends
            both = step.run([tf.concat(pair, 1) for pair in zip(lefts, rights, strict=True)])
            return [(y[:, :edge], y[:, edge:]) for y in both]
        left, right = step.run(lefts), step.run(rights)
        return [(a[:, :edge], b[:, -back:]) for a, b in zip(left, right, strict=True)]

    def _frames(self, tensor: int, start: int, end: int, edge: int) -> Any:
        """Returns some frames of a tensor; of one that is not whole, only computed ones exist."""
        if tensor in self.whole:
            return self.whole[tensor][:, start:end]
        left, right = self.ends[tensor]
        return left if start == 0 else right

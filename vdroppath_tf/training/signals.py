"""Handles SIGTERM and SIGINT during training: the run is saved, then it stops."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from absl import logging

from vdroppath_tf.names import named

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a run that SIGTERM stopped; after SIGINT it is 130."""
_DEFAULTS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}


@named
class StopSignals:
    """Turns the two signals into a request that training follows at its next step.

    If everything is saved, or at a second signal, the run stops at once. Handlers that other code
    has installed are kept, and outside of the main thread no handlers are installed.

    Example:
    ```python
    with StopSignals() as signals:
        while not signals.pending:
            ...  # a step
    ```
    """

    def __init__(self) -> None:
        self.pending: int | None = None
        self.unsaved = False  # whether steps were done after the last checkpoint
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number, default in _DEFAULTS.items():
                if signal.getsignal(number) is default:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.pending is not None or not self.unsaved:
            self.stop(number)
        self.pending = number
        name = signal.Signals(number).name
        logging.info("%s: the run saves its state, then stops.", name)

    def stop(self, number: int) -> None:
        """Ends the run by raising `KeyboardInterrupt`, or `SystemExit` with `TERMINATED`."""
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(TERMINATED)

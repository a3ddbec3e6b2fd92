"""How often a run is saved within an epoch."""

from __future__ import annotations

import re

from vdroppath_tf.names import named

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@named
class Interval:
    """The interval at which a run is saved within an epoch: a number of steps, or a time.

    Args:
        every: ``500`` (steps), ``"10min"``, ``"90s"``, ``"2h"``, or None for never.

    Raises:
        ValueError: If it has another form.

    Example:
    ```python
    Interval("10min")
    ```
    """

    def __init__(self, every: int | str | None) -> None:
        self.steps = self.seconds = float("inf")
        if every is None:
            return
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*(|s|min|h)", str(every))
        value = float(found[1]) if found else 0.0
        if found is None or value <= 0 or (not found[2] and not value.is_integer()):
            raise ValueError(
                "save_every must be a number of steps, such as 500, or a time, such as 10min, 90s "
                f"or 2h. Received: {every!r}."
            )
        if found[2]:
            self.seconds = value * _UNITS[found[2]]
        else:
            self.steps = value

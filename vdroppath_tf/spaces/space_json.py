"""The JSON of a probability space: format `vdroppath_tf.space/2`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from vdroppath_tf.files import check_architecture, read_json

_FORMAT = "vdroppath_tf.space/2"
_OLDER = "Write the space again from its template: vdroppath space --model=... --out=space.json."
FIELDS = (
    *("architecture", "branches", "layers", "drop", "initial"),
    *("has_residual", "layer_drop", "initial_layer_drop"),
)


def written(fields: Mapping[str, Any]) -> str:
    """The fields of a space as JSON text; numbers come back exactly."""
    return json.dumps({"format": _FORMAT} | {name: _plain(fields[name]) for name in FIELDS})


def _plain(value: Any) -> Any:
    """Arrays as lists, those of a tuple too."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def read(text: str) -> dict[str, Any]:
    """The fields out of text that `written` gave.

    Raises:
        ValueError: If it is not JSON, of another format or version, or has a bad field.
    """
    fields = read_json(text, _FORMAT, FIELDS, older=_OLDER)
    check_architecture(fields["architecture"])
    for name in ("layers", "branches"):
        if not isinstance(fields[name], list):
            raise ValueError(f"Expected {name!r} to be a list. Received: {fields[name]!r}")
    return fields

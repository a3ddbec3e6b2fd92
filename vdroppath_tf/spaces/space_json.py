"""The JSON of a probability space: `vdroppath_tf.space/3` with its pushes, `/2` without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from vdroppath_tf.files import check_architecture, parse_json, read_json
from vdroppath_tf.spaces.pushes import Pushes

_FORMAT, _WITHOUT_PUSHES = "vdroppath_tf.space/3", "vdroppath_tf.space/2"
_OLDER = "Write the space again from its template: vdroppath space --model=... --out=space.json."
FIELDS = (
    *("architecture", "branches", "layers", "drop", "initial"),
    *("has_residual", "layer_drop", "initial_layer_drop"),
)
PUSHES = "pushes"


def written(fields: Mapping[str, Any]) -> str:
    """The fields of a space as JSON text; numbers come back exactly."""
    plain = {name: _plain(fields[name]) for name in FIELDS}
    if fields[PUSHES] is None:  # so that older versions read what they know all of
        return json.dumps({"format": _WITHOUT_PUSHES, **plain})
    return json.dumps({"format": _FORMAT, **plain, PUSHES: fields[PUSHES].plain()})


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
    if _is_without_pushes(text):
        fields = read_json(text, _WITHOUT_PUSHES, FIELDS)
    else:
        fields = read_json(text, _FORMAT, (*FIELDS, PUSHES), older=_OLDER)
        fields[PUSHES] = Pushes.of_plain(fields[PUSHES])
    check_architecture(fields["architecture"])
    for name in ("layers", "branches"):
        if not isinstance(fields[name], list):
            raise ValueError(f"Expected {name!r} to be a list. Received: {fields[name]!r}")
    return fields


def _is_without_pushes(text: str) -> bool:
    try:
        found = parse_json(text)
    except ValueError:
        return False  # which is said where it is read
    return isinstance(found, dict) and found.get("format") == _WITHOUT_PUSHES

"""Checks the fields of a file of latencies."""

from __future__ import annotations

from typing import Any

TEXTS = ("machine", "versions")


def check_fields(fields: dict[str, Any]) -> None:
    """Raises a ValueError for the first invalid field of a latency table."""
    network, layers, units = (fields[name] for name in ("network", "layers", "units"))
    known = isinstance(network, dict) and isinstance(network.get("name"), str)
    branches = network.get("branches") if known else None
    named = isinstance(layers, list) and all(isinstance(name, str) for name in layers)
    _expect(known and isinstance(branches, list), fields, "network", "a description of a network")
    _expect(named and bool(layers), fields, "layers", "names of fusion layers")
    timed = isinstance(units, list) and len(units) == len(layers) and all(map(_times, units))
    _expect(timed, fields, "units", "for each layer whole microseconds by unit")
    _expect(_times(fields["checks"]), fields, "checks", "whole microseconds by strategy")
    _expect(_whole(fields["base"]), fields, "base", "whole microseconds")
    _expect(_whole(fields["repeats"]), fields, "repeats", "a whole number")
    shape = fields["clip_shape"]
    shaped = isinstance(shape, list) and len(shape) == 3 and all(map(_whole, shape))
    _expect(shaped, fields, "clip_shape", "three whole numbers")
    for name in TEXTS:
        _expect(isinstance(fields[name], dict), fields, name, "an object of texts")


def _expect(holds: bool, fields: dict[str, Any], name: str, what: str) -> None:
    if not holds:
        received = repr(fields[name])
        raise ValueError(f"Expected {name!r} as {what}. Received: {received[:200]}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _times(value: object) -> bool:
    return isinstance(value, dict) and all(map(_whole, value.values()))

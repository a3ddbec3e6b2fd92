"""Every number has a range: each declared range is stepped over, on both sides and out of sight."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import vdroppath_tf
from vdroppath_tf import cli, training
from vdroppath_tf.experiments import Setting
from vdroppath_tf.ranges import Range, whole

RECIPE = training.RECIPES["small"]
EXAMPLES: dict[str, Any] = {
    "Recipe": RECIPE,
    "Phase": RECIPE.warmup,
    "Setting": Setting(recipe=RECIPE),
}
"""Objects of the classes that cannot be made without arguments."""
WRONG: tuple[Any, ...] = (
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    "1",
    b"1",
    [1],
    {},
    1 + 1j,
    np.nan,
)


def declaring() -> list[type]:
    """The classes of the package that declare ranges."""
    found = {}
    for module in pkgutil.walk_packages(vdroppath_tf.__path__, "vdroppath_tf."):
        if module.name.endswith("__main__"):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if dataclasses.is_dataclass(kind) and hasattr(kind, "RANGES"):
                found[kind.__qualname__] = kind
    return [found[name] for name in sorted(found)]


def outside(allowed: Range) -> Iterator[Any]:
    """Values just beyond the ends, and what is no number at all."""
    step = 1 if allowed.whole else max(abs(allowed.high), 1.0) * 1e-9
    yield allowed.low if allowed.above else allowed.low - step
    yield allowed.high if allowed.below else allowed.high + step
    yield from WRONG
    if allowed.whole:
        yield allowed.low + 0.5
    if not allowed.optional:
        yield None


DECLARED = [(kind, name) for kind in declaring() for name in kind.RANGES]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "name"), DECLARED, ids=lambda x: getattr(x, "__name__", x))
def test_a_step_over_the_range(kind: Any, name: str) -> None:
    start = EXAMPLES[kind.__name__] if kind.__name__ in EXAMPLES else kind()
    for value in outside(kind.RANGES[name]):
        held = getattr(start, name)
        changed = (*held[:-1], value) if isinstance(held, tuple) and held else value
        with pytest.raises(ValueError, match=f"^{name} must be .*Received: "):
            dataclasses.replace(start, **{name: changed})


def test_the_ends_are_told_apart() -> None:
    assert 0 in whole(0, 3)
    assert 3 in whole(0, 3)
    assert np.int64(3) in whole(0, 3)
    assert 1.0 not in whole(0, 3)
    assert np.float32(0.5) in Range(0.0, 1.0)
    assert 0.0 not in Range(0.0, 1.0, above=True)
    assert 1.0 not in Range(0.0, 1.0, below=True)
    assert None in whole(0, 3, optional=True)
    assert str(whole(0, 1_000_000)) == "a whole number from 0 to 1,000,000"
    assert str(Range(0.0, 1.0, above=True, below=True)) == "a number above 0 below 1"


def test_many_classes_declare_ranges() -> None:
    assert len(DECLARED) >= 35


def numbers() -> Iterator[tuple[str, str]]:
    for command in cli.COMMANDS:
        values = cli.flags_of(command)
        yield from ((command, name) for name in values if values[name].flag_type() == "float")


@pytest.mark.parametrize(("command", "name"), list(numbers()))
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_flags_are_finite(
    command: str, name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, f"--{name}={value}"]) == 2
    assert f"--{name}" in capsys.readouterr().err


def test_a_run_has_an_epoch() -> None:
    none = {name: dataclasses.replace(RECIPE.warmup, epochs=0) for name in ("warmup", "search")}
    with pytest.raises(ValueError, match="have no epoch"):
        RECIPE.replace(**none)
    RECIPE.replace(warmup=none["warmup"])


def test_known_answer_tasks_are_rgb() -> None:
    with pytest.raises(ValueError, match="'rgb'"):
        Setting(recipe=RECIPE.replace(modality="flow"))

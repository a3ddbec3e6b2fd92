"""Changes fields of a recipe by their dotted names: ``search.epochs=30``."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from vdroppath_tf.names import named, nearest
from vdroppath_tf.training.recipe import Recipe


@named
def override(recipe: Recipe, changes: Iterable[str]) -> Recipe:
    """Returns a recipe with changed fields, applied in order.

    Args:
        recipe: The recipe.
        changes: Texts ``"name=value"``. A name is a field or, for a field of a phase, the sampling
            or the augmentation, a dotted name such as ``search.epochs``; a value is JSON (``30``,
            ``true``, ``null``, ``[2, 2, 2]``) or plain text.

    Returns:
        The new recipe.

    Raises:
        ValueError: If the field is unknown (the message offers the nearest), or the value does not
            fit.

    Example:
    ```python
    override(RECIPES["small"], ["search.epochs=30", "sampling.crop=112"])
    ```
    """
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ValueError(f"set={change}: expected name=value, such as search.epochs=30.")
        recipe = _changed(recipe, name.strip(), text.strip())
    return recipe


@named
def override_names(recipe: Recipe) -> list[str]:
    """Lists the names of all fields that ``override`` can change in a recipe."""
    return list(_names(recipe, ""))


def _names(record: Any, above: str) -> Iterator[str]:
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            yield from _names(value, f"{above}{field.name}.")
        else:
            yield f"{above}{field.name}"


def _changed(recipe: Recipe, name: str, text: str) -> Recipe:
    names = override_names(recipe)
    if name not in names:
        inside = [each for each in names if each.startswith(f"{name}.")]
        if inside:
            raise ValueError(f"set={name}: holds several fields. Expected one: {_list(inside)}.")
        last = [each for each in names if each.rpartition(".")[2] == name]
        near = f"Did you mean {_list(last)}? " if last else nearest(name, names)
        raise ValueError(
            f"set={name}: a recipe has no field {name!r}. {near}Expected one of {', '.join(names)}."
        )
    *way, last_part = name.split(".")
    records = [recipe, *(getattr(recipe, part) for part in way)]
    try:
        value = _read(text, getattr(records[-1], last_part))
        if way:
            inner = dataclasses.replace(records[-1], **{last_part: value})
            return recipe.replace(**{way[0]: inner})
        return recipe.replace(**{last_part: value})
    except (TypeError, ValueError) as error:
        said = re.sub(r"^\w+\(\): | The order is .*$", "", str(error))  # without the call's words
        raise ValueError(f"set={name}={text}: {said}") from None


def _list(names: list[str]) -> str:
    return " or ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} or {names[-1]}"


def _read(text: str, before: Any) -> Any:
    """Parses a text as JSON or comma-separated numbers or words; else returns the text itself."""
    value = _json(text)
    if isinstance(before, bool) and not isinstance(value, bool):
        raise ValueError(f"expected true or false. Received: {text!r}")
    if isinstance(value, list):
        return tuple(value)
    if isinstance(before, tuple):
        return () if value in (None, "") else (value,)
    if isinstance(before, float) and type(value) is int:
        return float(value)
    return value


def _json(text: str) -> Any:
    for read in (json.loads, float):  # float also accepts .5
        try:
            return read(text)
        except ValueError:
            pass
    return [_json(part.strip()) for part in text.split(",")] if "," in text else text

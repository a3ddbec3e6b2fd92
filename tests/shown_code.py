"""What the code of an example names: whether it exists, and whether calls fit its signature."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import reduce
from typing import Any

PACKAGE = "vdroppath_tf"


def find(dotted: str) -> Any:
    """The object of a dotted name; a module comes before a function of its name."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[cut:], module)
    raise ModuleNotFoundError(dotted)


def imported(tree: ast.Module) -> dict[str, Any]:
    """Name in an example -> the object of this package that it stands for."""
    names: dict[str, Any] = {PACKAGE: importlib.import_module(PACKAGE)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            module = importlib.import_module(str(node.module))
            names |= {
                alias.asname or alias.name: getattr(module, alias.name) for alias in node.names
            }
    return names


def named(node: ast.expr, names: dict[str, Any]) -> Any:
    """The object of `vdroppath_tf.zoo.template_micro`; None where it is not this package's."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        base = named(node.value, names)
        return None if base is None else getattr(base, node.attr)
    return None


def misfits(tree: ast.Module, names: dict[str, Any]) -> Iterator[str]:
    """The calls that do not fit their signature, and the attributes that do not exist."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            try:
                named(node, names)
            except AttributeError as error:
                yield f"{ast.unparse(node)}: {error}"
        if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
            continue
        try:
            target = named(node.func, names)
        except AttributeError:  # which the attribute has shown
            continue
        if target is None:
            continue
        keywords = {word.arg: None for word in node.keywords if word.arg}
        try:
            inspect.signature(target).bind_partial(*node.args, **keywords)
        except TypeError as error:
            yield f"{ast.unparse(node)}: {error}"

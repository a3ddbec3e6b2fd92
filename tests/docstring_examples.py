"""The examples in the docstrings of public names, and what the names in them stand for."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import inspect
import re
import symtable
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import vdroppath_tf

PACKAGE = "vdroppath_tf"
ROOT = Path(vdroppath_tf.__file__).parent
ROOMS = sorted(
    ".".join((PACKAGE, *path.parent.relative_to(ROOT).parts)) for path in ROOT.rglob("__init__.pyi")
)
FENCE = re.compile(r"^ *```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


class Public(NamedTuple):
    name: str  # dotted, as users import it
    value: Any
    rooms: tuple[str, ...]  # that offer it, and the rooms above these

    def examples(self) -> dict[str, str]:
        """Name of the object or of its method -> the code of its examples."""
        found = {self.name: _code(self.value)}
        if inspect.isclass(self.value):
            for name, member in vars(self.value).items():
                plain = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
                if not name.startswith("_") and inspect.isfunction(plain):
                    found[f"{self.name}.{name}"] = _code(plain)
        return {name: code for name, code in found.items() if code}


def _code(value: Any) -> str:
    text = inspect.cleandoc(value.__doc__ or "")
    return "\n".join(textwrap.dedent(code) for code in FENCE.findall(text))


def _offered(room: str) -> Iterator[tuple[str, Any]]:
    """The functions and classes of a room, and those of its modules that are public themselves."""
    module = importlib.import_module(room)
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            own = vars(value).items() if f"{room}.{name}" not in ROOMS else ()
            for inner, each in own:
                if not inner.startswith("_") and getattr(each, "__module__", "") == value.__name__:
                    yield f"{name}.{inner}", each
        elif callable(value) and value.__module__.startswith(PACKAGE):
            yield name, value


@functools.cache
def public() -> tuple[Public, ...]:
    """Every public function and class, once, by the first room that offers it."""
    found: dict[int, Public] = {}
    for room in ROOMS:
        above = [room.rsplit(".", cut)[0] for cut in range(room.count(".") + 1)]
        for name, value in _offered(room):
            known = found.get(id(value), Public(f"{room}.{name}", value, ()))
            rooms = dict.fromkeys([*known.rooms, *above, f"{room}.{name}".rpartition(".")[0]])
            found[id(value)] = known._replace(rooms=tuple(rooms))
    return tuple(found.values())


def free_names(code: str) -> list[str]:
    """The names that the code uses and does not make itself, sorted."""
    tables = [symtable.symtable(code, "example", "exec")]
    used, made, imports = set(), set(), set()
    for table in tables:
        tables += table.get_children()
        for symbol in table.get_symbols():
            top = table is tables[0]
            if symbol.is_referenced() and (top or symbol.is_global()):
                used.add(symbol.get_name())
            if top and symbol.is_imported():
                imports.add(symbol.get_name())
            elif top and symbol.is_assigned():
                made.add(symbol.get_name())
    made -= {name for name in made if _read_first(ast.parse(code), name)}
    return sorted(used - made - imports - {*dir(builtins)})


def _read_first(tree: ast.Module, name: str) -> bool:
    """Whether the first statement with the name reads it, as `clips = f(clips)`."""
    for statement in tree.body:
        uses = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name]
        if uses:
            makes = [use for use in uses if not isinstance(use.ctx, ast.Load)]
            simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr)
            return len(makes) < len(uses) if simple else not makes
    return False


def in_rooms(name: str, rooms: tuple[str, ...]) -> Any:
    """What a name stands for in the rooms of an example; None where none of them offers it."""
    for room in rooms:
        module = importlib.import_module(room)
        if name in getattr(module, "__all__", vars(module)):
            return getattr(module, name)
    return vdroppath_tf if name == PACKAGE else None

"""Who may import whom: files, names <- spaces <- data <- layers <- models <- ... <- cli."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import vdroppath_tf

PACKAGE = "vdroppath_tf"
ROOT = Path(vdroppath_tf.__file__).parent

# A room is a module or a sub-package right under the package. A room may import rooms of its own
# row and of the rows above it.
ROWS = (
    ("argument_kinds", "brief", "files", "names", "ranges", "start_up_lines", "startup"),
    ("spaces",),
    ("data",),
    ("layers",),
    ("models",),
    ("derivation", "cost", "scoring", "analysis"),
    ("zoo",),
    ("budget",),
    ("figures",),
    ("report",),
    ("training",),
    ("experiments",),
    ("commands",),
    ("pipeline",),
    ("cli", "__main__"),
)
ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms} | {"serving": 11}
# Rooms that stand by themselves: what they may use, and nothing else.
ONLY = {
    "data": {"brief", "files", "names", "ranges"},
    "serving": {"files", "names", "ranges", "startup", "data"},
}


class Import(NamedTuple):
    module: str  # that imports, dotted
    target: str  # that is imported, dotted and absolute
    line: int
    lazy: bool  # inside a function
    for_types: bool  # under `if TYPE_CHECKING`: never executed


@functools.cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of every module in the package."""
    names = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def _targets(node: ast.Import | ast.ImportFrom, package: list[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = package[: len(package) - node.level + 1] if node.level else []
    base = base + (node.module.split(".") if node.module else [])
    # `from vdroppath_tf import spaces` names a room; `from vdroppath_tf.spaces import X` does too.
    return [".".join([*base, alias.name]) for alias in node.names]


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(module: str, source: str, *, is_package: bool = False) -> Iterator[Import]:
    """Every import of a module, inside functions and `if TYPE_CHECKING` too."""
    parts = module.split(".")
    package = parts if is_package else parts[:-1]

    def walk(node: ast.AST, lazy: bool, for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for target in _targets(child, package):
                    yield Import(module, target, child.lineno, lazy, for_types)
            yield from walk(
                child,
                lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef),
                for_types or _is_type_checking(child),
            )

    yield from walk(ast.parse(source), False, False)


def room_of(dotted: str) -> str | None:
    """The room a dotted name lies in; None outside the package and for its root."""
    first, _, rest = dotted.partition(".")
    return rest.split(".")[0] if first == PACKAGE and rest else None


def complaint(found: Import) -> str | None:
    """What is wrong with one import, or None."""
    here, there = room_of(found.module), room_of(found.target)
    where = f"{found.module}, line {found.line}: imports {found.target}"
    if here is None or found.target.split(".")[0] != PACKAGE or here == there:
        return None
    if there is None or there not in ROW:
        return f"{where}: import a room's module, not the package itself"
    if here in ONLY:
        return None if there in ONLY[here] else f"{where}: {here} imports {ONLY[here]} only"
    return None if ROW[there] <= ROW[here] else f"{where}: {there} lies above {here}"


def read_imports() -> list[Import]:
    """Those of the code and, lazy ones, of the stubs that packages take their names from."""
    return [
        found
        for module, path in modules().items()
        for source in (path, path.with_suffix(".pyi"))
        if source.is_file()
        for found in imports(module, source.read_text(), is_package=path.name == "__init__.py")
    ]


def test_every_room_is_in_the_table() -> None:
    unknown = {room_of(module) for module in modules()} - {None} - set(ROW)
    assert not unknown, f"rooms without a row in ROWS (tests/test_imports.py): {unknown}"


def test_imports_go_down() -> None:
    assert [text for text in map(complaint, read_imports()) if text] == []


@pytest.mark.parametrize("depth", [1, 2, 9])
def test_no_circle(depth: int) -> None:
    """Neither between rooms, nor between the folders of a room, nor between files."""
    edges: dict[str, set[str]] = {}
    for found in read_imports():
        here, there = (_cut(name, depth) for name in (found.module, _file_of(found.target)))
        if here and there and here != there:
            edges.setdefault(here, set()).add(there)
    circle = _circle(edges)
    assert not circle, " -> ".join(circle)


def _file_of(target: str) -> str:
    """The module that an imported name lies in."""
    return target if target in modules() else target.rpartition(".")[0]


def _cut(dotted: str, depth: int) -> str:
    """A dotted name below the package, cut to a folder at `depth`; "" for the root itself."""
    parts = dotted.split(".")[1:] if dotted.split(".")[0] == PACKAGE else []
    return ".".join(parts[:depth] if ROOT.joinpath(*parts[:depth]).is_dir() else parts)


def _circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, or nothing."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node not in done:
            for target in sorted(edges.get(node, ())):
                if circle := visit(target, [*path, node]):
                    return circle
            done.add(node)
        return []

    return next((circle for start in sorted(edges) if (circle := visit(start, []))), [])


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ({"a": {"b"}, "b": {"c"}}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
    ],
)
def test_circles_are_found(edges: dict[str, set[str]], circle: list[str]) -> None:
    assert _circle(edges) == circle


@pytest.mark.parametrize(
    ("module", "source", "ok"),
    [
        ("layers.fusion", "from vdroppath_tf.spaces.strategy import FusionUnit", True),
        ("layers.fusion", "from ..spaces.strategy import FusionUnit", True),
        ("layers.fusion", "from .drop_path import VariationalDropPath", True),
        ("layers.fusion", "from vdroppath_tf.models.resnet import resnet", False),
        ("layers.fusion", "def f():\n    import vdroppath_tf.cli", False),
        ("spaces.space", "from vdroppath_tf import cli", False),
        ("models.resnet", "from vdroppath_tf import FusionStrategy", False),
        ("spaces.space", "def f():\n    from vdroppath_tf.layers.gates import read_gates", False),
        ("data.clips.positions", "from vdroppath_tf.spaces.strategy import FusionUnit", False),
        ("data.clips.positions", "from vdroppath_tf.files import write_text", True),
        ("serving.predict", "from vdroppath_tf.data.catalog import Manifest", True),
        ("serving.predict", "from vdroppath_tf.training import train", False),
        ("figures.marginals", "from vdroppath_tf.report.page import write_report", False),
        ("training.trainer", "from vdroppath_tf.data.clips import pipeline", True),
        ("training.trainer", "import tensorflow as tf", True),
    ],
)
def test_the_rule_itself(module: str, source: str, ok: bool) -> None:
    """A rule that accepts everything would keep nothing in order."""
    found = [complaint(each) for each in imports(f"{PACKAGE}.{module}", source)]
    assert len(found) == 1
    assert (found[0] is None) == ok, found[0]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("startup", ("tensorflow", "keras", "numpy", "matplotlib")),
        ("spaces.strategy", ("tensorflow", "keras", "numpy")),
        ("spaces.space", ("tensorflow", "keras")),
    ],
)
def test_plain_data_needs_no_tensorflow(module: str, absent: tuple[str, ...]) -> None:
    code = f"""if True:
        import sys, {PACKAGE}.{module}
        print(*sorted({set(absent)} & set(sys.modules)))
    """
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []

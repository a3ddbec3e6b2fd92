"""Who may import whom: strategy, space <- layers <- models <- ... <- cli, and data on its own."""

from __future__ import annotations

import ast
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
    ("strategy", "triplets", "space", "draws", "files", "gate_arrays", "names"),
    ("layers",),
    ("models",),
    ("derive", "cost", "zoo"),
    ("analysis", "training", "export"),
    ("serving", "answers", "loop", "processes", "quickstart", "halving"),
    ("ranking_plan", "ranking_jobs", "ranking"),
    ("commands", "cli", "__main__"),
)
ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms}
# `data` imports no other room; it is for those that run or read trainings.
DATA_IS_FOR = {room for row in ROWS[4:] for room in row}
# ProbabilitySpace.from_model reads a model's gates, and imports the layers only when it is called.
LAZY_EXCEPTIONS = {("space", "layers")}


class Import(NamedTuple):
    module: str  # that imports, dotted
    target: str  # that is imported, dotted and absolute
    line: int
    lazy: bool  # inside a function
    for_types: bool  # under `if TYPE_CHECKING`: never executed


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
    # `from vdroppath_tf import space` names a room; `from vdroppath_tf.space import X` does too.
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
    if there is None or (there not in ROW and there != "data"):
        return f"{where}: import a room's module, not the package itself"
    if here == "data":
        return f"{where}: data imports no other room"
    if there == "data":
        return None if here in DATA_IS_FOR else f"{where}: {here} may not use data"
    if found.lazy and (here, there) in LAZY_EXCEPTIONS:
        return None
    return None if ROW[there] <= ROW[here] else f"{where}: {there} lies above {here}"


def read_imports() -> list[Import]:
    return [
        found
        for module, path in modules().items()
        for found in imports(module, path.read_text(), is_package=path.name == "__init__.py")
    ]


def test_every_room_is_in_the_table() -> None:
    unknown = {room_of(module) for module in modules()} - {None, "data"} - set(ROW)
    assert not unknown, f"rooms without a row in ROWS (tests/test_imports.py): {unknown}"


def test_imports_go_down() -> None:
    assert [text for text in map(complaint, read_imports()) if text] == []


def test_no_two_rooms_import_each_other() -> None:
    pairs = {
        (here, there)
        for found in read_imports()
        if (here := room_of(found.module)) != (there := room_of(found.target))
        and here in ROW
        and there in ROW
        and (here, there) not in LAZY_EXCEPTIONS
        and not found.for_types
    }
    assert {pair for pair in pairs if pair[::-1] in pairs} == set()


@pytest.mark.parametrize(
    ("module", "source", "ok"),
    [
        ("layers.fusion", "from vdroppath_tf.strategy import FusionUnit", True),
        ("layers.fusion", "from ..strategy import FusionUnit", True),
        ("layers.fusion", "from .drop_path import VariationalDropPath", True),
        ("layers.fusion", "from ..models.resnet import resnet", False),
        ("layers.fusion", "def f():\n    import vdroppath_tf.cli", False),
        ("strategy", "from . import cli", False),
        ("models.resnet", "from vdroppath_tf import FusionStrategy", False),
        ("space", "from vdroppath_tf.layers.gates import read_gates", False),
        ("space", "def f():\n    from vdroppath_tf.layers.gates import read_gates", True),
        ("data.clips", "from ..strategy import FusionUnit", False),
        ("models.resnet", "from ..data.clips import Clips", False),
        ("training.trainer", "from ..data import pipeline", True),
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
    [("strategy", ("tensorflow", "keras", "numpy")), ("space", ("tensorflow", "keras"))],
)
def test_plain_data_needs_no_tensorflow(module: str, absent: tuple[str, ...]) -> None:
    # The package's own __init__ offers the whole API, and so imports TensorFlow: it is left out.
    code = f"""if True:
        import importlib, sys, types
        package = sys.modules["{PACKAGE}"] = types.ModuleType("{PACKAGE}")
        package.__path__ = ["{ROOT}"]
        importlib.import_module("{PACKAGE}.{module}")
        print(*sorted({set(absent)} & set(sys.modules)))
    """
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []

"""Public names: imported when they are used, listed where people look, known to Keras."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from test_imports import PACKAGE, ROOT, modules

import vdroppath_tf
from vdroppath_tf.startup import KERAS_CLASSES

ROOMS = sorted(name for name, path in modules().items() if path.with_suffix(".pyi").is_file())
DOORS = (  # commands are called by name, and files has nothing that is heavy
    "commands",
    "files",
)
BEFORE_THE_ROOMS = Path(__file__).parent / "files" / "template_before_rooms.keras"


def in_a_fresh_process(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = {"tensorflow", "keras", "numpy", "matplotlib", "absl", "av", "h5py", "requests"}
    code = f"import sys, {PACKAGE}; print(*sorted({heavy} & set(sys.modules)))"
    assert in_a_fresh_process(code).split() == []


def test_every_package_lists_its_names() -> None:
    packages = {name for name, path in modules().items() if path.name == "__init__.py"}
    assert packages - set(ROOMS) == {f"{PACKAGE}.{name}" for name in DOORS}


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_is_there(room: str) -> None:
    package = importlib.import_module(room)
    assert dir(package) == package.__all__
    assert package.__all__
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = package.nothing_of_the_kind


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_keeps_the_name_of_its_module(room: str) -> None:
    """Whoever imported the module first."""
    package = importlib.import_module(room)
    for name in package.__all__:
        if f"{room}.{name}" in modules() and modules()[f"{room}.{name}"].name != "__init__.py":
            module = importlib.import_module(f"{room}.{name}")
            assert getattr(package, name) is getattr(module, name, module)


def test_the_root_shows_nothing_else() -> None:
    assert "os" not in dir(vdroppath_tf)
    assert "startup" not in dir(vdroppath_tf)
    assert {"FusionStrategy", "data", "derive", "layers", "training", "zoo"} <= {*dir(vdroppath_tf)}


def registered() -> dict[str, str]:
    """Class -> module, of every class that registers itself with Keras."""
    found = {}
    for module, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                decorators = map(ast.unparse, node.decorator_list)
                if any("register_keras_serializable" in text for text in decorators):
                    found[node.name] = module.removeprefix(f"{PACKAGE}.")
    return found


def test_keras_is_told_of_every_class() -> None:
    assert registered() == KERAS_CLASSES


PROBED = "vdroppath_tf, importlib.util; importlib.util.find_spec('keras'); import keras"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("vdroppath_tf, keras", marks=pytest.mark.newest),
        "keras, vdroppath_tf",
        PROBED,
    ],
)
def test_a_model_loads_with_the_package_imported_alone(before: str, tmp_path: Path) -> None:
    """And one that was written before modules moved: Keras must not go by their paths."""
    tiny.template().save(tmp_path / "new.keras")
    code = f"""if True:
        import {before}
        for path in {[str(BEFORE_THE_ROOMS), str(tmp_path / "new.keras")]}:
            model = keras.saving.load_model(path)
            print(type(model).__name__, len(vdroppath_tf.ProbabilitySpace.from_model(model).layers))
    """
    names = in_a_fresh_process(code).split()
    assert names[::2] == ["FusionModel", "FusionModel"]

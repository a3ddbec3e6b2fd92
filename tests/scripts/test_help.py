"""What ``--help`` of the scripts shows: read from their source, as imports take seconds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
# Other scripts run these, with positions only.
INTERNAL = {"torch_step.py", "torch_feed.py", "keras_feed.py", "film_writer.py"}
SHORTEST = 8  # letters of a text that says more than the name of its flag


def programs() -> list[Path]:
    """The scripts that users run."""
    found = (path for path in sorted(SCRIPTS.rglob("*.py")) if path.name not in INTERNAL)
    return [path for path in found if 'if __name__ == "__main__":' in path.read_text()]


def calls_in(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a script, with the code of what is called."""
    tree = ast.parse(path.read_text())
    return ((ast.unparse(n.func), n) for n in ast.walk(tree) if isinstance(n, ast.Call))


def texts_in(path: Path) -> dict[str, list[tuple[int, str]]]:
    """The variables of a script: the lines in which each gets a value, and its code."""
    found: dict[str, list[tuple[int, str]]] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append((node.lineno, ast.unparse(node.value)))
    return {name: sorted(values) for name, values in found.items()}


def names_without_help(path: Path) -> list[str]:
    """The flags of a script without a text."""
    missing, variables = [], texts_in(path)
    for called, call in calls_in(path):
        texts = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if called.startswith("flags.DEFINE_"):
            # a number or a text: name, default, help; an enum: name, default, values, help
            place = 3 if "enum" in called else 2
            text = ast.unparse(call.args[place])
        elif called.endswith(".add_argument"):
            text = texts.get("help", "")
        else:
            continue
        before = [value for line, value in variables.get(text, ()) if line < call.lineno]
        text = before[-1] if before else text
        if len(text.strip("'\"")) < SHORTEST:
            missing.append(ast.unparse(call.args[0]))
    return missing


@pytest.mark.parametrize("path", programs(), ids=lambda path: path.stem)
def test_help(path: Path) -> None:
    assert names_without_help(path) == []
    called = dict(calls_in(path))
    if "argparse.ArgumentParser" in called:
        words = {w.arg: ast.unparse(w.value) for w in called["argparse.ArgumentParser"].keywords}
        assert words == {  # else the example is joined into the text
            "description": "__doc__",
            "formatter_class": "argparse.RawDescriptionHelpFormatter",
        }
    else:
        assert "app.run" in called  # absl's, which answers --help with the docstring and the flags


def test_a_flag_without_a_text_is_found(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    lines = (
        "parser.add_argument('--out')",
        "flags.DEFINE_string('a', None, '')",
        "text = 'what is written'",
        "parser.add_argument('--b', help=text)",
        "text = ''",
        "parser.add_argument('--c', help=text)",
    )
    file.write_text("\n".join(lines))
    assert names_without_help(file) == ["'--out'", "'a'", "'--c'"]

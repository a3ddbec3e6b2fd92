"""The documentation against the code: names, arguments and flags exist, short examples run.

Examples that train or download are marked with a comment that says so; they are checked, not run.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from absl import flags
from shown_code import find, imported, misfits

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("tutorials/*.md"))]
CARDS = sorted((ROOT / "zoo" / "recipes").glob("*.md"))
NOT_RUN = r"<!-- not run by the tests: [a-z ]+ -->\n"
BLOCK = re.compile(rf"^({NOT_RUN})?```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"vdroppath ([a-z]+)((?:\\\n|[^\n`])*)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def _hook(name: str) -> ModuleType:
    """A MkDocs hook of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _blocks(page: Path) -> list[tuple[bool, str]]:
    """(whether it may run, code) of each Python example."""
    return [(not marked, code) for marked, code in BLOCK.findall(page.read_text())]


@each_page
def test_names_exist(page: Path) -> None:
    for dotted in re.findall(r"\]\[(vdroppath_tf[\w.]*)\]", page.read_text()):
        assert find(dotted) is not None, f"{page.name} links to {dotted}"


@each_page
def test_examples_fit_the_code(page: Path) -> None:
    tree = ast.parse("\n".join(code for _, code in _blocks(page)))
    names = imported(tree)  # an import of what is not there fails here
    assert list(misfits(tree, names)) == [], page.name


@pytest.mark.slow
@each_page
def test_short_examples_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(code for runs, code in _blocks(page) if runs)
    exec(compile(code, str(page), "exec"), {"__name__": page.stem})


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, names of its flags) of every call of `vdroppath` that is shown."""
    for command, rest in COMMAND.findall(text):
        words = shlex.split(rest.replace("\\\n", " "), comments=True)
        yield command, [w[2:].split("=")[0] for w in words if w.startswith("--")]


def _flags(command: str) -> set[str]:
    from vdroppath_tf.cli import COMMANDS

    values = flags.FlagValues()
    COMMANDS[command].define(values)
    switches = {f"no{name}" for name in values if type(values[name]).__name__ == "BooleanFlag"}
    return {*values, *switches, "help"}


@pytest.mark.parametrize("page", [*PAGES, *CARDS], ids=lambda page: page.stem)
def test_flags_exist(page: Path) -> None:
    from vdroppath_tf.cli import COMMANDS

    for command, shown in _commands(page.read_text()):
        if command in COMMANDS:
            assert set(shown) <= _flags(command), f"{page.name}: vdroppath {command}"
        else:
            assert not shown, f"{page.name}: there is no command {command!r}"


def test_flags_are_found_in_text() -> None:
    text = "`vdroppath train --mirrored ...` or\nvdroppath predict --model=a \\\n  --top=3 b.mp4\n"
    assert list(_commands(text)) == [("train", ["mirrored"]), ("predict", ["model", "top"])]


def test_make_targets_of_the_readme_exist() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", PAGES[0].read_text(), re.MULTILINE)) <= made


def test_pictures_exist() -> None:
    for page in PAGES:
        text = page.read_text().replace("(https://img.shields.io/", "(badges/")  # not ours
        for picture in re.findall(r"!\[[^\]]*\]\((?!badges/)([^)]+)\)", text):
            assert (page.parent / picture).is_file(), f"{page.name} shows {picture}"


@pytest.mark.parametrize("page", ["commands", "train", "tasks", "published"])
def test_pages_are_filled_by_the_code(page: str) -> None:
    generated = _hook("generated")
    text = (DOCS / f"{page}.md").read_text()
    filled = generated.fill(text)
    assert generated.MARK.search(text)
    assert "made by the code" not in filled
    assert "`make docs` builds" not in filled  # which is for those who read the page unfilled
    assert len(filled.splitlines()) > len(text.splitlines()) + 5


@each_page
def test_where_the_code_fills_a_page_the_reader_of_the_source_learns_where_to_look(
    page: Path,
) -> None:
    text = page.read_text()
    found = _hook("generated").MARK.findall(text)
    assert len(found) == text.count("<!-- made by the code: ")
    for _, where, _ in found:
        assert re.search(r"\(\.\./zoo/|`[^`]+ --help`|`print\(|`help\(", where), where
        for target in re.findall(r"\]\(([^)]+)\)", where):
            assert (page.parent / target).exists(), target


def test_every_command_and_flag_is_on_its_page() -> None:
    from vdroppath_tf.cli import COMMANDS

    text = _hook("generated").commands()
    sections = dict(re.findall(r"^## vdroppath (\w+)$(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert set(sections) == set(COMMANDS)
    for command, section in sections.items():
        own = {name for name in _flags(command) if not name.startswith("no") or name == "noise"}
        found = set(re.findall(r"^\| `--(\w+)`", section, re.M))
        assert found == own - {"help"} | {"verbosity"}  # which every command has


def test_results_become_a_page(tmp_path: Path) -> None:
    hook = _hook("result_pages")
    assert hook.page(tmp_path) is None
    (tmp_path / "motion.json").write_text("{}")
    (tmp_path / "motion.md").write_text("Words about it.")
    text = hook.page(tmp_path)
    assert "## motion" in text
    assert "motion-marginals.svg" in text
    assert "Words about it." in text


@pytest.mark.parametrize("page", sorted(DOCS.glob("tutorials/*.md")), ids=lambda page: page.stem)
def test_a_notebook_holds_the_whole_page(page: Path) -> None:
    import write_notebooks

    cells = write_notebooks.cells(page.read_text())
    assert [body for kind, body in cells if kind == "code"] == [
        code.strip() for _, code in _blocks(page)
    ]
    shown = "".join(body for _, body in cells)
    fences = page.read_text().replace("```python\n", "").replace("```\n", "").replace("```", "")
    assert "".join(shown.replace("```", "").split()) == "".join(fences.split())

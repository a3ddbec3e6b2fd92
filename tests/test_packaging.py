"""setup.cfg against the code: what is imported is declared, and the low end is what is tested."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from test_imports import PACKAGE, read_imports

from vdroppath_tf.cli import run

HERE = Path(__file__).parent.parent
# Where the name to import is not the name to install.
INSTALLED_AS = {"absl": "absl-py", "fsspec": "s3fs", "mlflow": "mlflow-skinny"}


def _setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(HERE / "setup.cfg", encoding="utf-8")
    return parser


def _requirements(text: str) -> dict[str, str]:
    """Package name -> the rest of its requirement."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    found = [re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[[a-z]+\])?(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


@pytest.fixture
def declared() -> dict[str, str]:
    return _requirements(_setup()["options"]["install_requires"])


def test_the_console_script_leaves_as_python_m_does() -> None:
    """Through ``run``: ``main`` alone would abort at its end after s3:// with tensorflow-io."""
    (script,) = entry_points(group="console_scripts", name="vdroppath")
    assert script.load() is run


def test_what_is_imported_is_declared(declared: dict[str, str]) -> None:
    extras = _setup()["options.extras_require"]
    optional = _requirements(
        "\n".join(text for name, text in extras.items() if name not in ("docs", "test"))
    )
    imported = {
        found.target.split(".")[0]: f"{found.module}, line {found.line}" for found in read_imports()
    }
    missing = {
        name: where
        for name, where in imported.items()
        if name != PACKAGE
        and name not in sys.stdlib_module_names
        and INSTALLED_AS.get(name, name) not in {*declared, *optional}
        and name.replace("_", "-") not in optional
    }
    assert missing == {}


def test_every_requirement_has_both_ends(declared: dict[str, str]) -> None:
    ends = {name: (">=" in text, ",<" in text) for name, text in declared.items()}
    assert {name: both for name, both in ends.items() if both != (True, True)} == {}


def test_the_oldest_versions_are_the_lower_ends(declared: dict[str, str]) -> None:
    oldest = _requirements((HERE / "constraints-oldest.txt").read_text())
    lower = {name: re.search(r">=([0-9.]+)", text) for name, text in declared.items()}

    def release(version: str) -> tuple[int, ...]:
        numbers = [int(part) for part in version.split(".")]
        return (*numbers, 0, 0)[:3]

    assert {name: release(match[1]) for name, match in lower.items() if match} == {
        name: release(pin.removeprefix("==")) for name, pin in oldest.items()
    }


def test_tools_are_pinned() -> None:
    extras = _setup()["options.extras_require"]
    test, docs = (_requirements(extras[name]) for name in ("test", "docs"))
    assert test["ruff"] == docs["ruff"]
    tools = test | docs
    for name in ("ruff", "mypy", "mkdocs", "mkdocs-material", "mkdocstrings"):
        assert re.fullmatch(r"==[0-9.]+(;.*)?", tools[name]), f"{name}{tools[name]}"


def test_what_the_oldest_versions_run_is_there() -> None:
    makefile = (HERE / "Makefile").read_text().replace("\\\n", " ")
    match = re.search(r"^TESTS_OLDEST := (.*)$", makefile, re.MULTILINE)
    assert match
    assert [path for path in match[1].split() if not (HERE / path).exists()] == []


def _made(target: str, folder: Path) -> str:
    """The commands that make would run for a target, with no environment there yet."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    # under make, as the tests run in CI, it would print the directories that it enters
    call = [make, "--no-print-directory", "--dry-run", target]
    call += [f"VENV={folder / 'venv'}", f"PYTHON={sys.executable}", "UV="]
    ran = subprocess.run(call, cwd=HERE, capture_output=True, text=True, check=True)
    return ran.stdout


def test_the_site_is_built_without_what_only_tests_need(tmp_path: Path) -> None:
    commands = _made("docs", tmp_path)
    assert re.findall(r"-e (\S+)", commands) == [".", "'.[docs]'"]
    assert commands.rstrip().endswith("mkdocs build --strict")


def test_an_environment_can_be_made_without_the_quickstart(tmp_path: Path) -> None:
    commands = _made("install", tmp_path)
    assert re.findall(r"-e (\S+)", commands) == ["."]
    assert "vdroppath quickstart" not in commands
    assert "vdroppath quickstart" in _made("quickstart", tmp_path)


def test_no_two_test_files_have_one_name() -> None:
    """They are modules without a package: of two with one name, pytest refuses the second."""
    files = Counter(path.name for path in (HERE / "tests").rglob("*.py"))
    del files["conftest.py"]
    assert [name for name, count in files.items() if count > 1] == []


@pytest.mark.parametrize("name", ["Dockerfile", "serve.Dockerfile"])
def test_the_containers_pass_their_linter(name: str) -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.is_file():
        pytest.skip("hadolint is not installed")
    ran = subprocess.run([program, HERE / name], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", ["Dockerfile", "serve.Dockerfile"])
def test_what_the_containers_copy_is_there(name: str) -> None:
    text = (HERE / name).read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for source in line.split():
            assert (HERE / source).exists(), source

"""The records in zoo/ against the command that writes them."""

from __future__ import annotations

import configparser
import fnmatch
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from vdroppath_tf import FusionStrategy, zoo
from vdroppath_tf.training import RECIPES
from vdroppath_tf.zoo import published

ROOT = Path(__file__).parent.parent.parent
COMMAND = ROOT / "scripts" / "write_zoo_records.py"


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(COMMAND.parent)  # as when it is run
        yield importlib.import_module(COMMAND.stem)


def test_records_are_what_the_command_writes(script):
    written = script.records()
    folders = [ROOT / "zoo" / name for name in script.FOLDERS]
    there = {str(path.relative_to(ROOT / "zoo")) for f in folders for path in f.iterdir()}
    assert {"README.md", *there} == set(written), "run python scripts/write_zoo_records.py"
    for name, text in written.items():
        found = (ROOT / "zoo" / name).read_text(encoding="utf-8")
        assert found == text, f"zoo/{name}: run python scripts/write_zoo_records.py"


def test_strategies_of_the_records_are_the_zoos():
    read = (ROOT / "zoo" / "strategies" / "observed-resnet50.json").read_text()
    assert FusionStrategy.from_json(read) == zoo.observed("resnet50")
    read = (ROOT / "zoo" / "strategies" / "published-ucf101.json").read_text()
    assert FusionStrategy.from_json(read) == zoo.published_strategy("ucf101")


def test_a_card_says_where_its_numbers_are_from(script):
    text = script.card("kinetics400")
    for words in (
        "Fig. 4",
        "0.0005",
        "Weights: the figure is the only source",
        "| 67.8 | 68.3 | 69.7 | 71.7 |",
        "Table 2",
    ):
        assert words in text


def test_a_recipes_card_has_the_papers_numbers_and_states_which_values_are_ours(script):
    text = script.records()["recipes/something-something-v1.md"]
    for words in (
        "| `densenet121` | Table 2 | 41.8 | 47.5 | 46.5 | 50.2 |",
        "| `resnext101` | Table 6, clip level | 36.6 | 42.7 | 42.3 | 44.0 |",
        "86,017 for training (N of Eq. 5)",
        "Those of the fine-tuning are ours",
        "| finetune | 30 | 0.0005, a tenth after 10, 20 | none | 0.0005 | ours |",
        "| search | 90 | 0.005, a tenth after 40, 60, 80 | learn | 0 | the paper's |",
        "not measured here",
        "nothing about accuracy",
    ):
        assert words in " ".join(text.split())
    assert "52.9 | 59.3 | 59.7 | 59.5" in script.records()["recipes/something-something-v2.md"]
    assert "was not published" in script.records()["recipes/small.md"]


def test_the_cost_of_a_recipe_is_computed(script):
    """140 epochs of 86,017 clips of 32x224x224, twice the 123.557 G MACs of 16 frames."""
    text = script.records()["recipes/something-something-v1.md"]
    (row,) = re.findall(r"^\| 140 epochs of the template \| (.*) \|$", text, re.MULTILINE)
    units = {"M": 1e6, "G": 1e9, "E": 1e18}
    parts = (cell.split() for cell in row.split(" | "))
    macs, clips, total = (float(number) * units[unit] for number, unit in parts)
    assert macs == pytest.approx(2 * 123.557e9, rel=1e-3)
    assert clips == pytest.approx(140 * 86_017, rel=1e-3)
    assert total == pytest.approx(macs * clips, rel=2e-3)


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_shows_a_run_of_every_phase(name):
    text = (ROOT / "zoo" / "runs" / f"{name}.txt").read_text(encoding="utf-8")
    assert text.startswith(f"{name}: {RECIPES[name].network}, reduced: ")
    heads = [line.split(":")[0] for line in text.splitlines()]
    assert {"warmup", "search", "space", "scores", "derived", "finetune", "test"} <= set(heads)


def test_the_figures_numbers_are_shipped():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = parser["options.package_data"]["*"].split(", ")
    assert any(fnmatch.fnmatch(published._FILE.name, pattern) for pattern in patterns)
    assert published._FILE.parent == Path(zoo.__file__).parent

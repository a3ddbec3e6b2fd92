"""The records in zoo/ against the command that writes them."""

from __future__ import annotations

import configparser
import fnmatch
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from vdroppath_tf import FusionStrategy, zoo
from vdroppath_tf.zoo import published

ROOT = Path(__file__).parent.parent.parent
COMMAND = ROOT / "scripts" / "write_zoo_records.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_zoo_records", COMMAND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_records_are_what_the_command_writes(script):
    written = script.records()
    folders = [ROOT / "zoo" / name for name in ("spaces", "strategies")]
    there = {str(path.relative_to(ROOT / "zoo")) for f in folders for path in f.iterdir()}
    assert there == set(written), "run python scripts/write_zoo_records.py"
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
    for words in ("Fig. 4", "0.0005", "No weights", "| 67.8 | 68.3 | 69.7 | 71.7 |", "Table 2"):
        assert words in text


def test_the_figures_numbers_are_shipped():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = parser["options.package_data"]["*"].split(", ")
    assert any(fnmatch.fnmatch(published._FILE.name, pattern) for pattern in patterns)
    assert published._FILE.parent == Path(zoo.__file__).parent

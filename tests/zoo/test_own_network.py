"""The script of the tutorial `own_network.md`: two networks not in the zoo, start to end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "own_network.md"


def test_the_script_of_the_page(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(script.splitlines()) <= 25
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    strategies, folders = done.stdout.splitlines()[::2], done.stdout.splitlines()[1::2]
    assert [len(text.split()) for text in strategies] == [2, 4]
    assert folders == ["small/1", "dense/1"]
    assert all((tmp_path / folder / "saved_model.pb").is_file() for folder in folders)

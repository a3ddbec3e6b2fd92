"""Writes the tutorials of the documentation as Jupyter notebooks.

    python scripts/write_notebooks.py --out=notebooks

Each Python example becomes a code cell; text, shell commands and output remain text. The tests run
the same examples from the pages, so the notebooks need not be run separately. The script needs
nbformat (the extra docs).
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

TUTORIALS = Path(__file__).parent.parent / "docs" / "tutorials"
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def cells(text: str) -> list[tuple[str, str]]:
    """Returns the kind, ``"markdown"`` or ``"code"``, and the text of each cell of a page."""
    found, end = [], 0
    for block in BLOCK.finditer(text):
        found += [("markdown", text[end : block.start()]), ("code", block[1])]
        end = block.end()
    found.append(("markdown", text[end:]))
    return [(kind, body.strip()) for kind, body in found if body.strip()]


def write(page: Path, out: Path) -> Path:
    """Writes one page as a notebook, and returns its path."""
    import nbformat.v4 as new

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new.new_notebook(metadata={"kernelspec": kernel})
    for number, (kind, body) in enumerate(cells(page.read_text(encoding="utf-8"))):
        cell = new.new_code_cell(body) if kind == "code" else new.new_markdown_cell(body)
        cell["id"] = f"{page.stem}-{number}"
        notebook.cells.append(cell)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{page.stem}.ipynb"
    path.write_text(new.writes(notebook) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Writes all tutorials, and prints their paths."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "folder for the notebooks (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path("notebooks"), help=text)
    out = parser.parse_args().out
    for page in sorted(TUTORIALS.glob("*.md")):
        print(write(page, out))


if __name__ == "__main__":
    main()

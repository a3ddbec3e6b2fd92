"""MkDocs hook: a page of learned spaces, once there are any in docs/results/.

For each `results/NAME.json` (a space that `ProbabilitySpace.save` or `vdroppath space` wrote) it
shows the pictures that `scripts/draw_docs_figures.py` has drawn, and the words of
`results/NAME.md` where there are some. Without results there is no page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = "results.md"
_HEAD = """# Learned spaces

Spaces that were trained with this package, drawn by `scripts/draw_docs_figures.py` from the JSON
files that each section links to. Bars are marginals in Eq. 7's form; the faded bar is the start.
Where there are units above the bars, they are those of the strategy that was chosen.
"""


def names(results: Path = RESULTS) -> list[str]:
    """Names of the results, sorted."""
    return sorted(path.stem for path in results.glob("*.json"))


def page(results: Path = RESULTS) -> str | None:
    """Markdown of the page; None where there are no results."""
    sections = [_HEAD]
    for name in names(results):
        words = results / f"{name}.md"
        sections += [
            f"## {name}",
            f"![Marginals of every layer in the space {name}](pictures/{name}-marginals.svg)",
            f"![How far each layer is from its start](pictures/{name}-distance.svg)",
            *([words.read_text(encoding="utf-8")] if words.is_file() else []),
            f"[The space as JSON](results/{name}.json)",
        ]
    return "\n\n".join(sections) + "\n" if len(sections) > 1 else None


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append the page to the navigation."""
    if names():
        config.nav = [*(config.nav or []), {"Learned spaces": PAGE}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page to the site."""
    from mkdocs.structure.files import File

    text = page()
    if text is not None:
        files.append(File.generated(config, PAGE, content=text))
    return files

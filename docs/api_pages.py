"""MkDocs hook: one reference page for each room of the package, made of the modules that exist."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PACKAGE = "vdroppath_tf"
ROOT = Path(__file__).parent.parent / PACKAGE
# In reading order; a room that is not named here comes last.
ORDER = (
    *("zoo", "spaces", "derivation", "cost", "data", "training", "scoring", "budget", "analysis"),
    *("figures", "report", "serving", "models", "layers", "experiments", "pipeline", "cli"),
)
# Parts of other modules that stand in files of their own; commands have a page of their own.
INTERNAL = {
    *("files", "names", "start_up_lines", "startup", "commands"),
    *("report.markup", "analysis.numbers"),
    *("spaces.draws", "spaces.gate_arrays", "spaces.masks", "spaces.marginals"),
    *("spaces.space_json", "spaces.triplets"),
    *("budget.fronts", "budget.layer_options", "budget.tables"),
    *("budget.checks", "budget.latency_fields", "budget.machine"),
    *("scoring.array_files", "scoring.batch_statistics", "scoring.progress"),
    *("scoring.tree", "scoring.segments", "scoring.cutting", "scoring.walk", "scoring.memory"),
    *("models.inflation.plan", "models.inflation.values", "models.inflation.sources"),
    *("models.inflation.conventions", "models.inflation.source_files"),
}


def _modules() -> Iterator[str]:
    """Dotted names below the package, sorted."""
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        private = any(part.startswith("_") for part in name.split("."))
        if not private and not {name, name.split(".")[0]} & INTERNAL:
            yield name


def pages() -> dict[str, str]:
    """Room -> Markdown of its page."""
    rooms: dict[str, list[str]] = {}
    for name in _modules():
        rooms.setdefault(name.split(".")[0], []).append(name)
    ordered = sorted(rooms, key=lambda room: (ORDER.index(room) if room in ORDER else 99, room))
    return {
        room: f"# {PACKAGE}.{room}\n\n" + "\n\n".join(map(_directive, rooms[room]))
        for room in ordered
    }


def _directive(module: str) -> str:
    """What mkdocstrings is asked for: of a package, only its docstring, not what it hands on."""
    package = (ROOT / module.replace(".", "/")).is_dir()
    directive = f"::: {PACKAGE}.{module}" + ("\n    options:\n      members: false" * package)
    return "\n\n".join([directive, *(_constructors() if module == "zoo.constructors" else ())])


def _constructors() -> Iterator[str]:
    """A section for each constructor of the zoo: a factory made them, so no source shows them."""
    from vdroppath_tf.zoo import constructors

    for name, function in vars(constructors).items():
        if name.startswith(("template_", "derived_")):
            shown = f"{name}{inspect.signature(function)}\n\n{function.__doc__}"
            yield f"### {name}\n\n````text\n{shown}\n````"  # four: its example has three


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append the pages to the navigation."""
    config.nav = [*(config.nav or []), {"Reference": [{r: f"api/{r}.md"} for r in pages()]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    from mkdocs.structure.files import File

    for room, text in pages().items():
        files.append(File.generated(config, f"api/{room}.md", content=text + "\n"))
    return files

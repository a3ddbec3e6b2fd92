"""MkDocs hook: one reference page for each room of the package, made of the modules that exist."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
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
    *("argument_kinds", "brief", "ranges"),
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

CONSTRUCTORS = "zoo.constructors"


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
        modules = rooms.setdefault(name.split(".")[0], [])
        modules.insert(1 if name == CONSTRUCTORS else len(modules), name)
    ordered = sorted(rooms, key=lambda room: (ORDER.index(room) if room in ORDER else 99, room))
    return {
        room: f"# {PACKAGE}.{room}\n\n" + "\n\n".join(map(_directive, rooms[room]))
        for room in ordered
    }


def _directive(module: str) -> str:
    """What mkdocstrings is asked for: of a package, only its docstring, not what it hands on."""
    of_docstring = (ROOT / module.replace(".", "/")).is_dir() or module == CONSTRUCTORS
    directive = f"::: {PACKAGE}.{module}" + ("\n    options:\n      members: false" * of_docstring)
    return "\n\n".join([directive, *(_constructors() if module == CONSTRUCTORS else ())])


def _constructors() -> Iterator[str]:
    """A section for each constructor of the zoo: a factory made them, so no source shows them."""
    from vdroppath_tf.zoo import constructors

    for name, function in vars(constructors).items():
        if name.startswith(("template_", "derived_")):
            shown = f"```python\n{name}(\n{_arguments(function)})\n```"
            yield f"### {name}\n\n{shown}\n\n{in_markdown(inspect.getdoc(function) or '')}"


def _arguments(function: Callable[..., object]) -> str:
    """The arguments of a function, one a line, with ``*`` before those that need their names."""
    lines, star = [], "    *,\n"
    for each in inspect.signature(function).parameters.values():
        lines.append(f"{star * (each.kind is each.KEYWORD_ONLY)}    {each},\n")
        star = star * (each.kind is not each.KEYWORD_ONLY)
    return "".join(lines)


def in_markdown(docstring: str) -> str:
    """The sections of a docstring of ours as Markdown: arguments and errors become lists."""
    text = re.sub(r"^(Args|Returns|Raises|Example):$", _heading, docstring, flags=re.MULTILINE)
    text = re.sub(r"^    ([\w.]+): ", r"* `\1`: ", text, flags=re.MULTILINE)
    return re.sub(r"^    ", "", text, flags=re.MULTILINE)


def _heading(section: re.Match[str]) -> str:
    name = {"Args": "Arguments"}.get(section[1], section[1])
    return f"**{name}**\n"


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

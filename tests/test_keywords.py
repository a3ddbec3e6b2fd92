"""No option is swallowed: every public name refuses a misspelt keyword and offers the nearest."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vdroppath_tf
from vdroppath_tf import zoo

PACKAGE = "vdroppath_tf"
ROOT = Path(vdroppath_tf.__file__).parent
ROOMS = sorted(path.parent for path in ROOT.rglob("__init__.py"))
COMMANDS = "commands"  # what the program runs: it offers nothing to import
# Constructors that are other people's, with the reason why they are public all the same.
NOT_OURS = {
    "FusionModel": "is built by keras.Model's own constructor",
    "get_model": "hands its keywords on: see the test of it below",
}


def dotted(folder: Path) -> str:
    return ".".join((PACKAGE, *folder.relative_to(ROOT).parts))


def offered(module: Any) -> Iterator[tuple[str, Any]]:
    """The public functions and classes of a room that take keywords."""
    for name in module.__all__:
        public = getattr(module, name)
        ours = callable(public) and getattr(public, "__module__", "").startswith(PACKAGE)
        error = isinstance(public, type) and issubclass(public, BaseException)
        if ours and not error and name not in NOT_OURS and inspect.signature(public).parameters:
            yield name, public


def misspelt(keyword: str) -> str:
    """A letter dropped from its middle; of a short one, the last letter doubled."""
    middle = len(keyword) // 2
    return keyword[:middle] + keyword[middle + 1 :] if len(keyword) > 3 else keyword + keyword[-1]


def complaints(name: str, public: Any) -> Iterator[str]:
    """What a caller who misspells one of its keywords is told amiss."""
    parameters = inspect.signature(public).parameters.values()
    yield from (f"{name}: swallows **{p}" for p in parameters if p.kind is p.VAR_KEYWORD)
    named = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for keyword in named:
        wrong = misspelt(keyword)
        if wrong in named:
            continue
        try:
            public(**{wrong: None})
        except TypeError as error:
            if f"no argument {wrong!r}. Did you mean" in str(error) and repr(keyword) in str(error):
                continue
            yield f"{name}({wrong}=): {error}"
        else:
            yield f"{name}({wrong}=): accepted"


@pytest.mark.parametrize("folder", ROOMS, ids=dotted)
def test_a_misspelt_keyword_is_refused(folder: Path) -> None:
    if folder.name == COMMANDS:
        return
    found = dict(offered(importlib.import_module(dotted(folder))))
    assert found, f"{dotted(folder)} offers nothing"
    assert [text for name, public in found.items() for text in complaints(name, public)] == []


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("num_class", r"Did you mean 'num_classes'"),
        ("input_shape", r"clip_shape=\(frames, height, width\)"),
        ("weights", r"vdroppath_tf\.inflate\(model, weights\)"),
    ],
)
def test_what_other_libraries_call_it(keyword: str, said: str) -> None:
    wrong: dict[str, Any] = {keyword: 3}
    for call in (zoo.template_resnet50, functools.partial(zoo.get_model, "template_resnet50")):
        with pytest.raises(TypeError, match=rf"no argument '{keyword}'\. .*{said}"):
            call(**wrong)

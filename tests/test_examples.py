"""Every public name has an example in its docstring, which fits the code and runs.

CONTRIBUTING.md lists the objects and files that examples may use; `example_things.py` makes them.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docstring_examples import ROOMS, Public, free_names, in_rooms, public
from example_things import FILES, THINGS, Things
from shown_code import imported, misfits

from vdroppath_tf.models import families

ROOT = Path(__file__).parent.parent
LARGE = (
    "densenet121 densenet161 densenet169 densenet201 mobilenet_v2 resnet50 resnet101 resnext50 "
    "resnext101"
)
# Public name -> why its example is not run. It is still compiled, and its names and calls checked.
NOT_RUN = {
    f"vdroppath_tf.{name}": reason
    for reason, names in {
        "builds a large network": " ".join(
            f"zoo.{kind}_{row}" for row in LARGE.split() for kind in ("template", "derived")
        ),
        "builds a ResNet-50 and downloads weights": "inflate models.inflation.InflationReport",
        "runs all steps of a run": "run_pipeline PipelineRun experiments.run_loop",
        "trains several networks": "experiments.Halving experiments.Tried experiments.run_halving "
        "experiments.run_quickstart experiments.run_ranking experiments.run_trials "
        "experiments.trial_table",
        "trains a network, as the example of train_stand_alone does": "experiments.StandAlone",
        "is the example of rehearse": "training.Rehearsal",
        "makes what the examples of evaluate_strategies and measure_latency make": "LatencyTable "
        "EvaluationOptions experiments.Scorer scoring.OneStrategy scoring.Selection",
        "is the example of StreamingClassifier": "scoring.StreamAnswer",
        "needs several machines": "data.start_dispatcher data.start_worker",
        "needs an object store or a web server": "data.remote.delete_file data.remote.list_files "
        "data.remote.read_file data.remote.read_range data.remote.write_file",
        "serves until it is stopped": "serving.server.application serving.server.run_server",
    }.items()
    for name in names.split()
}
# Public name -> why it has no example.
NO_EXAMPLE: dict[str, str] = {}

each_room = pytest.mark.parametrize("room", ROOMS)


def _of(room: str) -> list[Public]:
    return [each for each in public() if each.rooms[0] == room]


def test_every_public_name_has_an_example() -> None:
    raised = {each.name for each in public() if _is_error(each.value)}
    lacking = {each.name for each in public() if each.name not in each.examples()}
    assert sorted(lacking - raised - {*NO_EXAMPLE}) == []
    assert sorted({*NO_EXAMPLE} - lacking) == [], "have one now"


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def test_what_is_not_run_exists() -> None:
    known = {name for each in public() for name in each.examples()}
    assert sorted({*NOT_RUN} - known) == []


def test_things_are_documented() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Examples")[2].partition("\n## ")[0]
    assert [name for name in (*THINGS, *FILES) if f"`{name}`" not in text] == []


def test_free_names() -> None:
    code = (
        "import a.b\na.x\nfor c in d: e = c\nf = g(f)\nh = [i for i in j]\nk(l)\nl = lambda m: m\n"
    )
    assert free_names(code) == ["d", "f", "g", "j", "k", "l"]


@each_room
def test_examples_fit_the_code(room: str) -> None:
    found = [
        f"{name}: {problem}"
        for each in _of(room)
        for name, code in each.examples().items()
        for problem in _problems(code, each.rooms)
    ]
    assert not found, "\n".join(found)


def _problems(code: str, rooms: tuple[str, ...]) -> Iterator[str]:
    try:
        tree = ast.parse(code)
        names = imported(tree)
    except (SyntaxError, ImportError, AttributeError) as error:
        yield str(error)
        return
    free = free_names(code)
    ours = {name: in_rooms(name, rooms) for name in free if name not in THINGS}
    yield from (f"{name!r} is not defined" for name, value in ours.items() if value is None)
    yield from misfits(tree, {name: v for name, v in (names | ours).items() if v is not None})


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("derive(", "'(' was never closed"),
        ("from vdroppath_tf import derives", "derives"),
        ("nothing()", "'nothing' is not defined"),
        ("derive(template)", ""),
        ("derive(template, strateg='S')", "no argument|unexpected keyword"),
        ("vdroppath_tf.zoo.template_mikro()", "template_mikro"),
    ],
)
def test_the_check_itself(code: str, problem: str) -> None:
    found = list(_problems(code, ("vdroppath_tf",)))
    assert len(found) == bool(problem), found
    assert not problem or any(part in found[0] for part in problem.split("|"))


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Things:
    return Things(tmp_path_factory.mktemp("things"))


@pytest.mark.slow
@each_room
def test_examples_run(
    room: str,
    things: Things,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(families, "_ROWS", families.rows())  # for an example that adds its own
    failed = []
    for each in _of(room):
        for name, code in each.examples().items():
            if name in NOT_RUN:
                continue
            monkeypatch.chdir(tmp_path_factory.mktemp("example"))
            try:
                _run(name, code, each.rooms, things)
            except Exception:
                failed.append(f"{name}\n{code}\n{traceback.format_exc()}")
    assert not failed, "\n".join(failed)


def _run(name: str, code: str, rooms: tuple[str, ...], things: Things) -> None:
    tree = ast.parse(code)
    free = free_names(code)
    names = {n: things.get(n) if n in THINGS else in_rooms(n, rooms) for n in free}
    things.lay_out(_first_parts(tree), Path.cwd())
    with things.restored():
        exec(compile(code, name, "exec"), {"__name__": "example", **names})


def _first_parts(tree: ast.Module) -> list[str]:
    """The files and folders that the texts in an example may name."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text.split("/")[0] for text in texts if isinstance(text, str) and text]

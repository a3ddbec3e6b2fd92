from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdroppath_tf.analysis.compare import compare_spaces
from vdroppath_tf.cli import main
from vdroppath_tf.figures.comparison import figure_comparison
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.zoo import published_space

S_ONLY = ProbabilitySpace(np.array([[0.0, 1.0], [0.0, 1.0]]), architecture="two")
ST_ONLY = ProbabilitySpace(np.array([[1.0, 0.0], [0.0, 1.0]]), architecture="two")


def test_known_distances() -> None:
    found = compare_spaces({"a": S_ONLY, "b": ST_ONLY})
    assert found.between[0, 1].tolist() == [1.0, 0.0]
    assert found.distance[0, 1] == found.distance[1, 0] == 0.5
    assert np.isnan(found.distance[0, 0])  # one space has no distance within its name
    assert found.path_on("a")["S"].tolist() == [[1.0, 1.0]]
    assert found.path_on("b")["ST"].tolist() == [[1.0, 0.0]]


def test_one_gate_moves_the_marginals_by_as_much() -> None:
    """S is on with 1 - sqrt(.36) = .4 and 1 - sqrt(.04) = .8, whatever ST does."""
    one, other = (ProbabilitySpace(np.array([[p, 0.5]])) for p in (0.36, 0.04))
    assert compare_spaces({"a": one, "b": other}).distance[0, 1] == pytest.approx(0.4)
    found = compare_spaces({"a": one, "b": other}, form="sampling")
    assert found.distance[0, 1] == pytest.approx(0.32)


def test_repetitions() -> None:
    found = compare_spaces({"a": [S_ONLY, S_ONLY, ST_ONLY], "b": ST_ONLY})
    assert found.between[0, 0].tolist() == pytest.approx([2 / 3, 0.0])
    assert found.between[0, 1].tolist() == pytest.approx([2 / 3, 0.0])
    assert found.same_mode("a").tolist() == pytest.approx([1 / 3, 1.0])
    assert np.isnan(found.same_mode("b")).all()


drops = st.lists(st.floats(0, 1), min_size=6, max_size=6).map(lambda p: np.reshape(p, (3, 2)))


@given(drops, drops, drops)
def test_it_is_a_distance(one: np.ndarray, other: np.ndarray, third: np.ndarray) -> None:
    spaces = {name: ProbabilitySpace(p) for name, p in zip("abc", (one, other, third), strict=True)}
    found = compare_spaces(spaces).distance
    assert found[0, 1] == found[1, 0]
    assert 0 <= found[0, 1] <= 1
    assert found[0, 2] <= found[0, 1] + found[1, 2] + 1e-9
    assert compare_spaces({"a": [spaces["a"]] * 2}).distance[0, 0] == 0


def test_inputs_with_gates_of_their_own() -> None:
    """One of the two inputs of a layer has changed altogether: half a distance."""
    one = ProbabilitySpace((np.array([[0.0, 1.0], [0.0, 1.0]]),))
    other = ProbabilitySpace((np.array([[0.0, 1.0], [1.0, 0.0]]),))
    found = compare_spaces({"a": one, "b": [other, other]})
    assert found.distance[0, 1] == 0.5
    figure_comparison(found)


@pytest.mark.parametrize(
    ("spaces", "match"),
    [
        ({"a": S_ONLY}, "There are 1 spaces .* Expected two or more"),
        ({"a": S_ONLY, "b": []}, "at least one for each name"),
        (
            {"a": S_ONLY, "b": ProbabilitySpace(np.full((3, 2), 0.1), architecture="two")},
            "'b' is a space of two, 3 layers, .*'a' is one of two, 2 layers.*zoo.transfer",
        ),
        ({"a": S_ONLY, "b": ProbabilitySpace(np.full((2, 2), 0.1))}, "an unnamed network"),
        (
            {"a": S_ONLY, "b": ProbabilitySpace((np.full((2, 2), 0.1),) * 2, architecture="two")},
            "gates per input",
        ),
    ],
)
def test_what_cannot_be_compared(spaces: dict[str, ProbabilitySpace], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        compare_spaces(spaces)


def test_the_figure_draws_every_bar_and_line() -> None:
    found = compare_spaces({"a": [S_ONLY, ST_ONLY], "b$": ST_ONLY})
    *bars, lines = figure_comparison(found).axes
    assert [axes.get_title() for axes in bars] == ["a, mean of 2", r"b\$"]
    heights = [sum(patch.get_height() for patch in axes.patches) for axes in bars]
    assert heights == pytest.approx([2.0, 2.0])  # two layers, probabilities that sum to 1
    drawn = {line.get_label(): list(line.get_ydata()) for line in lines.lines}
    assert drawn == {"within a": [1.0, 0.0], r"a to b\$": [0.5, 0.0]}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published_space("kinetics400").save(tmp_path / "k.json")
    call = ["compare", f"k={tmp_path}/k.json", "v1=published:something-something-v1"]
    files = [f"--figure={tmp_path}/a.svg", f"--out={tmp_path}/a.json"]
    assert main([*call, *files]) == 0
    said = capsys.readouterr().out
    assert "of P(path on) (Eq. 7: 1 - sqrt(p)), and" in said
    assert "P(S on) 0.608, P(ST on) 0.612" in said
    assert "k to v1: 0.196, most in B1.L6 (0.541)" in said
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["distance"][0][0] is None
    assert written["distance"][0][1] == pytest.approx(0.196, abs=5e-4)
    assert len(written["distance by layer"]["k to v1"]) == 61
    assert (tmp_path / "a.svg").stat().st_size > 10_000


def test_spaces_of_one_name_are_repetitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their distance and the agreement of their modes are printed; no file is written."""
    monkeypatch.chdir(tmp_path)
    for name, space in (("a", S_ONLY), ("b", ST_ONLY)):
        space.save(tmp_path / f"{name}.json")
    assert main(["compare", "two=a.json", "two=b.json", "one=a.json"]) == 0
    said = capsys.readouterr().out
    assert "within two: 0.500; pairs of its modes agree in 50% of the layers" in said
    assert "within one" not in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json"}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["nowhere.json", "b.json"], "nowhere.json: there is no such file. Expected a space"),
        (["published:ucf102", "b.json"], "ucf102"),
        (["published:ucf101", "--figure=a.txt"], "--figure=a.txt: expected"),
        (["published:ucf101"], "Expected two or more"),
    ],
)
def test_wrong_calls(arguments: list[str], match: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *arguments]) == 1
    assert match in capsys.readouterr().err

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vdroppath_tf.analysis.observations import higher_layers_want_time
from vdroppath_tf.analysis.seed_observations import observations_over_seeds, scenes_over_seeds
from vdroppath_tf.analysis.seed_stability import stability
from vdroppath_tf.cli import main
from vdroppath_tf.figures.stability import figure_stability
from vdroppath_tf.spaces.space import ProbabilitySpace

# every seed gives the first layer S; two of three give the second ST, the other S
SEEDS = [
    ProbabilitySpace(np.array([[0.0, 1.0], second]), layers=("low", "high"), architecture="two")
    for second in ([1.0, 0.0], [1.0, 0.0], [0.0, 1.0])
]


def test_known_answers() -> None:
    found = stability(SEEDS)
    assert found.seeds == 3
    assert found.on["S"].tolist() == [[1, 0], [1, 0], [1, 1]]
    assert found.on["ST"].tolist() == [[0, 1], [0, 1], [0, 0]]
    assert found.between.tolist() == pytest.approx([0.0, 2 / 3])
    assert found.same_mode.tolist() == pytest.approx([1.0, 1 / 3])
    moved = SEEDS[0].distance_from_start()
    assert found.moved.tolist() == pytest.approx([moved[0]] * 2)  # as far to S as to ST
    assert found.stable.tolist() == [True, True]
    assert found.verdict == (
        f"Two seeds are 0.333 apart on average, and each is {moved[0]:.3f} from its start. In 2 of "
        "2 layers seeds are nearer to each other than to the start; modes agree in 67% of the "
        "layers."
    )


def test_equal_seeds_are_stable_unless_nothing_was_learned() -> None:
    assert stability([SEEDS[0]] * 2).stable.all()
    untouched = ProbabilitySpace(np.full((2, 2), 0.1))
    assert not stability([untouched] * 2).stable.any()


def test_the_form_is_that_of_all_numbers() -> None:
    one, other = (ProbabilitySpace(np.array([[p, 0.5]])) for p in (0.36, 0.04))
    paper, sampling = stability([one, other]), stability([one, other], "sampling")
    assert paper.on["S"].ravel().tolist() == pytest.approx([0.4, 0.8])
    assert sampling.on["S"].ravel().tolist() == pytest.approx([0.64, 0.96])
    assert sampling.between.tolist() == pytest.approx([0.32])
    both = [space.distance_from_start("sampling") for space in (one, other)]
    assert sampling.moved.tolist() == pytest.approx(np.mean(both, axis=0))


@pytest.mark.parametrize("count", [0, 1])
def test_one_space_says_nothing(count: int) -> None:
    with pytest.raises(ValueError, match=rf"two or more seeds\. Received: {count}\."):
        stability(SEEDS[:count])


def test_the_figure_has_a_dot_for_every_seed() -> None:
    apart = ProbabilitySpace(np.array([[0.1, 0.1], [0.9, 0.1]]), layers=("low", "high"))
    other = ProbabilitySpace(np.array([[0.1, 0.1], [0.1, 0.9]]), layers=("low", "high"))
    figure = figure_stability([apart, other])
    s, st, distances = figure.axes
    dots = [list(line.get_ydata()) for line in s.lines]
    found = stability([apart, other])
    assert dots == [pytest.approx(seed) for seed in found.on["S"]]
    assert st.get_ylabel() == "P(ST on)"
    drawn = {line.get_label(): list(line.get_ydata()) for line in distances.lines}
    assert drawn["between seeds"] == pytest.approx(found.between)
    assert drawn["from the start"] == pytest.approx(found.moved)
    assert drawn["not stable"] == pytest.approx(found.between[~found.stable])
    assert len(drawn["not stable"]) > 0
    assert [t.get_text() for t in distances.get_xticklabels()] == ["low", "high"]


def test_seven_units_and_gates_per_input() -> None:
    own = ProbabilitySpace((np.full((1, 3), 0.2), np.full((2, 3), 0.3)), branches=("S", "T", "ST"))
    found = stability([own, own])
    assert set(found.on) == {"S", "T", "ST"}
    assert found.between.tolist() == [0.0, 0.0]
    assert len(figure_stability([own, own]).axes) == 4


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, space in enumerate(SEEDS):
        space.save(tmp_path / f"{seed}.json")
    files = [str(tmp_path / f"{seed}.json") for seed in range(3)]
    written = [f"--figure={tmp_path}/a.svg", f"--out={tmp_path}/a.json"]
    assert main(["stability", *files, *written]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("3 seeds")
    assert "P(S on) 0.333 +- 0.577  P(ST on) 0.667 +- 0.577  between seeds 0.667" in said[2]
    assert said[3] == stability(SEEDS).verdict
    assert said[5].startswith("II (higher layers prefer ST): holds in 2 of 3 seeds; margin")
    fields = json.loads((tmp_path / "a.json").read_text())
    assert fields["format"] == "vdroppath_tf.stability/1"
    assert [one["number"] for one in fields["observations"]] == ["I", "II"]
    assert fields["between seeds"] == pytest.approx([0.0, 2 / 3])
    assert fields["on by seed and layer"]["S"] == [[1, 0], [1, 0], [1, 1]]
    assert (tmp_path / "a.svg").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["nowhere.json", "b.json"], "nowhere.json: there is no such file"),
        (["published:ucf101"], "two or more seeds. Received: 1"),
        (["published:ucf101", "published:ucf101", "--figure=a.txt"], "--figure=a.txt: expected"),
    ],
)
def test_wrong_calls(arguments: list[str], match: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stability", *arguments]) == 1
    assert match in capsys.readouterr().err


def test_observations_over_seeds() -> None:
    """Two of three seeds give the higher layer ST; none gives the lower one S+ST."""
    first, second = observations_over_seeds(SEEDS)
    assert (first.number, first.holds, second.number, second.holds) == ("I", 0, "II", 2)
    margins = [higher_layers_want_time(space).margin for space in SEEDS]
    wanted = stats.t.interval(0.95, 2, np.mean(margins), stats.sem(margins))
    assert [second.margin.low, second.margin.high] == pytest.approx(list(wanted))
    assert "holds in 2 of 3 seeds; margin" in str(second)
    assert "interval" not in str(observations_over_seeds(SEEDS[:1])[1])
    assert observations_over_seeds([ProbabilitySpace([[0.1, 0.2]])]) == []
    third = scenes_over_seeds([SEEDS[2]] * 2, SEEDS[:2])
    assert (third.number, third.holds) == ("III", 2)
    assert third.margin.value == pytest.approx(0.5)
    with pytest.raises(ValueError, match="2 with complex scenes, 1 others"):
        scenes_over_seeds(SEEDS[:2], SEEDS[:1])

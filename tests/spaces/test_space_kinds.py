"""Pictures, prose and pages of spaces with seven units, and with gates per input."""

from __future__ import annotations

import itertools
from typing import Any

import matplotlib.colors
import numpy as np
import pytest

from vdroppath_tf.analysis import observations
from vdroppath_tf.analysis.layer_halves import leads
from vdroppath_tf.figures.distance import figure_distance
from vdroppath_tf.figures.history import figure_history
from vdroppath_tf.figures.marginals import figure_marginals
from vdroppath_tf.figures.units import COLORS, label_note, unit_color, unit_ink, unit_label
from vdroppath_tf.report import comparisons, findings
from vdroppath_tf.report.page import render_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import STAND_ALONE, Row
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

ALL = ("S", "T", "ST")
LAYERS = ("B1.L1", "B1.L2", "T1")
# the transition has no T: it starts, and stays, at a drop probability of 1
SEVEN = ProbabilitySpace(
    [[0.2, 0.6, 0.1], [0.3, 0.8, 0.5], [0.4, 1.0, 0.2]],
    [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1], [0.1, 1.0, 0.1]],
    LAYERS,
    branches=ALL,
    has_residual=[True, True, False],
)
APART = ProbabilitySpace(
    ([[0.2, 0.6]], [[0.3, 0.8], [0.5, 0.1]], [[0.4, 0.2], [0.9, 0.2], [0.1, 0.3]]), layers=LAYERS
)
APART_TEXT = "S@1 S@10+ST@11 ST@011"


def task(space: ProbabilitySpace, chosen: str, **changes: Any) -> TaskReport:
    row = Row("chosen strategy", chosen, 0.5, 0.1, 1, 10, note="drawn from the template")
    strategy = FusionStrategy.parse(chosen)
    fields = {"rows": [row], "chosen": strategy, "classes": 4, "clips": 64, **changes}
    return TaskReport("a task", "x", space, **fields)


def page(one: TaskReport) -> str:
    return render_report(Report("Title", "today", (one,)))


def labels(figure: Any) -> list[str]:
    """What stands above the bars."""
    texts = [text for axes in figure.axes for text in axes.texts if text.get_position()[1] > 1]
    return [text.get_text() for text in texts]


def test_labels_name_what_all_inputs_have_and_mark_the_rest() -> None:
    for unit, text in (
        ("S+T+ST", "S+T+ST"),
        ("-", "-"),
        ("S@1+ST@1", "S+ST"),
        ("S@101+T@111+ST@010", "S*+T+ST*"),
    ):
        assert unit_label(unit) == text
    assert unit_color("S@10+ST@01") == COLORS["S+ST"]
    assert unit_ink("S@10+T@11+ST@01") == unit_ink("S+T+ST") != unit_ink("S")
    assert label_note(["S", "S@11"]) is None
    assert "some of the layer's inputs" in (label_note(["S", "S@01"]) or "")


# Machado et al. 2009, severity 1, on linear RGB: protanopia and deuteranopia
VISION = {
    "all": np.eye(3),
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}


def linear(color: str) -> np.ndarray:
    rgb = np.array(matplotlib.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("vision", VISION)
def test_colours_of_all_units_can_be_told_apart(vision: str) -> None:
    seen = [np.clip(VISION[vision] @ linear(c), 0, 1) ** (1 / 2.2) for c in COLORS.values()]
    assert len(seen) == 8
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 0.12


@pytest.mark.parametrize("unit", COLORS)
def test_units_are_legible_on_their_colours(unit: str) -> None:
    pair = sorted(
        float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (unit_color(unit), unit_ink(unit))
    )
    assert (pair[1] + 0.05) / (pair[0] + 0.05) > 3.8


def test_bars_of_seven_units() -> None:
    """The transition's lack of T leaves the bar of the start to the others."""
    figure = figure_marginals(SEVEN, FusionStrategy.parse("S+T+ST - T+ST"))
    assert labels(figure) == ["start", "S+T+ST", "-", "T+ST"]
    (axes,) = figure.axes
    assert len(axes.patches) == 8 * (3 + 1)
    rotated = [text.get_rotation() for text in axes.texts[-3:]]
    assert rotated == [90, 90, 90]
    start = sum(patch.get_height() for patch in axes.patches if patch.get_center()[0] < 0)
    assert start == pytest.approx(1)


def test_labels_stay_inside_the_picture() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for space, text in ((SEVEN, "S+T+ST S+T+ST S+ST"), (APART, APART_TEXT)):
        figure = figure_marginals(space, FusionStrategy.parse(text))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        (axes,) = figure.axes
        for written in axes.texts:
            box = written.get_bbox_patch() or written
            assert box.get_window_extent(canvas.get_renderer()).y1 <= figure.bbox.y1


def test_pictures_of_gates_per_input_are_means_and_say_so() -> None:
    figure = figure_marginals(APART, FusionStrategy.parse(APART_TEXT))
    assert labels(figure) == ["start", "S", "S*+ST", "ST*"]
    (axes,) = figure.axes
    assert "mean over inputs" in axes.get_ylabel()
    assert "some of the layer's inputs" in figure.legends[0].get_title().get_text()
    tops = {round(p.get_center()[0], 3): p.get_height() for p in axes.patches[::-1]}
    assert tops[1.0] == pytest.approx(APART.marginals()["S"][1])
    assert "mean over inputs" in figure_distance(APART, 0.1).axes[0].get_ylabel()


def test_histories_have_a_line_for_each_layer_that_has_the_branch() -> None:
    figure = figure_history([SEVEN.initial, SEVEN.drop], SEVEN)
    assert [len(axes.lines) for axes in figure.axes[:3]] == [3, 2, 3]
    np.testing.assert_allclose(figure.axes[1].lines[1].get_ydata(), [0.1, 0.8])
    history = [APART.initial, [layer.tolist() for layer in APART.drop]]  # as JSON gives it
    s, st = figure_history(history, APART).axes[:2]
    np.testing.assert_allclose(s.lines[1].get_ydata(), [0.1, 0.4])
    np.testing.assert_allclose(st.lines[2].get_ydata(), [0.1, 0.7 / 3])
    assert "mean over inputs" in s.get_ylabel()


def test_a_path_that_no_layer_has_gets_no_line() -> None:
    space = ProbabilitySpace([[0.1, 1.0], [0.2, 1.0]], [[0.1, 1.0]] * 2)
    s, st = figure_history([space.drop, space.drop], space).axes
    assert [len(axes.lines) for axes in (s, st)] == [2, 0]
    assert [text.get_text() for text in s.texts] == ["1", "2"]
    assert not st.texts


def test_a_history_of_another_space_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\)\], like its space.*after epoch 1"):
        task(APART, APART_TEXT, history=[APART.drop, APART.drop[:2]])


def test_pages_show_units_per_input_short_and_whole() -> None:
    text = page(task(APART, APART_TEXT, history=[APART.initial, APART.drop]))
    assert text.count("has its own gates") == 5  # bars, distances, history and its alt, numbers
    assert 'title="S@10+ST@11">S*+ST</span>' in text
    assert f"background:{COLORS['S+ST']}" in text
    assert "Chosen units: S S*+ST ST*" in text
    assert "<td><span>S@10+ST@11</span>" in text.replace(' data-label="Chosen"', "")
    assert "third path" not in text


def test_pages_explain_t() -> None:
    text = page(task(SEVEN, "S+T+ST T S+ST"))
    assert "third path, T" in text
    assert "P(S+T+ST)" in text
    assert "T on in a draw" in text
    assert "has its own gates" not in text


def test_prose_of_other_units() -> None:
    """A uniform row with T is a rival too; means are over the layers that have the branch."""
    space = ProbabilitySpace(SEVEN.drop[:2], branches=ALL)
    rows = [
        Row(f"{unit} everywhere", f"{unit} {unit}", top1, 0.01, 1, 10, note=STAND_ALONE)
        for unit, top1 in (("S+T", 0.99), ("S", 0.25), ("ST", 0.6))
    ]
    best = Row("chosen strategy", "T -", 0.7, 0.01, 1, 10, note="drawn from the template")
    one = task(space, "T -", rows=[*rows, best])
    assert list(one.uniforms()) == ["S", "ST", "S+T"]
    assert "loses: 70.0" in (comparisons.best_draw(one) or "")
    assert "for S+T everywhere, the best" in (comparisons.best_draw(one) or "")
    assert findings.mean_on(SEVEN)["T"] == pytest.approx((0.4 + 0.2) / 2)
    assert findings.mean_on(APART)["S"] == pytest.approx((0.8 + 0.6 + (0.6 + 0.1 + 0.9) / 3) / 3)


def test_observations_of_gates_per_input() -> None:
    lower, higher = leads(APART, "S+ST")
    assert (lower.of, higher.of) == (1, 2)
    mean = APART.marginals()["ST"][1:].mean()
    assert higher.means["ST"] == pytest.approx(mean)
    assert str(observations.higher_layers_want_time(SEVEN)).startswith("II ")

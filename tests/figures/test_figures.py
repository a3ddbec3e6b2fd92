"""The figures: bars, lines, colours and names are those of the numbers that were given."""

from __future__ import annotations

import base64
import dataclasses
import io

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from vdroppath_tf.analysis import Ranking
from vdroppath_tf.analysis.branch_maps import BranchMap, Explanation
from vdroppath_tf.figures.confusion import figure_confusion
from vdroppath_tf.figures.draws import figure_draws
from vdroppath_tf.figures.entropy import figure_entropy
from vdroppath_tf.figures.frames import frame_strip
from vdroppath_tf.figures.maps import figure_maps, shown_frames
from vdroppath_tf.figures.marginals import figure_marginals
from vdroppath_tf.figures.panels import short_names
from vdroppath_tf.figures.ranking import figure_ranking
from vdroppath_tf.figures.style import svg_uri
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.scoring.listed import Draw, Row
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CHOSEN = "ST S+ST -"
TIME = [[0.8, 0.05], [0.6, 0.1], [0.9, 0.9]]


def _row(name: str, strategy: str, top1: float) -> Row:
    return Row(name, strategy, top1, 0.01, parameters=201_234, macs=20_345_678)


def test_bars_of_fig_4_are_the_marginals():
    space = ProbabilitySpace(TIME, architecture="micro")
    figure = figure_marginals(space, FusionStrategy.parse(CHOSEN))
    (axes,) = figure.axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    heights = {(round(b.get_center()[0], 3), b.get_facecolor()): b.get_height() for b in bars}
    marginals = space.marginals()
    for unit, values in marginals.items():
        color = matplotlib.colors.to_rgba(COLORS[unit])
        for layer, value in enumerate(values):
            assert heights[layer, color] == pytest.approx(value)
    texts = [text.get_text() for text in axes.texts if text.get_position()[1] > 1]
    assert texts == ["start", "ST", "S+ST", "-"]


def test_fig_4_of_other_spaces():
    wide = ProbabilitySpace(np.full((61, 2), 0.3))
    assert [len(axes.get_xticks()) for axes in figure_marginals(wide).axes] == [31, 30]
    three = ProbabilitySpace(
        [[0.1, 0.2, 0.3]] * 2, [[0.1] * 3, [0.2] * 3], branches=("S", "T", "ST")
    )
    (axes,) = figure_marginals(three, FusionStrategy.parse("S+T+ST T")).axes
    assert len(axes.patches) == 16  # no bar "start": the layers started from different values
    own = ProbabilitySpace(([[0.1, 0.5]], [[0.1, 0.2], [0.3, 0.4]]))
    assert figure_marginals(own, own.mode()).axes
    with pytest.raises(ValueError, match="1 units, the network has 2"):
        figure_marginals(three, FusionStrategy.parse("S"))


def test_layer_names_are_shortened_where_they_end_alike():
    names = ("stage1_block1_fusion", "stage1_block2_fusion")
    assert short_names(ProbabilitySpace([[0.1, 0.1]] * 2, layers=names)) == [
        *("stage1_block1", "stage1_block2")
    ]
    assert short_names(ProbabilitySpace([[0.1, 0.1]], layers=("a$b",))) == [r"a\$b"]


def test_pictures_are_the_same_bytes_each_time():
    space = ProbabilitySpace(TIME)
    assert svg_uri(figure_marginals(space)) == svg_uri(figure_marginals(space))


def test_entropy_has_the_height_of_its_bars():
    space = ProbabilitySpace([[0.5, 0.5], [0.0, 1.0]])
    (axes,) = figure_entropy(space).axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([2 * np.log(2), 0.0])
    assert [segment[0][1] for segment in axes.collections[0].get_segments()] == pytest.approx(
        [2 * -(0.1 * np.log(0.1) + 0.9 * np.log(0.9))] * 2
    )


def test_draws_have_intervals_and_their_front():
    draws = [Draw("S", 0.5, 2_000_000, 0.1), Draw("S", 0.4, 1_000_000, 0.2)]
    draws.append(Draw("S", 0.45, 3_000_000, 0.1, in_confidence_set=False))
    axes = figure_draws(draws, [], 0.25).axes[0]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines["front of the draws"] == [[1.0, 40.0], [2.0, 50.0]]
    found = [container.lines[2][0].get_segments()[0][:, 1] for container in axes.containers]
    reach = [19.6, 39.2, 19.6]
    for interval, middle, half in zip(found, (50, 40, 45), reach, strict=True):
        assert interval == pytest.approx([middle - half, middle + half], abs=0.01)
    hollow = [container.lines[0].get_markerfacecolor() == "white" for container in axes.containers]
    assert hollow == [False, False, True]


def test_what_a_race_dropped_is_no_part_of_the_front():
    draws = [Draw("S", 1.0, 1, clips=2), Draw("S", 0.5, 2, clips=100)]
    lines = figure_draws(draws, [], None).axes[0].lines
    (front,) = [line for line in lines if line.get_label() == "front of the draws"]
    assert front.get_xydata().tolist() == [[2.0, 50.0]]


def test_uniform_rows_have_the_colours_of_their_units():
    rows = [_row("S everywhere", "S S", 0.5), _row("mode", "S ST", 0.6), _row("draw 1", "- -", 0.5)]
    rows += [_row("draw 2", "S -", 0.5), _row("best", "ST ST", 0.7)]
    axes = figure_draws([], rows, None, best=rows[-1], clips=10).axes[0]
    found = {bar.get_label(): bar.lines[0] for bar in axes.containers}
    assert found["S everywhere"].get_color() == COLORS["S"]
    assert (
        found["mode"].get_color() not in COLORS.values() or found["mode"].get_color() != COLORS["S"]
    )
    assert found["best"].get_marker() == "*"
    _, shown = axes.get_legend_handles_labels()
    assert sorted(set(shown)) == ["S everywhere", "best", "draw", "mode"]


def test_a_kind_of_row_looks_the_same_in_every_picture():
    rows = [_row("S everywhere", "S S", 0.5), _row("mode", "S ST", 0.6), _row("mine", "- ST", 0.5)]
    best = _row("chosen strategy", "ST S", 0.7)
    looks = []
    for some in (rows, rows[::-1], rows[1:]):
        axes = figure_draws([], [*some, best], None, best=best, clips=10).axes[0]
        bars = {bar.get_label(): bar.lines[0] for bar in axes.containers}
        looks.append({name: (bar.get_color(), bar.get_marker()) for name, bar in bars.items()})
    assert looks[0] == looks[1]
    assert looks[2] == {name: look for name, look in looks[0].items() if name != "S everywhere"}
    assert len(set(looks[0].values())) == 4


def test_marks_at_one_point_stand_side_by_side():
    rows = [_row(name, "S ST", 0.5) for name in ("a", "b", "c", "d")] + [_row("e", "S ST", 0.9)]
    figure = figure_draws([], rows, None, best=rows[0], clips=10)
    (axes,) = figure.axes
    lines = [bar.lines[0] for bar in axes.containers]
    places = np.array([line.get_transform().transform(line.get_xydata())[0] for line in lines])
    across = np.sort(places[places[:, 1] < places[:, 1].max() - 1][:, 0]) * 72 / figure.dpi
    assert len(across) == 4
    assert np.diff(across).min() > 8.9
    first, moved = axes.containers[1], axes.containers[2]
    shift = places[2] - places[1]
    for one, other in zip(first.lines[2], moved.lines[2], strict=True):  # its bar goes with it
        ends = [c.get_transform().transform(c.get_segments()[0]) for c in (one, other)]
        np.testing.assert_allclose(ends[1] - ends[0], [shift, shift], atol=1e-6)


def test_frame_strip_shows_frames_in_order():
    clip = np.zeros((9, 130, 130, 3), np.float32)
    clip += np.arange(0, 270, 30, dtype=np.float32)[:, None, None, None]
    strip = frame_strip(clip, count=3)
    data = io.BytesIO(base64.b64decode(strip.partition(",")[2]))
    picture = (matplotlib.image.imread(data, format="png") * 255).round()[..., :3]
    assert picture.shape == (44, 44 * 3 + 4, 3)
    assert [picture[0, x, 0] for x in (0, 44, 46, 92)] == [0, 255, 120, 240]
    with pytest.raises(ValueError, match=r"Received: \(8, 8, 3\)"):
        frame_strip(np.zeros((8, 8, 3)))


def test_a_confusion_matrix_of_many_classes() -> None:
    """The most confused are drawn without numbers; the others share a column."""
    counts = np.diag(np.arange(1, 41))
    counts[5, 7] = counts[39, 0] = 3
    names = [f"class {k}" for k in range(40)]
    (axes,) = figure_confusion(counts, names).axes
    columns = [text.get_text() for text in axes.get_xticklabels()]
    assert (len(columns), columns[-1]) == (31, "other classes")
    assert {"class 5", "class 7", "class 39", "class 0"} <= set(columns)
    assert not axes.texts
    (axes,) = figure_confusion(counts[:2, :2], names[:2]).axes
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    with pytest.raises(ValueError, match=r"2 x 2 classes\. Received: shape \(40, 40\)"):
        figure_confusion(counts, names[:2])


def test_panels_without_a_score_stay_empty() -> None:
    accuracies = np.array([[0.50, 0.52], [0.61, 0.58], [0.70, 0.73]])
    scores = {name: np.array([0.41, 0.47, 0.44]) for name in ("a", "b", "c", "d")}
    found = Ranking(("draws",) * 3, ("S S", "S ST", "ST ST"), accuracies, scores, clips=500)
    assert [axes.axison for axes in figure_ranking(found).axes] == [True] * 4 + [False] * 2
    with pytest.raises(ValueError, match=r"has no scores to draw"):
        figure_ranking(dataclasses.replace(found, scores={}))


def test_maps_of_optical_flow_show_its_speed() -> None:
    clip = np.full((2, 3, 4, 2), 127.5)
    clip[1, 2, 3] = 127.5 + 60
    shown = shown_frames(clip)
    assert shown.shape == (2, 3, 4, 3)
    assert shown[1, 2, 3].tolist() == [1, 1, 1]
    assert shown.sum() == pytest.approx(3)
    maps = (BranchMap("a", "S", np.ones((1, 1, 1)), 1.0),)
    found = Explanation(clip, 0, 0, np.ones(1), maps, "grad-cam")
    with pytest.raises(ValueError, match=r"frames must be at least 1. Received: 0"):
        figure_maps(found, frames=0)

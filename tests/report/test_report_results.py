"""What the report says of results: tested networks, classes, maps, worth of layers."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_pages import CHOSEN, Reader, page, row, task

from vdroppath_tf.analysis.branch_maps import BranchMap, Explanation
from vdroppath_tf.report import inputs, items
from vdroppath_tf.report.classes import answers_of_tested, gains_over
from vdroppath_tf.report.explained import Explained
from vdroppath_tf.report.formats import score
from vdroppath_tf.report.inputs import read_result
from vdroppath_tf.report.items import DataUsed
from vdroppath_tf.report.worth import worth_pictures, worth_sentences
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.listed import Draw
from vdroppath_tf.scoring.video_scores import TEST_FORMAT
from vdroppath_tf.spaces.strategy import FusionStrategy

pytestmark = pytest.mark.usefixtures("quick")

MEASURED = DataUsed("testing", "x", "a", 48, "one", 48)


def of_test(name: str, **more: Any) -> items.Tested:
    return items.Tested(row(name, CHOSEN, 0.75), MEASURED, **more)


def of_classes(count: int, digest: str = "a") -> ClassAnswers:
    """Answers for 40 clips of each class; class k is right on about k of 40."""
    truths = np.repeat(np.arange(count), 40)
    right = np.tile(np.arange(40), count) < truths
    names = tuple(f"c{k}" for k in range(count))
    return ClassAnswers(names, truths, np.where(right, truths, (truths + 1) % count), digest)


def test_tested_networks_have_names_of_their_own() -> None:
    known = of_classes(3)
    several = [of_test("a", answers=known), of_test("a", answers=known), of_test("b"), of_test("a")]
    assert [*answers_of_tested([*several, of_test("a", answers=known)])] == [
        *("a", "a (test 2)", "a (test 3)"),
    ]
    with pytest.raises(ValueError, match="A and B did not answer the same clips of the same class"):
        gains_over(known, of_classes(3, "b"), one="A", other="B")


def test_of_many_classes_both_ends_are_shown() -> None:
    known = of_classes(40)
    none = dataclasses.replace(known, answers=(known.truths + 1) % 40)
    classes = [(f"c{k}", 9, None if k == 7 else k / 40) for k in range(40)]
    one = replace(
        task(),
        answers={"network": known},
        gains=[gains_over(known, none)],
        tested=[of_test("known", classes=classes), of_test("unknown", classes=[("c0", 0, None)])],
    )
    text = Reader(page(one)).text
    assert "Of 40 classes, the 12 at either end are shown." in text
    assert "Of 40 classes, the 30 with the most wrong answers (12 on a small screen)." in text
    assert "Classes, the least known first; the 5 least and the 5 best known of 39." in text


def test_maps_of_some_layers_are_said_to_be_some() -> None:
    maps = tuple(BranchMap(f"l{k}", "S", np.ones((1, 2, 2)), 1.0) for k in range(8))
    found = Explanation(np.zeros((2, 4, 4, 3)), 0, 0, np.array([0.9, 0.1]), maps, "hires-cam")
    one = replace(task(), explained=[Explained("1.mp4", ["left", "right"], found)])
    assert "6 of 8 layers are shown." in Reader(page(one)).text
    with pytest.raises(ValueError, match=r"1\.mp4: has 2 probabilities\. .* each of 3"):
        Explained("1.mp4", ["a", "b", "c"], found)


def test_a_perfect_score_has_an_interval_if_the_clips_are_known() -> None:
    perfect = row("a", "S", 1.0, standard_error=0.0)
    assert score(perfect).replace("\N{NO-BREAK SPACE}", " ") == "100.0 ± 0.0 %"
    assert re.fullmatch(r"100\.0.%.\[9[0-9]\.[0-9],.100\.0\]", score(perfect, 100))


def test_results_of_several_classes_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = {
        **{"format": TEST_FORMAT, "model": "m.keras", "strategy": CHOSEN, "architecture": None},
        **{"top1": 0.5, "top1_standard_error": 0.1, "top5": 0.75, "map": 0.625},
        "data": {"source": "l.txt", "hash": "a", "listed": 5, "scored": 4},
        "protocol": {"name": "one"},
        "classes": [
            {"name": "left", "videos": 4, "top1": 0.5},
            {"name": "right", "videos": 0, "top1": None},
        ],
        "confusions": [],
    }
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result))
    found = read_result(path)
    assert found.row.note == "mAP 0.625; several classes a video, top-1 is Hit@1"
    assert found.classes == [("left", 4, 0.5), ("right", 0, None)]
    monkeypatch.setattr(inputs, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match=r"result\.json: has [0-9]+ bytes\. .* at most 10\."):
        read_result(path)


@pytest.mark.parametrize(("sign", "words"), [(1, "So it does."), (-1, "The opposite holds.")])
def test_whether_a_probability_means_something(sign: int, words: str) -> None:
    space = task().space
    texts = {str(one): space.log_prob(one) for one in space.sample(40, seed=0)}
    texts[CHOSEN] = space.log_prob(FusionStrategy.parse(CHOSEN))
    order = sorted(texts, key=lambda text: sign * texts[text])
    draws = [Draw(text, 0.2 + 0.01 * k, 9, clips=100) for k, text in enumerate(order)]
    (sentence,) = worth_sentences(replace(task(), draws=draws))
    of = "+" if sign > 0 else "\N{MINUS SIGN}"
    assert f"{len(draws)} draws and their accuracy: tau {of}0.99" in sentence  # two are tied
    assert sentence.endswith(words)


def test_equal_accuracies_have_no_order() -> None:
    """Whether a probability means something cannot be known of them."""
    texts = ("ST S+ST -", "S S S", "ST ST ST", "S ST S", "S+ST S S", "- S ST", "S S+ST -", "ST S S")
    draws = [Draw(text, 0.5, 9, clips=100) for text in texts]
    one = replace(task(), draws=draws)
    assert "tau unknown, as all are equal. This may be due to chance." in " ".join(
        worth_sentences(one)
    )
    assert [picture.name for picture in worth_pictures(one)] == ["calibration"]
